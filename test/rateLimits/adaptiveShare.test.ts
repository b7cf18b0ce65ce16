import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdaptiveShare } from '../../src/rateLimits/adaptiveShare.ts';
import { aloneBudgets } from '../support/budgets.ts';
import { ManualClock } from './manualClock.ts';

const limited = { limited: true, latencyMs: 50 };
const fine = { limited: false, latencyMs: 50 };

describe('AdaptiveShare', () => {
  it('halves once for one overload, and comes back step by step', () => {
    const share = new AdaptiveShare();
    expect(share.learn(limited, 0)).toMatchObject({ from: 1, to: 0.5, reason: expect.stringMatching(/too many/) });
    expect(share.learn(limited, 500)).toBeNull();
    expect(share.learn(limited, 1_000)).toMatchObject({ to: 0.25 });
    expect(share.learn(fine, 10_999)).toBeNull();
    expect(share.learn(fine, 11_000)).toMatchObject({ from: 0.25, to: 0.3, reason: expect.stringMatching(/well/) });
    for (let atMs = 12_000; atMs < 400_000; atMs += 1_000) share.learn(fine, atMs);
    expect(share.share).toBe(1);
  });

  it('falls when answers become slow, and says so', () => {
    const share = new AdaptiveShare();
    for (let call = 0; call < 100; call++) expect(share.learn({ limited: false, latencyMs: 400 }, call)).toBeNull();
    const changes = Array.from({ length: 20 }, (_, call) =>
      share.learn({ limited: false, latencyMs: 4_000 }, 200 + call),
    );
    expect(changes.filter((change) => change !== null)).toMatchObject([
      { from: 1, to: 0.8, reason: expect.stringMatching(/ms instead of/) },
    ]);
  });

  it('stays between its floor and its ceiling, and explains every change', () => {
    const calls = fc.array(
      fc.record({ limited: fc.boolean(), latencyMs: fc.integer({ min: 0, max: 9_000 }), gapMs: fc.nat(20_000) }),
    );
    fc.assert(
      fc.property(calls, (list) => {
        const share = new AdaptiveShare();
        let [nowMs, before] = [0, 1];
        for (const { gapMs, ...feedback } of list) {
          nowMs += gapMs;
          const change = share.learn(feedback, nowMs);
          expect(change === null).toBe(share.share === before);
          if (change !== null) expect(change).toMatchObject({ from: before, to: share.share });
          before = share.share;
          expect(before).toBeGreaterThanOrEqual(0.1);
          expect(before).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('OutgoingBudgets', () => {
  it('uses the share that it has learned, and tells of it', async () => {
    const clock = new ManualClock();
    const changes: unknown[] = [];
    const budgets = aloneBudgets({ clock, changed: (key, change) => changes.push([key, change.to]) });
    budgets.learn('int_1', limited);
    expect(changes).toEqual([['int_1', 0.5]]);
    const list = [{ maxRequests: 10, windowMs: 1_000 }];
    const allowed = async (key: string) => {
      const states = await Promise.all(Array.from({ length: 20 }, () => budgets.check(key, list)));
      return states.filter((state) => state.allowed).length;
    };
    expect([await allowed('int_1'), await allowed('int_2')]).toEqual([5, 10]);
    await clock.advance(1_000);
    expect((await budgets.check('int_1', [{ maxRequests: 1, windowMs: 1_000 }])).allowed).toBe(true);
  });

  it('serves interactive calls first, and makes room for them in a full line', async () => {
    const clock = new ManualClock();
    const budgets = aloneBudgets({ clock });
    const list = [{ maxRequests: 1, windowMs: 1_000 }];
    const order: string[] = [];
    const take = (name: string, priority: 'interactive' | 'background', maxWaitMs = 10_000_000) =>
      budgets.take('int_1', list, { maxWaitMs, priority }).then(
        () => order.push(name),
        () => order.push(`not ${name}`),
      );
    await take('first', 'background');
    const waiting = ['b1', 'b2'].map((name) => take(name, 'background'));
    // Its turn comes within its deadline only because it is served first.
    waiting.push(take('i1', 'interactive', 1_000), take('i2', 'interactive', 1_999), take('i3', 'interactive', 2_000));
    await clock.advance(4_000);
    expect(order).toEqual(['first', 'not i2', 'i1', 'i3', 'b1', 'b2']);
    await Promise.all(waiting);
    order.length = 0;
    const full = Array.from({ length: 1_000 }, (_, call) => take(`b${call}`, 'background'));
    await take('late', 'background');
    const served = take('i', 'interactive');
    await clock.advance(0);
    expect(order).toEqual(['not late', 'not b999']);
    await clock.advance(1_001_000);
    await Promise.all([...full, served]);
    expect(order.slice(2, 4)).toEqual(['i', 'b0']);
    expect(order).toHaveLength(1_002);
  });
});
