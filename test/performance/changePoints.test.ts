import { describe, expect, it } from 'vitest';
import { CHANGE_MAX_SAMPLES, type Changes, findChangePoints } from '../../src/performance/changePoints.ts';
import { seededNormal } from './support/syntheticSeries.ts';

const HOUR_MS = 3_600_000;

function changesOf(values: readonly number[]): Exclude<Changes, { verdict: 'not enough data' }> {
  const changes = findChangePoints(values.map((value, at) => ({ timeMs: at * HOUR_MS, value })));
  if (changes.verdict === 'not enough data') throw new Error('There is not enough data.');
  return changes;
}

const noisy = (seed: number, length: number, level: (at: number) => number, sigma = 10): number[] => {
  const normal = seededNormal(seed);
  return Array.from({ length }, (_, at) => level(at) + sigma * normal());
};

describe('change points', () => {
  it('are where the level changed, with the medians before and after', () => {
    const { verdict, changes } = changesOf(noisy(4, 336, (at) => (at < 120 ? 200 : at < 250 ? 260 : 200)));
    expect(verdict).toBe('changed');
    expect(changes).toHaveLength(2);
    const [first, second] = changes;
    expect(Math.abs(first!.atMs / HOUR_MS - 120)).toBeLessThanOrEqual(2);
    expect(Math.abs(second!.atMs / HOUR_MS - 250)).toBeLessThanOrEqual(2);
    expect(first!.baseline).toBeGreaterThan(195);
    expect(first!.baseline).toBeLessThan(205);
    expect(first!.value).toBeGreaterThan(255);
    expect(first!.value).toBeLessThan(265);
    expect(first!.after.untilMs).toBe(second!.before.untilMs);
    expect(first!.pValue).toBeLessThanOrEqual(0.001);
  });

  it('are found where only the spread changed', () => {
    const normal = seededNormal(8);
    const { changes } = changesOf(Array.from({ length: 400 }, (_, at) => 100 + (at < 200 ? 3 : 20) * normal()));
    expect(changes).toHaveLength(1);
    expect(Math.abs(changes[0]!.atMs / HOUR_MS - 200)).toBeLessThanOrEqual(15);
  });

  it('are hardly ever found where nothing changed', () => {
    let found = 0;
    for (let seed = 1; seed <= 200; seed++) found += changesOf(noisy(seed, 100, () => 50)).changes.length;
    expect(found).toBeLessThanOrEqual(2);
  });

  it('are not made by outliers, constants or few values', () => {
    expect(changesOf(noisy(6, 100, (at) => (at === 50 ? 1e6 : 100))).changes).toEqual([]);
    expect(changesOf(Array.from({ length: 100 }, () => 5))).toMatchObject({ verdict: 'steady', changes: [] });
    const few = Array.from({ length: 15 }, (_, at) => ({ timeMs: at, value: at < 8 ? 1 : 1_000 }));
    expect(findChangePoints(few)).toEqual({ verdict: 'not enough data', samples: 15, needed: 16 });
  });

  it('are the same at every run, in whatever order and scale the samples come', () => {
    const values = noisy(9, 200, (at) => (at < 90 ? 100 : 130));
    const samples = values.map((value, at) => ({ timeMs: at * HOUR_MS, value }));
    const changes = findChangePoints(samples);
    expect(findChangePoints(samples)).toEqual(changes);
    expect(findChangePoints(samples.toReversed())).toEqual(changes);
    const scaled = changesOf(values.map((value) => Math.exp(value / 50))).changes.map((one) => one.atMs);
    expect(scaled).toEqual(changesOf(values).changes.map((one) => one.atMs));
  });

  it('are not sought in more than can be searched in time', () => {
    expect(() => changesOf(Array.from({ length: CHANGE_MAX_SAMPLES + 1 }, (_, at) => at))).toThrow(RangeError);
  });
});
