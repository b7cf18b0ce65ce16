import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Limit, LimitRule, TakeAnswer } from '../../../src/rateLimits/limitRule.ts';
import { MemoryLimitStore } from '../../../src/rateLimits/memoryLimitStore.ts';
import { anyCalls, anyRule } from './arbitraries.ts';
import { type Admitted, excess } from './bounds.ts';
import { JumpingClock } from './jumpingClock.ts';

export interface StoreUnderTest {
  take(limits: readonly Limit[], cost: number): Promise<TakeAnswer>;
  charge(limits: readonly Limit[], cost: number): Promise<void>;
  close(): Promise<void>;
}

const rule = (strategy: LimitRule['strategy'], limit: number, windowMs: number, capacity = limit): LimitRule => ({
  strategy,
  limit,
  windowMs,
  capacity,
});

let keys = 0;
const newKey = () => `contract/${process.pid}/${keys++}`;

/** What every store of limits does. `runs`: how many random histories are tried; asking a server takes longer. */
export function describeLimitStore(
  name: string,
  open: (clock: JumpingClock) => Promise<StoreUnderTest>,
  runs: number,
): void {
  describe(`limits kept in ${name}`, () => {
    const clock = new JumpingClock();
    let store: StoreUnderTest;
    beforeAll(async () => {
      store = await open(clock);
    });
    afterAll(() => store?.close());

    it('admits up to the limit, then says when the next call fits, and admits it then', async () => {
      for (const strategy of ['fixed_window', 'sliding_window', 'token_bucket'] as const) {
        const limits = [{ key: newKey(), rule: rule(strategy, 3, 1_000) }];
        clock.move(1_000 - (clock.now() % 1_000));
        const remaining: number[] = [];
        for (let call = 0; call < 3; call++) {
          const answer = await store.take(limits, 1);
          expect(answer).toMatchObject({ granted: 1, waitMs: 0 });
          remaining.push(answer.remaining);
        }
        expect(remaining).toEqual([2, 1, 0]);
        const refused = await store.take(limits, 1);
        expect(refused).toMatchObject({ granted: 0, remaining: 0 });
        expect(refused.waitMs).toBeCloseTo(strategy === 'token_bucket' ? 1_000 / 3 : 1_000, 3);
        expect(refused.resetInMs).toBeCloseTo(1_000, 3);
        clock.move(Math.floor(refused.waitMs) - 1);
        expect((await store.take(limits, 1)).granted).toBe(0);
        clock.move(2);
        expect((await store.take(limits, 1)).granted).toBe(1);
      }
    });

    it('takes of all limits or of none', async () => {
      const [second, day] = [newKey(), newKey()];
      const both = [
        { key: second, rule: rule('sliding_window', 5, 1_000) },
        { key: day, rule: rule('token_bucket', 2, 86_400_000) },
      ];
      expect((await store.take(both, 2)).granted).toBe(2);
      for (let call = 0; call < 5; call++) expect(await store.take(both, 1)).toMatchObject({ granted: 0, index: 1 });
      expect(await store.take([both[0]!], 3)).toMatchObject({ granted: 3, remaining: 0 });
    });

    it('takes nothing for a cost that does not fit, and lets a smaller one pass', async () => {
      for (const strategy of ['fixed_window', 'sliding_window', 'token_bucket'] as const) {
        const limits = [{ key: newKey(), rule: rule(strategy, 10, 60_000) }];
        expect((await store.take(limits, 9)).granted).toBe(9);
        for (let call = 0; call < 3; call++) expect((await store.take(limits, 2)).granted).toBe(0);
        expect(await store.take(limits, 1)).toMatchObject({ granted: 1, remaining: 0 });
        expect(await store.take(limits, 11)).toMatchObject({ granted: 0, waitMs: Number.POSITIVE_INFINITY });
      }
    });

    it('keeps what was used when the rule changes, to another limit, window or strategy', async () => {
      const key = newKey();
      clock.move(60_000 - (clock.now() % 60_000));
      expect((await store.take([{ key, rule: rule('sliding_window', 10, 60_000) }], 7)).granted).toBe(7);
      clock.move(10);
      expect((await store.take([{ key, rule: rule('sliding_window', 8, 60_000) }], 1)).remaining).toBe(0);
      expect((await store.take([{ key, rule: rule('sliding_window', 20, 30_000) }], 1)).remaining).toBe(11);
      expect((await store.take([{ key, rule: rule('fixed_window', 20, 30_000) }], 1)).remaining).toBe(10);
      expect((await store.take([{ key, rule: rule('token_bucket', 20, 30_000) }], 1)).remaining).toBe(9);
      expect((await store.take([{ key, rule: rule('sliding_window', 20, 30_000) }], 1)).remaining).toBe(8);
    });

    it('counts what was taken elsewhere beyond the limit', async () => {
      for (const strategy of ['fixed_window', 'sliding_window', 'token_bucket'] as const) {
        const limits = [{ key: newKey(), rule: rule(strategy, 10, 60_000) }];
        await store.charge(limits, 15);
        expect(await store.take(limits, 1)).toMatchObject({ granted: 0, remaining: 0 });
      }
    });

    it('never passes the bound of a strategy, whatever the calls cost and however the clock is set', async () => {
      await fc.assert(
        fc.asyncProperty(anyRule, anyCalls, async (oneRule, calls) => {
          const limits = [{ key: newKey(), rule: oneRule }];
          const log: Admitted[] = [];
          for (const { moveMs, cost } of calls) {
            clock.move(moveMs);
            const { granted } = await store.take(limits, cost);
            if (granted > 0) log.push({ atMs: clock.travelledMs, cost });
          }
          expect(excess(log, oneRule)).toBeLessThanOrEqual(0);
        }),
        { numRuns: runs },
      );
    });

    it('decides as memory does', async () => {
      await fc.assert(
        fc.asyncProperty(anyRule, anyRule, anyCalls, async (one, other, calls) => {
          const memory = new MemoryLimitStore({ clock });
          const limits = [
            { key: newKey(), rule: one },
            { key: newKey(), rule: other },
          ];
          for (const { moveMs, cost } of calls) {
            // A clock set back is met by each store in its own way, within the same bound.
            clock.move(Math.abs(moveMs));
            const [got, expected] = [await store.take(limits, cost), memory.take(limits, cost)];
            expect(got).toMatchObject({ granted: expected.granted, remaining: expected.remaining });
            expect(got.waitMs === expected.waitMs || Math.abs(got.waitMs - expected.waitMs) < 0.01).toBe(true);
          }
        }),
        { numRuns: runs },
      );
    });
  });
}
