import { consistencyRanges, inclusionRanges } from '../../src/audit/merkleProof.ts';
import { EMPTY_ROOT, type LeafRange, leafHash, nodeHash, splitPoint } from '../../src/audit/merkleTree.ts';

/** The tree hash as RFC 6962 defines it, by recursion over all leaves: what everything faster is compared with. */
export function treeHash(
  leaves: readonly Buffer[],
  { start, end }: LeafRange = { start: 0, end: leaves.length },
): Buffer {
  if (end === start) return EMPTY_ROOT;
  if (end - start === 1) return leaves[start]!;
  const middle = start + splitPoint(end - start);
  return nodeHash(treeHash(leaves, { start, end: middle }), treeHash(leaves, { start: middle, end }));
}

export function inclusionProof(leaves: readonly Buffer[], index: number, size: number): Buffer[] {
  return inclusionRanges(index, size).map((range) => treeHash(leaves, range));
}

export function consistencyProof(leaves: readonly Buffer[], first: number, second: number): Buffer[] {
  return consistencyRanges(first, second).map((range) => treeHash(leaves, range));
}

/** Leaves that are all different. */
export function someLeaves(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));
}
