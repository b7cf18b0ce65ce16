import { normalTail } from '../normalTail.ts';

/** Up to this many values in both samples the distribution is counted out; beyond, the normal one is as good. */
const EXACT_UP_TO = 50;

export interface RankSum {
  /** Hodges and Lehmann's estimate of the ratio of `after` to `before`: the median of all their ratios. */
  readonly ratio: number;
  /** The probability of ranks at least as high (low) for `after`, were both samples from one distribution. */
  readonly pHigher: number;
  readonly pLower: number;
}

/**
 * Compares two samples of positive numbers by the rank-sum test of Wilcoxon, Mann and Whitney: no assumption about
 * their distribution, one outlier is one rank. Exact under the given ties, by Streitberg and Röhmel's shift algorithm
 * (1986); above 50 values normal, with correction for ties and continuity.
 * @throws RangeError one of them is empty, or a value is not positive
 */
export function compareSamples(before: readonly number[], after: readonly number[]): RankSum {
  const all = [...before, ...after];
  if (before.length === 0 || after.length === 0 || !all.every((value) => value > 0 && value < Infinity))
    throw new RangeError('The rank-sum test takes two samples of positive numbers.');
  const ranks = doubledRanks(all);
  const afterRanks = ranks.slice(before.length);
  const sum = afterRanks.reduce((total, rank) => total + rank, 0);
  const tails = all.length <= EXACT_UP_TO ? exactTails : normalTails;
  return { ratio: medianRatio(before, after), ...tails(ranks, after.length, sum) };
}

/** Twice the mean rank of each value among all, from 2 on: whole numbers also for ties. */
function doubledRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return 2 * below + equal + 1;
  });
}

/** Counts for every sum in how many ways `size` of the ranks come to it. */
function exactTails(ranks: readonly number[], size: number, observed: number): Pick<RankSum, 'pHigher' | 'pLower'> {
  const highest = ranks.reduce((total, rank) => total + rank, 0);
  const ways = Array.from({ length: size + 1 }, () => new Float64Array(highest + 1));
  ways[0]![0] = 1;
  for (const rank of ranks)
    for (let chosen = size; chosen > 0; chosen--)
      for (let sum = highest; sum >= rank; sum--) ways[chosen]![sum]! += ways[chosen - 1]![sum - rank]!;
  let [lower, higher, total] = [0, 0, 0];
  for (const [sum, count] of ways[size]!.entries()) {
    total += count;
    if (sum <= observed) lower += count;
    if (sum >= observed) higher += count;
  }
  return { pHigher: higher / total, pLower: lower / total };
}

function normalTails(ranks: readonly number[], size: number, observed: number): Pick<RankSum, 'pHigher' | 'pLower'> {
  const count = ranks.length;
  const mean = ranks.reduce((total, rank) => total + rank, 0) / count;
  const spread = ranks.reduce((total, rank) => total + (rank - mean) ** 2, 0) / (count - 1);
  const deviation = Math.sqrt((size * (count - size) * spread) / count);
  // All values are equal.
  if (deviation === 0) return { pHigher: 1, pLower: 1 };
  // Half a rank, which is one here.
  const above = (slack: number) => (observed - size * mean - slack) / deviation;
  return { pHigher: upperTail(above(1)), pLower: upperTail(-above(-1)) };
}

function upperTail(z: number): number {
  return z >= 0 ? normalTail(z) : 1 - normalTail(-z);
}

function medianRatio(before: readonly number[], after: readonly number[]): number {
  const ratios = after.flatMap((one) => before.map((other) => one / other)).toSorted((a, b) => a - b);
  const middle = ratios.length >> 1;
  return ratios.length % 2 === 1 ? ratios[middle]! : Math.sqrt(ratios[middle - 1]! * ratios[middle]!);
}
