import { InvalidInputError } from '../core/errors.ts';

/** Buckets an octave: scale 5 of OpenTelemetry's exponential histogram, base 2^(1/32). */
const BUCKETS_PER_OCTAVE = 32;
/** Values are kept apart from 2^-20 (a nanosecond, in milliseconds) to 2^44; outside they count as zero or as 2^44. */
const LOWEST_OCTAVE = -20;
const HIGHEST_OCTAVE = 44;
export const LOWEST_INDEX = LOWEST_OCTAVE * BUCKETS_PER_OCTAVE;
export const HIGHEST_INDEX = HIGHEST_OCTAVE * BUCKETS_PER_OCTAVE - 1;
const LOWEST_VALUE = 2 ** LOWEST_OCTAVE;
const GROWTH = 64;
/** Mantissas are looked up by their first eleven bits. */
const TABLE_BITS = 11;

/** How far a quantile can be from the true one: (b − 1) / (b + 1) for the base b, that is 1.083 %. */
export const RELATIVE_ERROR = (2 ** (1 / BUCKETS_PER_OCTAVE) - 1) / (2 ** (1 / BUCKETS_PER_OCTAVE) + 1);

const [BOUNDARIES, FIRST_GUESS] = makeTables();
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const HIGH_WORD = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** What a histogram holds, as the binary form and OpenTelemetry need it. */
export interface HistogramParts {
  readonly zeros: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Index of the first count; bucket i holds values in (2^(i/32), 2^((i+1)/32)]. */
  readonly firstIndex: number;
  readonly counts: ArrayLike<number>;
}

/**
 * A histogram of non-negative numbers (durations in milliseconds, sizes in bytes) with relative error: any quantile is
 * within 1.083 % of the true one, from 2^-20 to 2^44. Histograms merge by addition, in any order, with the same result.
 * Its buckets are those of OpenTelemetry's exponential histogram and of Prometheus' native histogram at scale (schema)
 * 5. It never holds more than 2,049 counts.
 */
export class Histogram {
  #counts = new Float64Array(0);
  #firstIndex = 0;
  #zeros = 0;
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** @throws InvalidInputError the parts contradict each other */
  static of(parts: HistogramParts): Histogram {
    const histogram = new Histogram();
    histogram.#addParts(parts);
    return histogram;
  }

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  /** The smallest value recorded; Infinity when there is none. */
  get min(): number {
    return this.#min;
  }

  /** The largest value recorded; -Infinity when there is none. */
  get max(): number {
    return this.#max;
  }

