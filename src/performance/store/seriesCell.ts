import { Histogram } from '../histogram.ts';
import { PHASE_AT, PHASES, type SeriesKey } from '../types.ts';
import type { PhaseHistograms } from './seriesBytes.ts';

/** What one process has measured of one series in one minute. It is written whole each time it has changed. */
export class SeriesCell {
  readonly key: SeriesKey;
  /** Start of the minute, epoch milliseconds. */
  readonly bucketMs: number;
  /** Names the row: a series that was let go of in the middle of a minute goes on in another one. */
  readonly part: string;
  /** By the places in PHASES. */
  readonly #histograms: (Histogram | null)[] = PHASES.map(() => null);
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
    return this.#histograms[PHASE_AT.total]?.sum ?? 0;
  }

  get phases(): PhaseHistograms {
    const phases: PhaseHistograms = new Map();
    for (const [at, histogram] of this.#histograms.entries())
      if (histogram !== null) phases.set(PHASES[at]!, histogram);
    return phases;
  }

  /** @param phaseAt its place in PHASES: this is done some times for every call, and a name takes longer to find */
  record(phaseAt: number, durationMs: number): void {
    let histogram = this.#histograms[phaseAt]!;
    if (histogram === null) {
      histogram = new Histogram();
      this.#histograms[phaseAt] = histogram;
    }
    histogram.record(durationMs);
  }
}
