import type { SampleWindow } from '../trend.ts';
import type { PerformanceStatistics } from './statistics.ts';

/** A level that is higher by less is no degradation to anybody, however sure it is. */
const WORTH_A_WORD = 1.1;

/** Whether an integration has become slower and has stayed so. */
export type Degradation =
  | { readonly verdict: 'not enough data'; readonly samples: number; readonly needed: number }
  | { readonly verdict: 'steady' }
  | {
      readonly verdict: 'degraded';
      readonly series: 'hourly p95, ms' | 'hourly p99, ms';
      /** ISO 8601: the first hour of the new level. */
      readonly since: string;
      /** Medians before the change and now, and how many times as much that is. */
      readonly baseline: number;
      readonly value: number;
      readonly ratio: number;
      readonly pValue: number;
      readonly before: SampleWindow;
      readonly after: SampleWindow;
    };

/** The last change for the worse that the present level has not made good. The p95 is looked at first, then the p99. */
export function findDegradation({ p95, p99 }: PerformanceStatistics): Degradation {
  if (p95.verdict === 'not enough data') return p95;
  for (const [series, changes] of [
    ['hourly p95, ms', p95],
    ['hourly p99, ms', p99],
  ] as const) {
    if (changes.verdict === 'not enough data') continue;
    const now = changes.changes.at(-1);
    if (now === undefined) continue;
    const change = changes.changes.findLast(
      (one) => one.value > one.baseline && one.baseline > 0 && now.value >= WORTH_A_WORD * one.baseline,
    );
    if (change === undefined) continue;
    const { atMs, baseline, before, pValue } = change;
    const [value, ratio] = [now.value, now.value / baseline];
    return {
      verdict: 'degraded',
      series,
      since: new Date(atMs).toISOString(),
      baseline,
      value,
      ratio,
      pValue,
      before,
      after: now.after,
    };
  }
  return { verdict: 'steady' };
}