  /** @throws InvalidInputError the value is negative, infinite or no number */
  record(value: number): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw notRecordable(value);
    this.#count++;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    if (value <= LOWEST_VALUE) this.#zeros++;
    else {
      const index = bucketOf(value);
      let at = index - this.#firstIndex;
      if (!(at >= 0 && at < this.#counts.length)) at = this.#makeRoom(index, index);
      this.#counts[at]!++;
    }
  }

  /** Adds everything that `other` holds. */
  merge(other: Histogram): void {
    this.#addParts(other.parts());
  }

  /** The same of contents that no histogram was made of. They must not contradict each other. */
  mergeParts(parts: HistogramParts): void {
    this.#addParts(parts);
  }

  /**
   * The value that a share `q` of all values does not exceed, within RELATIVE_ERROR of the true one (the value of rank
   * ceil(q · count)); null when nothing was recorded. Exact for q = 0 and q = 1.
   * @throws RangeError q is not between 0 and 1
   */
  quantile(q: number): number | null {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`A quantile lies between 0 and 1, not at ${q}.`);
    if (this.#count === 0) return null;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    if (q === 0 || rank <= 1) return this.#min;
    if (rank >= this.#count) return this.#max;
    let seen = this.#zeros;
    if (rank <= seen) return this.#min;
    for (let at = 0; at < this.#counts.length; at++) {
      seen += this.#counts[at]!;
      if (rank <= seen) return Math.max(this.#min, Math.min(this.#max, middleOf(this.#firstIndex + at)));
    }
    return this.#max;
  }

  /** A view of the contents, without empty buckets at the ends; good until the next change. */
  parts(): HistogramParts {
    let start = 0;
    let end = this.#counts.length;
    while (start < end && this.#counts[start] === 0) start++;
    while (end > start && this.#counts[end - 1] === 0) end--;
    const counts = this.#counts.subarray(start, end);
    const firstIndex = counts.length === 0 ? 0 : this.#firstIndex + start;
    return { zeros: this.#zeros, sum: this.#sum, min: this.#min, max: this.#max, firstIndex, counts };
  }

  #addParts({ zeros, sum, min, max, firstIndex, counts }: HistogramParts): void {
    this.#zeros += zeros;
    this.#count += zeros;
    this.#sum += sum;
    this.#min = Math.min(this.#min, min);
    this.#max = Math.max(this.#max, max);
    if (counts.length === 0) return;
    const at = this.#makeRoom(firstIndex, firstIndex + counts.length - 1);
    for (let offset = 0; offset < counts.length; offset++) {
      this.#counts[at + offset]! += counts[offset]!;
      this.#count += counts[offset]!;
    }
  }

  /** Makes the buckets reach from `lowest` to `highest`, and returns where `lowest` is. */
  #makeRoom(lowest: number, highest: number): number {
    const have = this.#counts.length;
    const from = have === 0 ? lowest : Math.min(lowest, this.#firstIndex);
    const to = have === 0 ? highest : Math.max(highest, this.#firstIndex + have - 1);
    const isThere = have > 0 && from === this.#firstIndex && to === this.#firstIndex + have - 1;
    if (!isThere) {
      const first = Math.max(LOWEST_INDEX, Math.floor(from / GROWTH) * GROWTH);
      const last = Math.min(HIGHEST_INDEX, Math.ceil((to + 1) / GROWTH) * GROWTH - 1);
      const grown = new Float64Array(last - first + 1);
      if (have > 0) grown.set(this.#counts, this.#firstIndex - first);
      this.#counts = grown;
      this.#firstIndex = first;
    }
    return lowest - this.#firstIndex;
  }
}

/** The bucket of a value above LOWEST_VALUE. Exact: it reads the exponent, and compares the mantissa with the bounds. */
export function bucketOf(value: number): number {
  float[0] = value;
  const high = words[HIGH_WORD]!;
  const octave = (high >>> 20) - 1023;
  if (octave >= HIGHEST_OCTAVE) return HIGHEST_INDEX;
  words[HIGH_WORD] = (high & 0xfffff) | 0x3ff00000;
  const mantissa = float[0]!;
  let part = FIRST_GUESS[(high & 0xfffff) >>> (20 - TABLE_BITS)]!;
  // A cell of the table holds at most one bound.
  if (mantissa > BOUNDARIES[part]!) part++;
  return octave * BUCKETS_PER_OCTAVE + part - 1;
}

/** The value whose relative distance to both bounds of the bucket is the same. */
function middleOf(index: number): number {
  const lower = 2 ** (index / BUCKETS_PER_OCTAVE);
  const upper = 2 ** ((index + 1) / BUCKETS_PER_OCTAVE);
  return (2 * lower * upper) / (lower + upper);
}

function makeTables(): [boundaries: Float64Array, firstGuess: Uint8Array] {
  const boundaries = Float64Array.from(
    { length: BUCKETS_PER_OCTAVE + 1 },
    (_, part) => 2 ** (part / BUCKETS_PER_OCTAVE),
  );
  const firstGuess = Uint8Array.from({ length: 2 ** TABLE_BITS }, (_, cell) => {
    const start = 1 + cell / 2 ** TABLE_BITS;
    return boundaries.findIndex((bound) => bound >= start);
  });
  return [boundaries, firstGuess];
}

function notRecordable(value: number): InvalidInputError {
  const detail = 'has to be a finite number of at least 0';
  return new InvalidInputError(`A histogram cannot record ${value}: it ${detail}.`, [{ pointer: '', detail }]);
}
