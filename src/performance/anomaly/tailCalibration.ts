import type { StateIo } from './stateBytes.ts';

/** Bins an octave: neighbouring bins are 12 % apart. */
const BINS_PER_OCTAVE = 6;
/** Statistics below this share of their own scale are all alike. */
const SMALLEST_LOG2 = -2;
const BINS = 128;
/** Points remembered before the counts are halved, so that old behaviour fades and sums stay exact. */
const MAX_WEIGHT = 16_384;
/** Beyond everything seen, the tail is taken to fall as the statistic to the power −TAIL_EXPONENT (a Pareto tail). */
const TAIL_EXPONENT = 5;
const LARGEST_SURPRISE = 9;
/** No bin: there was no point yet. */
const NOTHING = 255;

/**
 * Turns a statistic of whatever distribution into a surprise: −log10 of the share of points so far that were at least
 * as large, between 0 and 9. It remembers a histogram with logarithmic bins, 512 bytes, and counts one side only: give
 * it magnitudes. A series that spikes every hour has many large statistics in its history and is surprised by none of
 * them.
 */
export class TailCalibration {
  readonly #counts = new Float32Array(BINS);
  /** Bins of the last points, which are not counted yet. */
  readonly #recent: Uint8Array;
  #at = 0;
  #weight = 0;
  #highest = 0;

  /** A point is counted `lagPoints` after it was observed. */
  constructor(lagPoints: number) {
    this.#recent = new Uint8Array(lagPoints).fill(NOTHING);
  }

  /** The surprise of `magnitude` against what was seen before it; then remembers it. */
  observe(magnitude: number): number {
    const position = positionOf(magnitude);
    const surprise = this.#surprise(position);
    const bin = Math.floor(position);
    this.#learn(this.#recent[this.#at]!);
    this.#recent[this.#at] = bin;
    this.#at = (this.#at + 1) % this.#recent.length;
    return surprise;
  }

  /** Writes or reads what it remembers. */
  walk(io: StateIo): void {
    io.counts(this.#counts);
    io.bytes(this.#recent);
    this.#at = io.number(this.#at);
    this.#weight = io.number(this.#weight);
    this.#highest = io.number(this.#highest);
  }

  #learn(bin: number): void {
    if (bin === NOTHING) return;
    if (this.#weight >= MAX_WEIGHT) this.#fade();
    this.#counts[bin]!++;
    this.#weight++;
    if (bin > this.#highest) this.#highest = bin;
  }

  #surprise(position: number): number {
    const bin = Math.floor(position);
    // Within its own bin, the points are taken to lie evenly.
    let above = this.#counts[bin]! * (1 - (position - bin));
    for (let higher = this.#highest; higher > bin; higher--) above += this.#counts[higher]!;
    const decades = Math.log10((this.#weight + 1) / (above + 0.5));
    if (above >= 0.5) return Math.min(LARGEST_SURPRISE, decades);
    const octaves = Math.max(0, position - this.#highestBelow(bin) - 1) / BINS_PER_OCTAVE;
    return Math.min(LARGEST_SURPRISE, decades + octaves * TAIL_EXPONENT * Math.LOG10E * Math.LN2);
  }

  #highestBelow(bin: number): number {
    let highest = bin;
    while (highest > 0 && this.#counts[highest]! < 0.05) highest--;
    return highest;
  }

  #fade(): void {
    for (let bin = 0; bin < BINS; bin++) this.#counts[bin]! /= 2;
    this.#weight /= 2;
  }
}

function positionOf(magnitude: number): number {
  if (!(magnitude > 0)) return 0;
  const position = (Math.log2(magnitude) - SMALLEST_LOG2) * BINS_PER_OCTAVE + 1;
  return Math.max(0, Math.min(BINS - 1, position));
}
