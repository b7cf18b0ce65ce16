import { hash } from 'node:crypto';

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32;

const LEAF_PREFIX = Buffer.of(0);
const NODE_PREFIX = 1;

/** MTH({}): the hash of nothing. */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0));

export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

/** The hash of a leaf: SHA-256(0x00 ‖ bytes) (RFC 6962, section 2.1). */
export function leafHash(bytes: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF_PREFIX, bytes]));
}

/** The hash of a node: SHA-256(0x01 ‖ left ‖ right) (RFC 6962, section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const joined = Buffer.allocUnsafe(1 + 2 * HASH_BYTES);
  joined[0] = NODE_PREFIX;
  joined.set(left, 1);
  joined.set(right, 1 + HASH_BYTES);
  return sha256(joined);
}

/** Called for each complete subtree of 2^level leaves, the index-th of its level from the left. */
type OnNode = (level: number, index: number, hash: Buffer) => void;

/**
 * A Merkle tree that only grows, kept as the hashes of the complete subtrees it consists of: one for each bit set in
 * its size, so that a leaf costs a constant number of hashes on average, and the whole state is at most 53 of them.
 */
export class CompactTree {
  #size: number;
  /** The largest subtree, which is the leftmost, first. */
  readonly #frontier: Buffer[];

  private constructor(size: number, frontier: Buffer[]) {
    this.#size = size;
    this.#frontier = frontier;
  }

  static empty(): CompactTree {
    return new CompactTree(0, []);
  }

  /** @param frontier as `frontier` gave it; @throws RangeError when it does not belong to a tree of `size` leaves */
  static restore(size: number, frontier: Uint8Array): CompactTree {
    const hashes: Buffer[] = [];
    for (let at = 0; at < frontier.length; at += HASH_BYTES)
      hashes.push(Buffer.from(frontier.subarray(at, at + HASH_BYTES)));
    if (frontier.length % HASH_BYTES !== 0 || hashes.length !== subtreesOf(0, size).length)
      throw new RangeError(`A tree of ${size} leaves does not consist of ${frontier.length} bytes of hashes.`);
    return new CompactTree(size, hashes);
  }

  get size(): number {
    return this.#size;
  }

  /** The state, to restore it from. */
  get frontier(): Buffer {
    return Buffer.concat(this.#frontier);
  }

  append(leaf: Buffer, onNode?: OnNode): void {
    let node = leaf;
    let index = this.#size;
    for (let level = 1; index % 2 === 1; level++) {
      node = nodeHash(this.#frontier.pop()!, node);
      index = (index - 1) / 2;
      onNode?.(level, index, node);
    }
    this.#frontier.push(node);
    this.#size += 1;
  }

  root(): Buffer {
    return this.#frontier.length === 0 ? EMPTY_ROOT : foldSubtrees(this.#frontier);
  }
}

/** The hash of leaves that lie side by side, of the hashes of the complete subtrees they consist of. */
export function foldSubtrees(hashes: readonly Buffer[]): Buffer {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** A run of leaves: from the first to before the last. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The complete subtrees that the leaves of a node consist of, from the left. `start` is a multiple of the largest
 * power of two that fits, as it is for every node of a tree.
 */
export function subtreesOf(start: number, end: number): LeafRange[] {
  const ranges: LeafRange[] = [];
  for (let at = start; at < end; ) {
    let leaves = 1;
    while (leaves * 2 <= end - at) leaves *= 2;
    ranges.push({ start: at, end: at + leaves });
    at += leaves;
  }
  return ranges;
}

/** The largest power of two below `count`, where RFC 6962 splits a tree of that many leaves. */
export function splitPoint(count: number): number {
  let leaves = 1;
  while (leaves * 2 < count) leaves *= 2;
  return leaves;
}
