import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LimitRule } from '../../src/rateLimits/limitRule.ts';
import { MemoryLimitStore } from '../../src/rateLimits/memoryLimitStore.ts';
import { anyCalls, anyRule } from './support/arbitraries.ts';
import { type Admitted, excess } from './support/bounds.ts';
import { JumpingClock } from './support/jumpingClock.ts';
import { describeLimitStore } from './support/limitStoreContract.ts';

const perSecond: LimitRule = { strategy: 'token_bucket', limit: 1, windowMs: 1_000, capacity: 1 };

describeLimitStore(
  'memory',
  async (clock) => {
    const store = new MemoryLimitStore({ clock });
    return {
      take: async (limits, cost) => store.take(limits, cost),
      charge: async (limits, cost) => store.charge(limits, cost),
      close: async () => {},
    };
  },
  2_000,
);

describe('MemoryLimitStore', () => {
  it('is not changed by calls that it refuses', () => {
    fc.assert(
      fc.property(anyRule, anyCalls, (rule, calls) => {
        const clock = new JumpingClock();
        const store = new MemoryLimitStore({ clock });
        const twin = new MemoryLimitStore({ clock });
        const limits = [{ key: 'key', rule }];
        for (const { moveMs, cost } of calls) {
          clock.move(Math.abs(moveMs));
          const answer = store.take(limits, cost);
          // The twin is asked only for what is granted.
          if (answer.granted > 0) expect(twin.take(limits, cost).granted).toBe(cost);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('forgets keys that were idle for a second, and no others', () => {
    const clock = new JumpingClock();
    const store = new MemoryLimitStore({ clock });
    for (let key = 0; key < 1_000; key++) store.take([{ key: `a${key}`, rule: perSecond }], 1);
    clock.move(1_999);
    store.forgetIdle(2_000);
    expect(store.size).toBe(1_000);
    clock.move(2);
    // One round ends where the last began.
    store.forgetIdle(2_000);
    store.forgetIdle(2_000);
    expect(store.size).toBe(0);
  });

  it('bounds its keys, and lets those beyond share, which passes no limit', () => {
    fc.assert(
      fc.property(anyRule, anyCalls, (rule, calls) => {
        const clock = new JumpingClock();
        const store = new MemoryLimitStore({ clock, maxKeys: 2 });
        const logs = new Map<string, Admitted[]>();
        for (const [index, { moveMs, cost }] of calls.entries()) {
          clock.move(Math.abs(moveMs));
          const key = `key ${index % 7}`;
          const { granted } = store.take([{ key, rule }], cost);
          if (granted > 0) logs.set(key, [...(logs.get(key) ?? []), { atMs: clock.travelledMs, cost }]);
        }
        for (const log of logs.values()) expect(excess(log, rule)).toBeLessThanOrEqual(0);
        expect(store.size).toBeLessThanOrEqual(2 + 7);
      }),
      { numRuns: 500 },
    );
    const store = new MemoryLimitStore({ clock: new JumpingClock(), maxKeys: 100 });
    for (let key = 0; key < 20_000; key++) store.take([{ key: `${key}`, rule: perSecond }], 1);
    expect(store.size).toBeLessThanOrEqual(100 + 1_024);
    expect(store.shared).toBe(20_000 - 100);
  });

  it('keeps a busy sliding window exact over fractions of a millisecond, and bounded', () => {
    const clock = new JumpingClock();
    const store = new MemoryLimitStore({ clock });
    const rule: LimitRule = { strategy: 'sliding_window', limit: 1_000, windowMs: 1_000, capacity: 1_000 };
    const log: Admitted[] = [];
    for (let call = 0; call < 20_000; call++) {
      clock.move(0.25);
      if (store.take([{ key: 'key', rule }], 1).granted > 0) log.push({ atMs: clock.travelledMs, cost: 1 });
    }
    expect(excess(log, rule)).toBeLessThanOrEqual(0);
    expect(log.length).toBeGreaterThan(4_900);
  });
});
