import { nodeHash } from './merkleTree.ts';

/** What was done to the log. `rewrite`: these entries are not the signed ones, and nothing is left that tells more. */
export type TamperingKind = 'edit' | 'deletion' | 'insertion' | 'reordering' | 'truncation' | 'rewrite';

/** The first thing that is wrong. */
export interface Finding {
  readonly kind: TamperingKind;
  /** The first wrong entry; where only a run of entries is known to hold it, the first and last of that. */
  readonly seq: number;
  readonly lastSeq: number;
  readonly detail: string;
}

/**
 * What happened where hashes differ from those expected, judged by this and what follows on both sides: where the one
 * reappears on the other side, something was taken out, put in or moved.
 */
export function classifyDifference(actual: readonly Buffer[], expected: readonly Buffer[]): TamperingKind {
  const [found, wanted] = [actual[0], expected[0]];
  const movedHere = found !== undefined && expected.slice(1).some((hash) => hash.equals(found));
  const movedAway = wanted !== undefined && actual.slice(1).some((hash) => hash.equals(wanted));
  if (movedHere) return movedAway ? 'reordering' : 'deletion';
  return movedAway ? 'insertion' : 'edit';
}

/**
 * The two leaves of a complete subtree whose exchange gives it the hash it should have; null when there are none.
 * @param leaves 2^n of them, at most 256
 */
export function findExchange(leaves: readonly Buffer[], wanted: Buffer): readonly [number, number] | null {
  const levels: Buffer[][] = [[...leaves]];
  while (levels.at(-1)!.length > 1) {
    const below = levels.at(-1)!;
    levels.push(Array.from({ length: below.length / 2 }, (_, at) => nodeHash(below[2 * at]!, below[2 * at + 1]!)));
  }
  for (let first = 0; first < leaves.length; first++) {
    for (let second = first + 1; second < leaves.length; second++) {
      if (rootWithExchange(levels, first, second).equals(wanted)) return [first, second];
    }
  }
  return null;
}

/** Hashes only the two paths from the exchanged leaves to the root. */
function rootWithExchange(levels: readonly (readonly Buffer[])[], first: number, second: number): Buffer {
  const leaves = levels[0]!;
  let changed = new Map<number, Buffer>([
    [first, leaves[second]!],
    [second, leaves[first]!],
  ]);
  for (const level of levels.slice(0, -1)) {
    const at = (index: number): Buffer => changed.get(index) ?? level[index]!;
    const above = new Map<number, Buffer>();
    for (const index of changed.keys()) {
      const parent = Math.floor(index / 2);
      if (!above.has(parent)) above.set(parent, nodeHash(at(2 * parent), at(2 * parent + 1)));
    }
    changed = above;
  }
  return changed.get(0)!;
}
