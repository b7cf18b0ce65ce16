import { Histogram } from '../histogram.ts';
import type { Phase, SeriesKey } from '../types.ts';
import type { PhaseHistograms } from './seriesBytes.ts';

/** What one process has measured of one series in one minute. It is written whole each time it has changed. */
export class SeriesCell {
  readonly key: SeriesKey;
  /** Start of the minute, epoch milliseconds. */
  readonly bucketMs: number;
  /** Names the row: a series that was let go of in the middle of a minute goes on in another one. */
  readonly part: string;
  readonly phases: PhaseHistograms = new Map();
  calls = 0;
  responseBytes = 0;
  /** Something is not written yet. */
  isDirty = false;

  constructor(key: SeriesKey, bucketMs: number, part: string) {
    this.key = key;
    this.bucketMs = bucketMs;
    this.part = part;
  }

  get totalMs(): number {
    return this.phases.get('total')?.sum ?? 0;
  }

  record(phase: Phase, durationMs: number): void {
    let histogram = this.phases.get(phase);
    if (histogram === undefined) {
      histogram = new Histogram();
      this.phases.set(phase, histogram);
    }
    histogram.record(durationMs);
  }
}
