import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { verifyConsistency, verifyInclusion } from '../../src/audit/merkleProof.ts';
import { CompactTree, EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash } from '../../src/audit/merkleTree.ts';
import { consistencyProof, inclusionProof, someLeaves, treeHash } from './memoryTree.ts';

// The eight leaves of the example tree of RFC 6962's reference implementation, and its roots after each.
const EXAMPLE_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const EXAMPLE_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const example = EXAMPLE_LEAVES.map((hex) => leafHash(Buffer.from(hex, 'hex')));

describe('the published example of RFC 6962', () => {
  it('has these hashes', () => {
    expect(EMPTY_ROOT.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(leafHash(Buffer.from('L123456')).toString('hex')).toBe(
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    );
    expect(nodeHash(Buffer.from('N123'), Buffer.from('N456')).length).toBe(HASH_BYTES);
  });

  it('has these roots, leaf after leaf', () => {
    const tree = CompactTree.empty();
    expect(tree.root()).toEqual(EMPTY_ROOT);
    const roots = example.map((leaf) => {
      tree.append(leaf);
      return tree.root().toString('hex');
    });
    expect(roots).toEqual(EXAMPLE_ROOTS);
  });

  it('has these proofs', () => {
    const hex = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('hex'));
    expect(hex(inclusionProof(example, 0, 8))).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(hex(consistencyProof(example, 6, 8))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });
});

const leaves = someLeaves(300);
const size = fc.integer({ min: 1, max: leaves.length });

/** A copy with one bit flipped; which one is chosen by `at`. */
function flipBit(hash: Buffer, at: number): Buffer {
  const flipped = Buffer.from(hash);
  flipped[Math.floor(at / 8) % HASH_BYTES]! ^= 1 << (at % 8);
  return flipped;
}

test('a growing tree has the roots that the definition gives, also when it is stored and restored in between', () => {
  let tree = CompactTree.empty();
  const nodes = new Map<string, Buffer>();
  for (const [index, leaf] of leaves.entries()) {
    tree = CompactTree.restore(tree.size, tree.frontier);
    tree.append(leaf, (level, at, hash) => void nodes.set(`${level}/${at}`, hash));
    expect(tree.root()).toEqual(treeHash(leaves, { start: 0, end: index + 1 }));
  }
  // Every complete subtree was told of, once.
  let complete = 0;
  for (let level = 1; 2 ** level <= leaves.length; level++) complete += Math.floor(leaves.length / 2 ** level);
  expect(nodes.size).toBe(complete);
  for (const [name, hash] of nodes) {
    const [level, at] = name.split('/').map(Number) as [number, number];
    expect(hash).toEqual(treeHash(leaves, { start: at * 2 ** level, end: (at + 1) * 2 ** level }));
  }
});

test('a state that does not belong to its size is refused', () => {
  expect(() => CompactTree.restore(3, Buffer.alloc(32))).toThrow(RangeError);
  expect(() => CompactTree.restore(1, Buffer.alloc(31))).toThrow(RangeError);
});

test('every inclusion proof verifies, and none that differs in a bit', () => {
  fc.assert(
    fc.property(size, fc.nat(), fc.nat(), (count, position, bit) => {
      const index = position % count;
      const proof = inclusionProof(leaves, index, count);
      const root = treeHash(leaves, { start: 0, end: count });
      const leaf = leaves[index]!;
      expect(verifyInclusion(leaf, index, count, proof, root)).toBe(true);
      expect(verifyInclusion(flipBit(leaf, bit), index, count, proof, root)).toBe(false);
      expect(verifyInclusion(leaf, index, count, proof, flipBit(root, bit))).toBe(false);
      for (const at of proof.keys()) {
        const changed = proof.with(at, flipBit(proof[at]!, bit));
        expect(verifyInclusion(leaf, index, count, changed, root)).toBe(false);
      }
      for (const other of [index - 1, index + 1, count])
        expect(verifyInclusion(leaf, other, count, proof, root)).toBe(false);
      expect(verifyInclusion(leaf, index, count, [...proof, root], root)).toBe(false);
      expect(verifyInclusion(leaf, index, count, proof.slice(0, -1), root)).toBe(count === 1);
    }),
    { numRuns: 300 },
  );
});

test('every consistency proof verifies, and none that differs in a bit', () => {
  fc.assert(
    fc.property(size, size, fc.nat(), (one, other, bit) => {
      const [first, second] = one < other ? [one, other] : [other, one];
      const proof = consistencyProof(leaves, first, second);
      const [old, now] = [first, second].map((end) => treeHash(leaves, { start: 0, end })) as [Buffer, Buffer];
      expect(verifyConsistency(first, second, proof, old, now)).toBe(true);
      expect(verifyConsistency(first, second, proof, flipBit(old, bit), now)).toBe(false);
      expect(verifyConsistency(first, second, proof, old, flipBit(now, bit))).toBe(false);
      for (const at of proof.keys()) {
        const changed = proof.with(at, flipBit(proof[at]!, bit));
        expect(verifyConsistency(first, second, changed, old, now)).toBe(false);
      }
      expect(verifyConsistency(first, second, [...proof, now], old, now)).toBe(false);
      if (first < second) expect(verifyConsistency(second, first, proof, now, old)).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('sizes beyond 32 bits are counted right', () => {
  // In a tree of 2^40 leaves, leaf 0 has a proof of 40 hashes; its root is what they make.
  const path = someLeaves(40);
  const root = path.reduce((hash, sibling) => nodeHash(hash, sibling), leaves[0]!);
  expect(verifyInclusion(leaves[0]!, 0, 2 ** 40, path, root)).toBe(true);
  expect(verifyInclusion(leaves[0]!, 2 ** 32, 2 ** 40, path, root)).toBe(false);
  expect(verifyInclusion(leaves[0]!, 0, 2 ** 53, path, root)).toBe(false);
});
