import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moreFailures } from '../../../src/performance/tuning/moreFailures.ts';
import { compareSamples } from '../../../src/performance/tuning/rankSum.ts';

const sample = (maxLength: number) => fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength });

describe('the rank-sum test', () => {
  test('gives what all ways to split the values give', () => {
    fc.assert(
      fc.property(sample(5), sample(5), (before, after) => {
        const all = [...before, ...after];
        // Among equals half of each pair counts, which is the mean rank without its constant.
        const score = (chosen: readonly number[]) =>
          chosen.reduce((sum, at) => sum + all.reduce((below, other) => below + Math.sign(all[at]! - other), 0), 0);
        const observed = score(after.map((_, index) => before.length + index));
        const ways = choices(all.length, after.length).map(score);
        const { pHigher, pLower } = compareSamples(before, after);
        expect(pHigher).toBeCloseTo(ways.filter((one) => one >= observed).length / ways.length, 10);
        expect(pLower).toBeCloseTo(ways.filter((one) => one <= observed).length / ways.length, 10);
      }),
    );
  });

  test('knows the textbook: eight that are all above eight', () => {
    const { pHigher, ratio } = compareSamples([1, 2, 3, 4, 5, 6, 7, 8], [11, 12, 13, 14, 15, 16, 17, 18]);
    expect(pHigher).toBeCloseTo(1 / 12_870, 10);
    expect(ratio).toBeGreaterThan(2);
  });

  test('goes over into the normal distribution without a step', () => {
    const values = (count: number, shift: number) =>
      Array.from({ length: count }, (_, at) => 100 + ((at * 37) % 101) + shift);
    const exact = compareSamples(values(25, 0), values(25, 15)).pHigher;
    const normal = compareSamples(values(26, 0), values(26, 15)).pHigher;
    expect(Math.abs(exact - normal)).toBeLessThan(0.02);
    expect(compareSamples(Array(40).fill(3), Array(40).fill(3))).toEqual({ ratio: 1, pHigher: 1, pLower: 1 });
  });

  test('finds the ratio between two samples, whatever one outlier says', () => {
    const before = [10, 11, 12, 9, 10];
    expect(compareSamples(before, [...before.map((value) => 2 * value), 5_000]).ratio).toBeCloseTo(2, 0);
  });

  test('takes no empty samples and nothing that is not positive', () => {
    expect(() => compareSamples([], [1])).toThrow(RangeError);
    expect(() => compareSamples([1], [0])).toThrow(RangeError);
    expect(() => compareSamples([1], [Number.NaN])).toThrow(RangeError);
  });
});

describe('the test for more failures', () => {
  test('is Fisher’s: the lady who tells tea from milk', () => {
    expect(moreFailures({ count: 4, failed: 1 }, { count: 4, failed: 3 })).toBeCloseTo(17 / 70, 10);
    expect(moreFailures({ count: 4, failed: 0 }, { count: 4, failed: 4 })).toBeCloseTo(1 / 70, 10);
  });

  test('agrees with the sum of binomials, and both directions share what was observed', () => {
    const period = fc
      .integer({ min: 0, max: 40 })
      .chain((count) => fc.record({ count: fc.constant(count), failed: fc.integer({ min: 0, max: count }) }));
    fc.assert(
      fc.property(period, period, (before, after) => {
        const failed = before.failed + after.failed;
        const all = before.count + after.count;
        let sum = 0n;
        for (let inAfter = after.failed; inAfter <= failed; inAfter++)
          sum += choose(after.count, inAfter) * choose(before.count, failed - inAfter);
        expect(moreFailures(before, after)).toBeCloseTo(Number((sum * 10n ** 12n) / choose(all, failed)) / 1e12, 8);
      }),
    );
  });
});

function choices(count: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  const found: number[][] = [];
  for (let at = from; at <= count - size; at++)
    for (const rest of choices(count, size - 1, at + 1)) found.push([at, ...rest]);
  return found;
}

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let result = 1n;
  for (let at = 1; at <= k; at++) result = (result * BigInt(n - k + at)) / BigInt(at);
  return result;
}
