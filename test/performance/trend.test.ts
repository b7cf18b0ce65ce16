import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { normalTail } from '../../src/performance/normalTail.ts';
import { findTrend, type Sample, TREND_MAX_SAMPLES, type Trend } from '../../src/performance/trend.ts';
import { seededNormal } from './support/syntheticSeries.ts';

const HOUR_MS = 3_600_000;
const hourly = (values: readonly number[]): Sample[] => values.map((value, at) => ({ timeMs: at * HOUR_MS, value }));

function known(values: readonly number[]): Exclude<Trend, { verdict: 'not enough data' }> {
  const trend = findTrend(hourly(values));
  if (trend.verdict === 'not enough data') throw new Error('There is not enough data.');
  return trend;
}

test('the tail of the normal distribution has the published values', () => {
  for (const [z, tail] of [
    [0, 0.5],
    [1, 0.158655253931457],
    [1.959963984540054, 0.025],
    [2.999999, 0.00134990246],
    [3, 0.001349898031630095],
    [5, 2.866515718791939e-7],
    [10, 7.619853024160527e-24],
  ])
    expect(normalTail(z!) / tail! - 1).toBeCloseTo(0, 7);
});

describe('a trend', () => {
  it('is found in noise, with its slope', () => {
    const normal = seededNormal(2);
    const trend = known(Array.from({ length: 168 }, (_, at) => 200 + 0.5 * at + 10 * normal()));
    expect(trend.verdict).toBe('rising');
    expect(trend.slopePerHour).toBeGreaterThan(0.4);
    expect(trend.slopePerHour).toBeLessThan(0.6);
    expect(trend.pValue).toBeLessThan(1e-6);
    expect(trend.value - trend.baseline).toBeCloseTo(167 * trend.slopePerHour, 6);
    expect(trend.window).toEqual({ fromMs: 0, untilMs: 167 * HOUR_MS, samples: 168 });
  });

  it('is found rarely where there is none: in about 1 of 100 series', () => {
    let found = 0;
    for (let seed = 1; seed <= 500; seed++) {
      const normal = seededNormal(seed);
      if (known(Array.from({ length: 60 }, normal)).verdict !== 'no trend') found++;
    }
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThan(13);
  });

  it('hardly moves with outliers', () => {
    const values = Array.from({ length: 60 }, (_, at) => 100 + at);
    expect(known(values.with(10, 1e9).with(30, -1e9)).slopePerHour).toBeCloseTo(1, 6);
  });

  // By hand, with one tie of two values and one of three.
  it('has the p-value of the published formula where values are tied', () => {
    const values = [1, 1, 4, 3, 3, 3, 5, 2, 7, 6];
    let score = 0;
    for (let a = 0; a < 10; a++) for (let b = a + 1; b < 10; b++) score += Math.sign(values[b]! - values[a]!);
    const z = (score - 1) / Math.sqrt((10 * 9 * 25 - 2 * 1 * 9 - 3 * 2 * 11) / 18);
    expect(known(values).pValue).toBeCloseTo(2 * normalTail(z), 12);
  });

  it('turns around with the values', () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(values, (some) => {
        const [up, down] = [known(some), known(some.map((value) => -value))];
        expect(down.slopePerHour + up.slopePerHour).toBeCloseTo(0, 9);
        expect(down.tau + up.tau).toBeCloseTo(0, 9);
        expect(down.pValue).toBeCloseTo(up.pValue, 9);
        expect(up.pValue >= 0 && up.pValue <= 1 && Math.abs(up.tau) <= 1).toBe(true);
      }),
    );
  });

  it('of equal values is none', () => {
    expect(known(Array.from({ length: 30 }, () => 7))).toMatchObject({ verdict: 'no trend', pValue: 1, tau: 0 });
  });

  it('needs ten samples, and takes no more than it can', () => {
    const samples = hourly([1, 2, 3, 4, 5, 6, 7, 8, 9, Number.NaN]);
    expect(findTrend(samples)).toEqual({ verdict: 'not enough data', samples: 9, needed: 10 });
    expect(() => findTrend(hourly(Array.from({ length: TREND_MAX_SAMPLES + 1 }, (_, at) => at)))).toThrow(RangeError);
  });
});
