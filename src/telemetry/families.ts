import type { Histogram, HistogramParts } from '../performance/histogram.ts';

export type Labels = Readonly<Record<string, string>>;

export interface NumberSample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  readonly count: number;
  readonly sum: number;
  /** Upper bounds and how many values do not exceed them, ascending; the bound +Inf, whose count is `count`, is not listed. */
  readonly buckets: readonly (readonly [upperBound: number, count: number])[];
  /** Exponential buckets of schema 5; null where only the classic ones are known. */
  readonly native: HistogramParts | null;
}

interface Described {
  /** As Prometheus names it: with the unit, and `_total` for a counter. */
  readonly name: string;
  readonly help: string;
}

export interface NumberFamily extends Described {
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly NumberSample[];
}

export interface HistogramFamily extends Described {
  readonly type: 'histogram';
  readonly samples: readonly HistogramSample[];
}

/** A metric and its series, as all formats need it. */
export type Family = NumberFamily | HistogramFamily;

/** Bounds of exponential buckets are powers of 2^(1/32), so these classic counts are exact: from 4 ms to 4 minutes. */
const CLASSIC_EXPONENTS = Array.from({ length: 17 }, (_, index) => index - 8);
const BUCKETS_PER_OCTAVE = 32;

export function counter(name: string, help: string, samples: readonly NumberSample[] | number): NumberFamily {
  return { name, help, type: 'counter', samples: asSamples(samples) };
}

export function gauge(name: string, help: string, samples: readonly NumberSample[] | number): NumberFamily {
  return { name, help, type: 'gauge', samples: asSamples(samples) };
}

export function histogram(name: string, help: string, samples: readonly HistogramSample[]): HistogramFamily {
  return { name, help, type: 'histogram', samples };
}

/** What a histogram of seconds holds now. */
export function histogramSample(labels: Labels, of: Histogram): HistogramSample {
  const { counts, ...rest } = of.parts();
  // A copy: the view is good until the next record.
  const native = { ...rest, counts: Float64Array.from(counts) };
  return { labels, count: of.count, sum: of.sum, buckets: classicBuckets(native), native };
}

function classicBuckets({ zeros, firstIndex, counts }: HistogramParts): [number, number][] {
  let seen = zeros;
  let at = 0;
  return CLASSIC_EXPONENTS.map((exponent) => {
    for (; at < counts.length && firstIndex + at < exponent * BUCKETS_PER_OCTAVE; at++) seen += counts[at]!;
    return [2 ** exponent, seen];
  });
}

function asSamples(samples: readonly NumberSample[] | number): readonly NumberSample[] {
  return typeof samples === 'number' ? [{ labels: {}, value: samples }] : samples;
}
