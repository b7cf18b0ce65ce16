import type { StateIo } from './stateBytes.ts';

/** Periods after which half of what a bucket remembers is new. */
const MEMORY_PERIODS = 3;
/** Visits of a bucket from which on its mean is believed. */
const VISITS_TO_BELIEVE = 2;
/** Points after which half of the remembered error is new. */
const ERROR_HALF_LIFE = 1_000;

/** The usual course of a series over one period, as a mean for each part of it. */
export class SeasonalProfile {
  readonly #periodMs: number;
  readonly #means: Float64Array;
  readonly #visits: Float64Array;
  #judged = 0;
  /** Mean absolute deviation of the series from this profile; infinite until it has been judged. */
  error = Number.POSITIVE_INFINITY;

  constructor(periodMs: number, buckets: number) {
    this.#periodMs = periodMs;
    this.#means = new Float64Array(buckets);
    this.#visits = new Float64Array(buckets);
  }

  /** What is usual at this time, or null while it has not come round twice. */
  expected(timeMs: number): number | null {
    const bucket = this.#bucket(timeMs);
    return this.#visits[bucket]! >= VISITS_TO_BELIEVE ? this.#means[bucket]! : null;
  }

  update(timeMs: number, value: number, intervalMs: number): void {
    const expected = this.expected(timeMs);
    if (expected !== null) {
      const deviation = Math.abs(value - expected);
      this.#judged++;
      if (this.#judged === 1) this.error = deviation;
      else this.error += Math.max(1 - 2 ** (-1 / ERROR_HALF_LIFE), 1 / this.#judged) * (deviation - this.error);
    }
    const bucket = this.#bucket(timeMs);
    const pointsPerVisit = Math.max(1, this.#periodMs / intervalMs / this.#means.length);
    this.#visits[bucket]! += 1 / pointsPerVisit;
    const points = this.#visits[bucket]! * pointsPerVisit;
    const share = Math.max(1 - 2 ** (-1 / (MEMORY_PERIODS * pointsPerVisit)), 1 / points);
    this.#means[bucket]! += share * (value - this.#means[bucket]!);
  }

  /** Writes or reads what it remembers. */
  walk(io: StateIo): void {
    io.doubles(this.#means);
    io.doubles(this.#visits);
    this.#judged = io.number(this.#judged);
    this.error = io.number(this.error);
  }

  #bucket(timeMs: number): number {
    const phase = timeMs / this.#periodMs;
    return Math.floor((phase - Math.floor(phase)) * this.#means.length);
  }
}
