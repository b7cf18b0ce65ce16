import type { Outcome } from '../../outgoing/types.ts';
import type { Database } from '../../store/database.ts';
import { Histogram } from '../histogram.ts';
import type { PhaseHistograms } from '../store/seriesBytes.ts';
import { readSeries, type SeriesBucket } from '../store/seriesQueries.ts';
import { bucketStart, type Phase, RESOLUTION_MS } from '../types.ts';

/** Everything that was measured of an integration between two minutes. */
export interface MeasuredWindow {
  readonly fromMs: number;
  /** Exclusive. */
  readonly untilMs: number;
  readonly buckets: readonly SeriesBucket[];
}

/**
 * Reads the minutes from `fromMs` on up to now: single minutes to the first full hour, then hours, so that a day costs
 * little to read and begins to the minute.
 */
export async function readWindow(
  database: Database,
  integrationId: string,
  fromMs: number,
  untilMs: number,
  phase?: Phase,
): Promise<MeasuredWindow> {
  const firstMs = bucketStart(fromMs, 'minute');
  const hourMs = Math.min(untilMs, bucketStart(firstMs + RESOLUTION_MS.hour - 1, 'hour'));
  const question = { integrationId, phase };
  const [minutes, hours] = await Promise.all([
    readSeries(database, { ...question, resolution: 'minute', fromMs: firstMs, untilMs: hourMs }),
    readSeries(database, { ...question, resolution: 'hour', fromMs: hourMs, untilMs }),
  ]);
  return { fromMs: firstMs, untilMs, buckets: [...minutes, ...hours] };
}

/** Counts and histograms added up. */
export interface MeasuredTotals {
  calls: number;
  failed: number;
  throttled: number;
  totalMs: number;
  responseBytes: number;
  readonly phases: PhaseHistograms;
}

export function totalsOf(buckets: readonly SeriesBucket[]): MeasuredTotals {
  const totals: MeasuredTotals = {
    calls: 0,
    failed: 0,
    throttled: 0,
    totalMs: 0,
    responseBytes: 0,
    phases: new Map(),
  };
  for (const { outcome, calls, totalMs, responseBytes, phases } of buckets) {
    totals.calls += calls;
    if (outcome !== 'success') totals.failed += calls;
    if (outcome === THROTTLED) totals.throttled += calls;
    totals.totalMs += totalMs;
    totals.responseBytes += responseBytes;
    for (const [phase, histogram] of phases) {
      let into = totals.phases.get(phase);
      if (into === undefined) {
        into = new Histogram();
        totals.phases.set(phase, into);
      }
      into.merge(histogram);
    }
  }
  return totals;
}

const THROTTLED: Outcome = 'rate_limited';
