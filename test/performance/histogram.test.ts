import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.ts';
import { bucketOf, Histogram, RELATIVE_ERROR } from '../../src/performance/histogram.ts';
import { decodeHistogram, encodeHistogram } from '../../src/performance/histogramBytes.ts';
import { seededNormal } from './support/syntheticSeries.ts';

/** Within the range that keeps values apart, over many magnitudes; integers, so that sums are exact in any order. */
const anyValue = fc.oneof(
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.integer({ min: 0, max: 40 }).map((power) => 2 ** power),
);
const anyValues = fc.array(anyValue, { maxLength: 500 });

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function mergeOf(...histograms: readonly Histogram[]): Histogram {
  const merged = new Histogram();
  for (const one of histograms) merged.merge(one);
  return merged;
}

const bytesOf = (histogram: Histogram) => Buffer.from(encodeHistogram(histogram)).toString('hex');

test('every quantile is within the error bound of the exact one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 2 ** -19, max: 2 ** 43, noNaN: true }), { minLength: 1, maxLength: 500 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, q) => {
        const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1]!;
        const estimate = histogramOf(values).quantile(q)!;
        expect(Math.abs(estimate - exact) / exact).toBeLessThanOrEqual(RELATIVE_ERROR + 1e-12);
      },
    ),
  );
  expect(RELATIVE_ERROR).toBeLessThanOrEqual(0.011);
});

test('a value lies in the bucket whose bounds hold it', () => {
  const check = (value: number) => {
    const index = bucketOf(value);
    expect(value > 2 ** (index / 32) * (1 - 1e-15)).toBe(true);
    expect(value <= 2 ** ((index + 1) / 32) * (1 + 1e-15)).toBe(true);
  };
  fc.assert(fc.property(fc.double({ min: 2 ** -19, max: 2 ** 43, noNaN: true }), check));
  for (let index = -600; index < 1_300; index++) check(2 ** (index / 32));
  // Upper bounds are inclusive, as in OpenTelemetry.
  expect([0.5, 1, 2, 4].map(bucketOf)).toEqual([-33, -1, 31, 63]);
});

describe('merging', () => {
  it('equals recording everything in one', () => {
    fc.assert(
      fc.property(anyValues, anyValues, (a, b) => {
        expect(bytesOf(mergeOf(histogramOf(a), histogramOf(b)))).toBe(bytesOf(histogramOf([...a, ...b])));
      }),
    );
  });

  it('is commutative and associative', () => {
    fc.assert(
      fc.property(anyValues, anyValues, anyValues, (...values) => {
        const [a, b, c] = values.map(histogramOf) as [Histogram, Histogram, Histogram];
        expect(bytesOf(mergeOf(a, b))).toBe(bytesOf(mergeOf(b, a)));
        expect(bytesOf(mergeOf(mergeOf(a, b), c))).toBe(bytesOf(mergeOf(a, mergeOf(b, c))));
      }),
    );
  });

  it('with itself doubles it', () => {
    const histogram = histogramOf([0, 1, 5, 1_000]);
    histogram.merge(histogram);
    expect(bytesOf(histogram)).toBe(bytesOf(histogramOf([0, 1, 5, 1_000, 0, 1, 5, 1_000])));
  });
});

describe('the binary form', () => {
  it('gives the same histogram back', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true, max: 1e300 })), (values) => {
        const histogram = histogramOf(values);
        const back = decodeHistogram(encodeHistogram(histogram));
        expect(bytesOf(back)).toBe(bytesOf(histogram));
        expect([back.count, back.sum, back.min, back.max]).toEqual([
          histogram.count,
          histogram.sum,
          histogram.min,
          histogram.max,
        ]);
        for (const q of [0, 0.5, 0.95, 0.99, 1]) expect(back.quantile(q)).toBe(histogram.quantile(q));
      }),
    );
  });

  it('reads any bytes as a histogram, or refuses them', () => {
    const read = (bytes: Uint8Array) => {
      try {
        decodeHistogram(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInputError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), read));
    const whole = encodeHistogram(histogramOf([1, 2, 3, 500]));
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), (at, byte) => read(whole.with(at, byte))),
    );
    for (let length = 0; length <= 25; length++)
      expect(() => decodeHistogram(whole.subarray(0, length))).toThrow(InvalidInputError);
  });

  it('takes at most 1 KB for a minute of 100,000 log-normal latencies', () => {
    const normal = seededNormal(5);
    const histogram = histogramOf(Array.from({ length: 100_000 }, () => 80 * Math.exp(0.6 * normal())));
    expect(encodeHistogram(histogram).length).toBeLessThanOrEqual(1024);
  });

  it('has a bounded size, whatever is recorded', () => {
    const histogram = new Histogram();
    for (let power = -1_074; power < 1_023; power += 0.01) histogram.record(2 ** power);
    expect(histogram.parts().counts.length).toBeLessThanOrEqual(2_048);
    expect(encodeHistogram(histogram).length).toBeLessThan(2 * 2_048 + 40);
  });
});

test('values outside of the range are kept as the nearest that is in it', () => {
  const histogram = histogramOf([0, 1e-300, 1e300]);
  expect([histogram.count, histogram.min, histogram.max]).toEqual([3, 0, 1e300]);
  expect(histogram.parts()).toMatchObject({ zeros: 2 });
  expect(new Histogram().quantile(0.5)).toBeNull();
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('%s is refused, and changes nothing', (value) => {
  const histogram = histogramOf([1]);
  expect(() => histogram.record(value)).toThrow(InvalidInputError);
  expect(bytesOf(histogram)).toBe(bytesOf(histogramOf([1])));
});

test.each([-0.1, 1.1, Number.NaN])('there is no quantile %s', (q) => {
  expect(() => histogramOf([1]).quantile(q)).toThrow(RangeError);
});
