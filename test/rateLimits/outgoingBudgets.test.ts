import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AbortedError } from '../../src/core/errors.ts';
import type { Budget } from '../../src/rateLimits/budgets.ts';
import { RateBudgetExceededError } from '../../src/rateLimits/errors.ts';
import { aloneBudgets } from '../support/budgets.ts';
import { ManualClock } from './manualClock.ts';

const perSecond = (maxRequests: number): Budget => ({ maxRequests, windowMs: 1_000 });
const perMinute = (maxRequests: number): Budget => ({ maxRequests, windowMs: 60_000 });

function make() {
  const clock = new ManualClock();
  const budgets = aloneBudgets({ clock });
  const order: string[] = [];
  const take = (name: string, list: readonly Budget[], maxWaitMs = Number.POSITIVE_INFINITY, signal?: AbortSignal) =>
    budgets.take('int_1', list, { maxWaitMs, signal }).then(
      ({ waitedMs }) => {
        order.push(`${name} after ${waitedMs}`);
      },
      (error: unknown) => {
        order.push(`${name} ${(error as Error).name}`);
        return error;
      },
    );
  return { clock, budgets, order, take };
}

describe('OutgoingBudgets of a process that is alone', () => {
  it('lets calls through while they fit and the next ones as the window frees them', async () => {
    const { clock, order, take } = make();
    for (const name of ['a', 'b', 'c', 'd', 'e']) void take(name, [perSecond(2)]);
    await clock.advance(999);
    expect(order).toEqual(['a after 0', 'b after 0']);
    await clock.advance(1);
    expect(order).toEqual(['a after 0', 'b after 0', 'c after 1000', 'd after 1000']);
    await clock.advance(1_000);
    expect(order.at(-1)).toBe('e after 2000');
    expect(clock.sleepers).toBe(0);
  });

  it('serves in the order of arrival, by the budgets that were named last', async () => {
    const { clock, order, take } = make();
    void take('a', [perSecond(1)]);
    void take('b', [perSecond(1)]);
    void take('c', [perSecond(5)]);
    await clock.advance(0);
    expect(order).toEqual(['a after 0']);
    await clock.advance(1_000);
    expect(order).toEqual(['a after 0', 'b after 1000', 'c after 1000']);
    void take('d', [perSecond(1)]);
    void take('e', [perSecond(1)]);
    await clock.advance(1_000);
    expect(order.slice(3)).toEqual(['d after 1000']);
  });

  it('takes all of several budgets or none', async () => {
    const { clock, order, take, budgets } = make();
    for (const name of ['a', 'b', 'c']) void take(name, [perSecond(2), perMinute(3)]);
    await clock.advance(1_000);
    expect(order).toEqual(['a after 0', 'b after 0', 'c after 1000']);
    // The minute is used up: refused ten times, and the second's budget is none the worse.
    await clock.advance(1_000);
    for (let time = 0; time < 10; time++) await take('x', [perSecond(2), perMinute(3)], 0);
    expect(await budgets.check('int_1', [perSecond(2)])).toMatchObject({ allowed: true, remaining: 1 });
  });

  it('refuses at once what cannot be admitted within the wait, and says when it could', async () => {
    const { clock, take } = make();
    await take('a', [perMinute(1)]);
    await clock.advance(20_000);
    const error = await take('b', [perMinute(1)], 39_999);
    expect(error).toBeInstanceOf(RateBudgetExceededError);
    expect((error as RateBudgetExceededError).retryAfterMs).toBe(40_000);
    expect(clock.sleepers).toBe(0);
    const second = take('c', [perMinute(1)], 40_000);
    // With c in line, d's turn is a minute later.
    expect(((await take('d', [perMinute(1)], 60_000)) as RateBudgetExceededError).retryAfterMs).toBe(100_000);
    await clock.advance(40_000);
    await second;
  });

  it('bounds the line', async () => {
    const { clock, budgets } = make();
    await budgets.take('int_1', [perSecond(1)], { maxWaitMs: 0 });
    const stop = new AbortController();
    const options = { maxWaitMs: Number.POSITIVE_INFINITY, signal: stop.signal };
    const waiting = Array.from({ length: 1_000 }, () => budgets.take('int_1', [perSecond(1)], options));
    const settled = Promise.allSettled(waiting);
    await expect(budgets.take('int_1', [perSecond(1)], options)).rejects.toThrow(RateBudgetExceededError);
    stop.abort();
    expect((await settled).every(({ status }) => status === 'rejected')).toBe(true);
    await clock.advance(0);
    expect(clock.sleepers).toBe(0);
  });

  it('lets a cancelled call go, which takes nothing and holds nobody up', async () => {
    const { clock, order, take } = make();
    const stop = new AbortController();
    void take('a', [perSecond(1)]);
    const cancelled = take('b', [perSecond(1)], Number.POSITIVE_INFINITY, stop.signal);
    void take('c', [perSecond(1)]);
    await clock.advance(500);
    stop.abort();
    expect(await cancelled).toBeInstanceOf(AbortedError);
    await clock.advance(500);
    expect(order).toEqual(['a after 0', 'b AbortedError', 'c after 1000']);
    await expect(take('d', [perSecond(1)], 0, AbortSignal.abort())).resolves.toBeInstanceOf(AbortedError);
  });

  it('answers a check without waiting, and takes only when it allows', async () => {
    const { clock, budgets } = make();
    const list = [perSecond(2), perMinute(100)];
    expect(await budgets.check('int_1', list)).toEqual({
      allowed: true,
      limit: 2,
      remaining: 1,
      resetAtMs: clock.now() + 60_000,
      retryAfterMs: 0,
      strategy: 'sliding_window',
      reason: null,
    });
    await budgets.check('int_1', list);
    for (let time = 0; time < 3; time++) {
      expect(await budgets.check('int_1', list)).toEqual({
        allowed: false,
        limit: 2,
        remaining: 0,
        resetAtMs: clock.now() + 1_000,
        retryAfterMs: 1_000,
        strategy: 'sliding_window',
        reason: 'A further limit of 2 in 1 s (sliding_window) is used up.',
      });
    }
    expect((await budgets.check('int_2', list)).allowed).toBe(true);
  });

  it('waits for the reset when the provider says that nothing is left', async () => {
    const { clock, budgets, order, take } = make();
    budgets.observe('int_1', { remaining: 2, resetAtMs: clock.now() + 5_000 });
    for (const name of ['a', 'b', 'c']) void take(name, [perSecond(100)]);
    await clock.advance(4_999);
    expect(order).toEqual(['a after 0', 'b after 0']);
    expect(await budgets.check('int_1', [perSecond(100)])).toMatchObject({ allowed: false, remaining: 0 });
    await clock.advance(1);
    expect(order.at(-1)).toBe('c after 5000');
  });

  it('tells those in line at once when the provider makes them wait longer than they want to', async () => {
    const { clock, budgets, order, take } = make();
    await take('a', [perSecond(1)]);
    void take('b', [perSecond(1)], 2_000);
    await clock.advance(100);
    budgets.observe('int_1', { remaining: 0, resetAtMs: clock.now() + 60_000 });
    await clock.advance(0);
    expect(order).toEqual(['a after 0', 'b RateBudgetExceededError']);
  });

  it('keeps the lowest count of one reset, and shut what is shut, whatever is said of another limit', async () => {
    const { clock, budgets } = make();
    const resetAtMs = clock.now() + 10_000;
    budgets.observe('int_1', { remaining: 1, resetAtMs });
    budgets.observe('int_1', { remaining: 7, resetAtMs });
    expect((await budgets.check('int_1', [])).allowed).toBe(true);
    expect((await budgets.check('int_1', [])).allowed).toBe(false);
    // A later reset is a new count.
    budgets.observe('int_1', { remaining: 7, resetAtMs: resetAtMs + 10_000 });
    expect((await budgets.check('int_1', [])).allowed).toBe(true);
    // Told to wait 3 seconds, then told by an answer that was under way that much is left.
    budgets.observe('int_1', { remaining: 0, resetAtMs: clock.now() + 3_000 });
    budgets.observe('int_1', { remaining: 50, resetAtMs: clock.now() + 60_000 });
    expect(await budgets.check('int_1', [])).toMatchObject({ allowed: false, retryAfterMs: 3_000 });
    await clock.advance(3_000);
    expect((await budgets.check('int_1', [])).allowed).toBe(true);
  });

  it('ignores what cannot be meant', async () => {
    const { clock, budgets } = make();
    for (const wrong of [Number.NaN, clock.now() - 1, Number.NEGATIVE_INFINITY]) {
      budgets.observe('int_2', { remaining: 0, resetAtMs: wrong });
    }
    expect((await budgets.check('int_2', [])).allowed).toBe(true);
    // Milliseconds taken for seconds would shut the key for fifty thousand years.
    budgets.observe('int_3', { remaining: 0, resetAtMs: clock.now() * 1_000 });
    expect((await budgets.check('int_3', [])).retryAfterMs).toBe(24 * 3_600_000);
    expect(await budgets.check('int_4', [perSecond(0)])).toMatchObject({ allowed: false });
  });

  it('does not forget what was used when budgets change', async () => {
    const { clock, budgets } = make();
    for (let call = 0; call < 5; call++) await budgets.check('int_1', [perMinute(100)]);
    await clock.advance(500);
    // A limit per second that nobody has named before knows of the five calls half a second ago.
    expect(await budgets.check('int_1', [perSecond(5)])).toMatchObject({ allowed: false, retryAfterMs: 500 });
  });

  it('keeps every window of a list apart, and bounds how many are remembered', async () => {
    const { clock, budgets } = make();
    const list = [
      { maxRequests: 1, windowMs: 500 },
      { maxRequests: 1, windowMs: 600 },
    ];
    expect((await budgets.check('int_1', list)).allowed).toBe(true);
    await clock.advance(550);
    expect(await budgets.check('int_1', list)).toMatchObject({ allowed: false, retryAfterMs: 50 });
    for (let windowMs = 1; windowMs <= 100; windowMs++) await budgets.check('int_1', [{ maxRequests: 1, windowMs }]);
    expect(await budgets.check('int_1', list)).toMatchObject({ allowed: false });
  });

  it('forgets idle keys', async () => {
    const { clock, budgets } = make();
    for (let key = 0; key < 1_000; key++) await budgets.check(`int_${key}`, [perSecond(1)]);
    expect(budgets.keys.size).toBe(1_000);
    await clock.advance(600_000);
    for (let key = 0; key < 1_000; key++) await budgets.check(`new_${key}`, [perSecond(1)]);
    expect(budgets.keys.size).toBeLessThanOrEqual(1_002);
  });

  it('never admits more than any budget in any window, whoever waits, gives up or is refused', async () => {
    const budgetList = fc.array(
      fc.record({ maxRequests: fc.integer({ min: 1, max: 8 }), windowMs: fc.integer({ min: 5, max: 300 }) }),
      { minLength: 1, maxLength: 3 },
    );
    const arrivals = fc.array(
      fc.record({
        gapMs: fc.integer({ min: 0, max: 60 }),
        maxWaitMs: fc.constantFrom(0, 50, 1_000, 100_000),
        cancels: fc.boolean(),
      }),
      { minLength: 1, maxLength: 50 },
    );
    await fc.assert(
      fc.asyncProperty(budgetList, arrivals, async (list, calls) => {
        const clock = new ManualClock();
        const budgets = aloneBudgets({ clock });
        const admitted: number[] = [];
        const pending: Promise<void>[] = [];
        for (const { gapMs, maxWaitMs, cancels } of calls) {
          await clock.advance(gapMs);
          const startedMs = clock.monotonicMs();
          const stop = new AbortController();
          const taken = budgets.take('key', list, { maxWaitMs, signal: stop.signal }).then(
            () => {
              admitted.push(clock.monotonicMs());
              expect(clock.monotonicMs() - startedMs).toBeLessThanOrEqual(maxWaitMs);
            },
            (error: unknown) => {
              if (!(error instanceof RateBudgetExceededError || error instanceof AbortedError)) throw error;
            },
          );
          pending.push(taken);
          if (cancels) stop.abort();
        }
        await clock.advance(20_000);
        await Promise.all(pending);
        for (const { maxRequests, windowMs } of list) {
          for (const endMs of admitted) {
            const inWindow = admitted.filter((timeMs) => timeMs > endMs - windowMs && timeMs <= endMs).length;
            expect(inWindow).toBeLessThanOrEqual(maxRequests);
          }
        }
        expect(clock.sleepers).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  });
});
