import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LimitRule } from '../../../src/rateLimits/limitRule.ts';
import type { SharedAnswer, SharedLimitStore } from '../../../src/rateLimits/sharedLimitStore.ts';
import { anyRule } from './arbitraries.ts';
import { type Admitted, excess } from './bounds.ts';
import { JumpingClock } from './jumpingClock.ts';

let keys = 0;
const newKey = () => `shared/${process.pid}/${keys++}`;
const perMinute: LimitRule = { strategy: 'sliding_window', limit: 100, windowMs: 60_000, capacity: 100 };

/** One lease held by a process that may die before it has used all of it. */
interface Held {
  left: number;
  readonly answer: SharedAnswer;
  readonly untilMs: number;
}

/** What stores do that several processes share. `open` is given a clock, or none for that of the store. */
export function describeSharedStore(
  name: string,
  open: (timeMs?: () => number) => SharedLimitStore,
  runs: number,
): void {
  describe(`limits shared in ${name}`, () => {
    const clock = new JumpingClock();
    let store: SharedLimitStore;
    let other: SharedLimitStore;
    beforeAll(async () => {
      store = open(() => clock.now());
      other = open(() => clock.now());
      await store.ping();
      await other.ping();
    });
    afterAll(async () => {
      await store?.close();
      await other?.close();
    });

    it('admits exactly the limit to many callers at once, by its own clock', async () => {
      const stores = [open(), open(), open(), open()];
      const limits = [
        { key: newKey(), rule: perMinute },
        { key: newKey(), rule: { ...perMinute, strategy: 'token_bucket' as const, limit: 1_000, capacity: 1_000 } },
      ];
      const answers = await Promise.all(
        Array.from({ length: 300 }, (_, call) =>
          stores[call % 4]!.take(limits, { atLeast: 1, atMost: 1, share: 1, leaseMs: 0 }),
        ),
      );
      await Promise.all(stores.map((one) => one.close()));
      expect(answers.filter(({ granted }) => granted === 1).length).toBe(100);
      expect(Math.abs(answers[0]!.takenAtMs - Date.now())).toBeLessThan(60_000);
    });

    it('gives blocks, and of what is left only a part', async () => {
      const limits = [{ key: newKey(), rule: perMinute }];
      const ask = { atLeast: 1, atMost: 40, share: 4, leaseMs: 1_000 };
      const granted: number[] = [];
      for (let call = 0; call < 4; call++) granted.push((await store.take(limits, ask)).granted);
      expect(granted).toEqual([25, 18, 14, 10]);
      expect((await store.take(limits, { ...ask, share: 1 })).granted).toBe(33);
      expect((await store.take(limits, ask)).granted).toBe(0);
    });

    it('takes back what was not used, once, and only while it counts', async () => {
      for (const strategy of ['fixed_window', 'sliding_window', 'token_bucket'] as const) {
        clock.move(60_000 - (clock.now() % 60_000));
        const limits = [{ key: newKey(), rule: { ...perMinute, strategy } }];
        const { takenAtMs } = await store.take(limits, { atLeast: 1, atMost: 60, share: 1, leaseMs: 1_000 });
        await other.giveBack(limits, 30, takenAtMs, 1_000);
        expect((await store.take(limits, { atLeast: 1, atMost: 1_000, share: 1, leaseMs: 0 })).granted).toBe(70);
        clock.move(200_000);
        await store.take(limits, { atLeast: 1, atMost: 50, share: 1, leaseMs: 0 });
        await other.giveBack(limits, 30, takenAtMs, 1_000);
        expect((await store.take(limits, { atLeast: 1, atMost: 1_000, share: 1, leaseMs: 0 })).granted).toBe(50);
      }
    });

    it('never passes a limit through leases, whoever uses, gives back or dies', async () => {
      const steps = fc.array(
        fc.record({
          moveMs: fc.integer({ min: 0, max: 60 }),
          process: fc.integer({ min: 0, max: 2 }),
          step: fc.constantFrom('use', 'use', 'use', 'giveBack', 'die'),
          ask: fc.integer({ min: 1, max: 8 }),
        }),
        { minLength: 1, maxLength: 120 },
      );
      await fc.assert(
        fc.asyncProperty(anyRule, fc.integer({ min: 0, max: 100 }), steps, async (rule, leaseMs, list) => {
          const gained = (rule.limit * leaseMs) / rule.windowMs;
          const capacity = rule.strategy === 'token_bucket' ? rule.capacity - gained : rule.capacity;
          fc.pre(capacity >= 1);
          const limits = [{ key: newKey(), rule: { ...rule, capacity } }];
          const held: (Held | null)[] = [null, null, null];
          const log: Admitted[] = [];
          for (const { moveMs, process, step, ask } of list) {
            clock.move(moveMs);
            let lease = held[process] ?? null;
            if (step === 'die') held[process] = null;
            else if (step === 'giveBack' && lease !== null) {
              if (lease.left > 0) await store.giveBack(limits, lease.left, lease.answer.takenAtMs, leaseMs);
              held[process] = null;
            } else if (step === 'use') {
              if (lease === null || lease.left === 0 || clock.now() >= lease.untilMs) {
                const answer = await store.take(limits, { atLeast: 1, atMost: ask, share: 1, leaseMs });
                lease = { left: answer.granted, answer, untilMs: clock.now() + answer.validMs };
                held[process] = lease;
                // Without a lease it is used at once, or not at all.
                if (leaseMs === 0 && lease.left > 0) {
                  log.push({ atMs: clock.travelledMs, cost: lease.left });
                  lease.left = 0;
                }
              }
              if (lease.left > 0) {
                lease.left -= 1;
                log.push({ atMs: clock.travelledMs, cost: 1 });
              }
            }
          }
          expect(excess(log, rule)).toBeLessThanOrEqual(0);
        }),
        { numRuns: runs },
      );
    });
  });
}
