import { medianOf, type Sample, type SampleWindow } from './trend.ts';

/** A segment shorter than this is a burst, not a new level. */
const MIN_SEGMENT = 8;
const CHANGE_MIN_SAMPLES = 2 * MIN_SEGMENT;
/** A month of hours is 720. */
export const CHANGE_MAX_SAMPLES = 1_000;
const PERMUTATIONS = 999;
const SIGNIFICANT = 0.001;
const MOST_CHANGES = 20;
const SEED = 0x9e3779b9;

/** A moment from which on the series was another. */
interface ChangePoint {
  readonly atMs: number;
  /** Medians of the stretches before and after, up to the neighbouring changes. */
  readonly baseline: number;
  readonly value: number;
  readonly before: SampleWindow;
  readonly after: SampleWindow;
  /** At most this: none of the permutations split as well. */
  readonly pValue: number;
}

export type Changes =
  | { readonly verdict: 'not enough data'; readonly samples: number; readonly needed: number }
  | { readonly verdict: 'changed' | 'steady'; readonly window: SampleWindow; readonly changes: readonly ChangePoint[] };

/**
 * Where a series changed its distribution: E-divisive (Matteson and James, 2014) with α = 1. The best split of each
 * stretch is accepted when of 999 random orders of the stretch none splits as well (p ≤ 0.001); then both halves are searched.
 * The orders come from a seeded generator, so that equal samples give equal answers. Splits are compared on ranks,
 * which outliers do not move. Like any test it takes values for independent: a season in the series is a change to it.
 *
 * @throws RangeError more than CHANGE_MAX_SAMPLES samples
 */
export function findChangePoints(given: readonly Sample[]): Changes {
  const samples = given
    .filter((one) => Number.isFinite(one.timeMs) && Number.isFinite(one.value))
    .toSorted((a, b) => a.timeMs - b.timeMs);
  if (samples.length > CHANGE_MAX_SAMPLES)
    throw new RangeError(`Change points are sought in at most ${CHANGE_MAX_SAMPLES} samples.`);
  if (samples.length < CHANGE_MIN_SAMPLES)
    return { verdict: 'not enough data', samples: samples.length, needed: CHANGE_MIN_SAMPLES };
  const found: { at: number; pValue: number }[] = [];
  const open: [from: number, until: number][] = [[0, samples.length]];
  for (let next = open.pop(); next !== undefined && found.length < MOST_CHANGES; next = open.pop()) {
    const [from, until] = next;
    if (until - from < CHANGE_MIN_SAMPLES) continue;
    const split = significantSplit(samples.slice(from, until).map((one) => one.value));
    if (split === null) continue;
    found.push({ at: from + split, pValue: SIGNIFICANT });
    open.push([from, from + split], [from + split, until]);
  }
  found.sort((a, b) => a.at - b.at);
  const bounds = [0, ...found.map((one) => one.at), samples.length];
  const changes = found.map(({ at, pValue }, index) => {
    const before = samples.slice(bounds[index]!, at);
    const after = samples.slice(at, bounds[index + 2]!);
    return {
      atMs: samples[at]!.timeMs,
      baseline: medianOf(before.map((one) => one.value)),
      value: medianOf(after.map((one) => one.value)),
      before: windowOf(before),
      after: windowOf(after),
      pValue,
    };
  });
  return { verdict: changes.length > 0 ? 'changed' : 'steady', window: windowOf(samples), changes };
}

/** Where the best split is, or null when a random order of the values splits as well. */
function significantSplit(values: readonly number[]): number | null {
  const ranks = ranksOf(values);
  const distances = distancesOf(ranks);
  const best = bestSplit(ranks, distances);
  if (!(best.gain > 0)) return null;
  const random = seededRandom(SEED);
  for (let permutation = 0; permutation < PERMUTATIONS; permutation++) {
    shuffle(ranks, random);
    // A rounding error is no difference.
    if (bestSplit(ranks, distances).gain >= best.gain * (1 - 1e-9)) return null;
  }
  return best.at;
}

/** Twice the mean rank of each value, so that ties have whole numbers too; from 0. */
function ranksOf(values: readonly number[]): Int32Array {
  const sorted = Float64Array.from(values).sort();
  const ranks = new Map<number, number>();
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (end < sorted.length && sorted[end] === sorted[at]) end++;
    ranks.set(sorted[at]!, at + end - 1);
    at = end;
  }
  return Int32Array.from(values, (value) => ranks.get(value)!);
}

/** For each rank, the sum of its distances to all ranks. */
function distancesOf(ranks: Int32Array): Float64Array {
  const distances = new Float64Array(2 * ranks.length);
  // Summed over values, not over positions: bestSplit asks by rank, whatever the order.
  for (const rank of new Set(ranks)) for (const other of ranks) distances[rank]! += Math.abs(rank - other);
  return distances;
}
/**
 * The split with the largest energy statistic mn/(m+n) · (2·E|X−Y| − E|X−X'| − E|Y−Y'|). The sums of distances are kept
 * up while the split moves, from two prefix-sum trees over the ranks, so that all splits together cost O(n log n).
 */
function bestSplit(ranks: Int32Array, distances: Float64Array): { at: number; gain: number } {
  const count = ranks.length;
  const all = ranks.reduce((sum, rank) => sum + distances[rank]!, 0) / 2;
  const seen = new PrefixSums(2 * count);
  const sums = new PrefixSums(2 * count);
  let [left, between, total] = [0, 0, 0];
  let best = { at: MIN_SEGMENT, gain: Number.NEGATIVE_INFINITY };
  for (let at = 0; at < count - MIN_SEGMENT; at++) {
    const rank = ranks[at]!;
    const below = seen.upTo(rank);
    const sumBelow = sums.upTo(rank);
    const toLeft = rank * below - sumBelow + (total - sumBelow) - rank * (at - below);
    left += toLeft;
    between += distances[rank]! - 2 * toLeft;
    seen.add(rank, 1);
    sums.add(rank, rank);
    total += rank;
    const m = at + 1;
    if (m < MIN_SEGMENT) continue;
    const n = count - m;
    const right = all - left - between;
    const gain = ((m * n) / count) * ((2 * between) / (m * n) - (2 * left) / (m * m) - (2 * right) / (n * n));
    if (gain > best.gain) best = { at: m, gain };
  }
  return best;
}

/** Sums of a changing row of numbers up to any place, in O(log n): a Fenwick tree. */
class PrefixSums {
  readonly #tree: Float64Array;

  constructor(size: number) {
    this.#tree = new Float64Array(size + 1);
  }

  add(at: number, amount: number): void {
    for (let node = at + 1; node < this.#tree.length; node += node & -node) this.#tree[node]! += amount;
  }

  upTo(at: number): number {
    let sum = 0;
    for (let node = at + 1; node > 0; node -= node & -node) sum += this.#tree[node]!;
    return sum;
  }
}

/** Fisher and Yates. */
function shuffle(values: Int32Array, random: () => number): void {
  for (let at = values.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [values[at], values[other]] = [values[other]!, values[at]!];
  }
}

/** Uniform numbers in [0, 1): xorshift32 (Marsaglia, 2003). */
function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function windowOf(samples: readonly Sample[]): SampleWindow {
  return { fromMs: samples[0]!.timeMs, untilMs: samples.at(-1)!.timeMs, samples: samples.length };
}
