import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingWindow } from '../../src/rateLimits/slidingWindow.ts';

/** The definition, word for word: every admission is kept, and the window is counted anew each time. */
class Reference {
  readonly admitted: number[] = [];
  readonly windowMs: number;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  count(nowMs: number): number {
    return this.admitted.filter((timeMs) => timeMs + this.windowMs > nowMs).length;
  }
}

/** The most admissions in any window (t - windowMs, t]; the extreme ones end at an admission. */
function mostInAnyWindow(admitted: readonly number[], windowMs: number): number {
  let most = 0;
  let first = 0;
  for (const [index, timeMs] of admitted.entries()) {
    while (admitted[first]! + windowMs <= timeMs) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** Mulberry32: reproducible, and fast enough for a hundred thousand arrivals. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('SlidingWindow', () => {
  it('admits exactly what the definition admits, for limits it keeps exact', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 500 }),
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 400 }),
        (limit, windowMs, gapsMs) => {
          const window = new SlidingWindow(windowMs);
          const reference = new Reference(windowMs);
          let nowMs = 0;
          for (const gapMs of gapsMs) {
            nowMs += gapMs;
            const expected = reference.count(nowMs);
            expect(window.count(nowMs)).toBe(expected);
            expect(window.waitMs(nowMs, limit) === 0).toBe(expected < limit);
            if (expected < limit) {
              window.record(nowMs);
              reference.admitted.push(nowMs);
            }
          }
          expect(mostInAnyWindow(reference.admitted, windowMs)).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('says the first moment at which the nth call in line fits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 10 }),
        (limit, gapsMs, position) => {
          fc.pre(position <= limit);
          const window = new SlidingWindow(100);
          let nowMs = 0;
          for (const gapMs of gapsMs) {
            nowMs += gapMs;
            if (window.count(nowMs) < limit) window.record(nowMs);
          }
          const waitMs = window.waitMs(nowMs, limit, position);
          if (waitMs > 0) expect(window.count(nowMs + waitMs - 1)).toBeGreaterThan(limit - position);
          expect(window.count(nowMs + waitMs)).toBeLessThanOrEqual(limit - position);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('never passes a limit beyond its memory, and stays close below it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2_049, max: 20_000 }),
        fc.integer({ min: 2_000, max: 60_000 }),
        fc.double({ min: 0.1, max: 4, noNaN: true }),
        fc.integer({ min: 1 }),
        (limit, windowMs, load, seed) => {
          const random = seededRandom(seed);
          const window = new SlidingWindow(windowMs);
          const admitted: number[] = [];
          const gapMs = windowMs / (limit * load);
          let nowMs = 0;
          while (nowMs < 2.5 * windowMs) {
            nowMs += 2 * gapMs * random();
            if (window.waitMs(nowMs, limit) === 0) {
              window.record(nowMs);
              admitted.push(nowMs);
            }
          }
          const most = mostInAnyWindow(admitted, windowMs);
          expect(most).toBeLessThanOrEqual(limit);
          if (load > 1.5) expect(most).toBeGreaterThan(limit * 0.97);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps its memory bounded whatever is recorded', () => {
    const window = new SlidingWindow(86_400_000);
    for (let nowMs = 0; nowMs < 300_000; nowMs++) window.record(nowMs);
    expect(window.count(300_000)).toBe(300_000);
    // waitMs walks the runs: 300,000 of them would make these calls take seconds.
    for (let call = 0; call < 10_000; call++) window.waitMs(300_000, 300_000, 1 + (call % 300_000));
    expect(window.count(300_000 + 86_400_000 + 1_000)).toBe(0);
  });

  it('hands on what it knows, no later than it was', () => {
    const day = new SlidingWindow(86_400_000);
    // Enough distinct moments that the day's log has become coarse.
    for (let second = 0; second < 10_000; second++) day.record(second * 1_000);
    const nowMs = 10_000_000;
    const minute = new SlidingWindow(60_000);
    minute.seedFrom(day, nowMs);
    expect(minute.count(nowMs)).toBeGreaterThanOrEqual(59);
    expect(minute.waitMs(nowMs, 1)).toBeLessThanOrEqual(60_000);
    expect(minute.count(nowMs + 60_000)).toBe(0);
  });

  it('does not let more through when the limit is lowered and raised again', () => {
    const window = new SlidingWindow(1_000);
    for (let call = 0; call < 10; call++) window.record(call);
    expect(window.waitMs(10, 5)).toBe(1_005 - 10);
    expect(window.waitMs(10, 10)).toBe(1_000 - 10);
    expect(window.waitMs(10, 11)).toBe(0);
  });
});
