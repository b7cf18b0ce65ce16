import { normalTail } from './normalTail.ts';

/** Below this the normal approximation of the test means nothing (Kendall, 1975: at least 10). */
const TREND_MIN_SAMPLES = 10;
/** Pairs grow with the square; a month of hours is 720. */
export const TREND_MAX_SAMPLES = 2_000;
const SIGNIFICANT = 0.01;

/** One value of a series; several rows make a window. */
export interface Sample {
  readonly timeMs: number;
  readonly value: number;
}

/** From when until when, and how many values were looked at. */
export interface SampleWindow {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly samples: number;
}

export type Trend =
  | { readonly verdict: 'not enough data'; readonly samples: number; readonly needed: number }
  | {
      readonly verdict: 'rising' | 'falling' | 'no trend';
      readonly window: SampleWindow;
      /** Median slope of all pairs (Theil–Sen), by which the value changes in an hour. */
      readonly slopePerHour: number;
      /** The fitted line at the start and at the end of the window. */
      readonly baseline: number;
      readonly value: number;
      /** Two-sided, of the Mann–Kendall test with correction for ties. */
      readonly pValue: number;
      /** Kendall's tau-b, between −1 and 1. */
      readonly tau: number;
    };

/**
 * Whether a series rises or falls, at p < 0.01: Mann–Kendall test (Mann 1945; Kendall 1975, with ties) and Theil–Sen
 * slope (Sen 1968). Both look at the order of pairs only, so that outliers hardly matter. The test takes values for
 * independent: give it aggregates (hourly percentiles), not single calls. O(n²) for n samples.
 *
 * @throws RangeError more than TREND_MAX_SAMPLES samples
 */
export function findTrend(given: readonly Sample[]): Trend {
  const samples = given.filter(isUsable).toSorted((a, b) => a.timeMs - b.timeMs);
  const count = samples.length;
  if (count > TREND_MAX_SAMPLES) throw new RangeError(`A trend is sought in at most ${TREND_MAX_SAMPLES} samples.`);
  if (count < TREND_MIN_SAMPLES) return { verdict: 'not enough data', samples: count, needed: TREND_MIN_SAMPLES };
  const { score, slopes } = comparePairs(samples);
  const pairs = (count * (count - 1)) / 2;
  const valueTies = tiesOf(samples.map((one) => one.value));
  const timeTies = tiesOf(samples.map((one) => one.timeMs));
  const deviation = Math.sqrt(varianceOfScore(count, timeTies, valueTies));
  const z = score === 0 || deviation === 0 ? 0 : (score - Math.sign(score)) / deviation;
  const pValue = Math.min(1, 2 * normalTail(Math.abs(z)));
  const untied = (ties: readonly number[]) => pairs - sumOf(ties, (size) => (size * (size - 1)) / 2);
  const root = Math.sqrt(untied(timeTies) * untied(valueTies));
  const slopePerMs = slopes.length === 0 ? 0 : medianOf(slopes);
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const baseline = medianOf(samples.map((one) => one.value - slopePerMs * (one.timeMs - first.timeMs)));
  const verdict = pValue >= SIGNIFICANT || slopePerMs === 0 ? 'no trend' : score > 0 ? 'rising' : 'falling';
  return {
    verdict,
    window: { fromMs: first.timeMs, untilMs: last.timeMs, samples: count },
    slopePerHour: slopePerMs * 3_600_000,
    baseline,
    value: baseline + slopePerMs * (last.timeMs - first.timeMs),
    pValue,
    tau: root === 0 ? 0 : score / root,
  };
}

function comparePairs(samples: readonly Sample[]): { score: number; slopes: number[] } {
  let score = 0;
  const slopes: number[] = [];
  for (const [at, later] of samples.entries())
    for (let before = 0; before < at; before++) {
      const passedMs = later.timeMs - samples[before]!.timeMs;
      if (passedMs === 0) continue;
      const rise = later.value - samples[before]!.value;
      score += Math.sign(rise);
      slopes.push(rise / passedMs);
    }
  return { score, slopes };
}

/** Variance of Kendall's S where both times and values may be tied (Kendall 1970, chapter 4). */
function varianceOfScore(count: number, times: readonly number[], values: readonly number[]): number {
  const whole = (n: number) => n * (n - 1) * (2 * n + 5);
  const pairs = (n: number) => n * (n - 1);
  const triples = (n: number) => n * (n - 1) * (n - 2);
  return (
    (whole(count) - sumOf(times, whole) - sumOf(values, whole)) / 18 +
    (sumOf(times, triples) * sumOf(values, triples)) / (9 * triples(count)) +
    (sumOf(times, pairs) * sumOf(values, pairs)) / (2 * pairs(count))
  );
}

/** How often each value occurs that occurs more than once. */
function tiesOf(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > 1);
}

/** The median; of an even number of values, the mean of the middle two. */
export function medianOf(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function sumOf(values: readonly number[], of: (value: number) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0);
}

function isUsable({ timeMs, value }: Sample): boolean {
  return Number.isFinite(timeMs) && Number.isFinite(value);
}
