import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import type { LimitPlan } from '../../src/rateLimits/limitPlan.ts';
import type { LimitRule } from '../../src/rateLimits/limitRule.ts';
import { RedisLimitStore } from '../../src/rateLimits/redisLimitStore.ts';
import { SharedLimiter } from '../../src/rateLimits/sharedLimiter.ts';
import { eventually } from '../support/eventually.ts';
import { findRedis, REDIS_URL } from '../support/redis.ts';
import { Wire } from './support/wire.ts';

const REPLICAS = 4;
let made = 0;

function planOf(limit: number, strategy: LimitRule['strategy'] = 'sliding_window'): LimitPlan {
  const key = `wire/${process.pid}/${Date.now()}/${made++}`;
  return { id: key, limits: [{ key, rule: { strategy, limit, windowMs: 3_600_000, capacity: limit } }] };
}

describe.skipIf(!(await findRedis()))('limits whose store is lost', () => {
  const wire = new Wire(REDIS_URL);
  const logged: string[] = [];
  const log = { ...silentLog, warn: (line: string) => logged.push(line), info: (line: string) => logged.push(line) };
  const open = (url: string) =>
    new SharedLimiter({ store: new RedisLimitStore({ url }), clock: systemClock, log, replicas: () => REPLICAS });
  let limiter: SharedLimiter;
  let other: SharedLimiter;

  beforeEach(async () => {
    logged.length = 0;
    await wire.open();
    limiter = open(wire.url);
    other = open(REDIS_URL);
  });
  afterEach(async () => {
    await limiter.close();
    await other.close();
    await wire.cut();
  });

  const allowed = async (one: SharedLimiter, plan: LimitPlan, calls: number) => {
    let count = 0;
    for (let call = 0; call < calls; call++) count += (await one.take(plan, 1)).granted;
    return count;
  };

  it.each(['is stopped', 'is silent'])(
    'are divided by the replicas when it %s, and counted when it is back',
    async (how) => {
      const [used, fresh] = [planOf(100), planOf(100)];
      expect(await allowed(limiter, used, 1)).toBe(1);
      expect(await allowed(other, used, 59)).toBe(59);
      if (how === 'is silent') wire.silence();
      else await wire.cut();
      expect(await allowed(limiter, fresh, 60)).toBe(100 / REPLICAS);
      expect(limiter.state()).toMatchObject({ state: 'lost', lostSince: expect.any(String), replicas: REPLICAS });
      // Of what was left of the used one, this replica allows its part, and what it already held.
      expect(await allowed(limiter, used, 60)).toBeLessThanOrEqual(100 / REPLICAS + 1);
      if (how === 'is silent') await wire.cut();
      await wire.open();
      await eventually('the store to be back', () => limiter.state().state === 'ok');
      expect(await allowed(other, fresh, 200)).toBe(100 - 100 / REPLICAS);
      expect(logged).toEqual([
        'The store of rate limits is lost; every replica allows its part of each limit',
        'The store of rate limits is back',
      ]);
    },
  );

  it('are kept when the store was never there', async () => {
    await wire.cut();
    for (const strategy of ['fixed_window', 'sliding_window', 'token_bucket'] as const) {
      expect(await allowed(limiter, planOf(100, strategy), 200)).toBe(100 / REPLICAS);
      // Fewer calls than replicas: one each, in a window that is as much longer.
      expect(await allowed(limiter, planOf(2, strategy), 5)).toBe(1);
    }
    expect(limiter.state().state).toBe('lost');
  });

  it('are never passed by processes that end without giving back', async () => {
    const plan = planOf(1_000);
    const doomed = Array.from({ length: 5 }, () => open(REDIS_URL));
    let total = 0;
    for (const one of doomed) total += await allowed(one, plan, 40);
    // They are not closed before the count: what they hold is lost.
    total += await allowed(other, plan, 2_000);
    expect(total).toBeLessThanOrEqual(1_000);
    expect(total).toBeGreaterThan(500);
    await Promise.all(doomed.map((one) => one.close()));
  });

  it('answers most calls without asking, and gives back what it does not use', async () => {
    const plan = planOf(100_000);
    let asked = 0;
    for (let call = 0; call < 20_000; call++) {
      const answer = other.take(plan, 1);
      if (answer instanceof Promise) asked++;
      expect((await answer).granted).toBe(1);
    }
    expect(asked).toBeLessThan(200);
    await eventually('everything that is left is given back', async () => {
      const { remaining } = await limiter.take(plan, 1);
      return remaining > 79_000 && remaining < 80_000;
    });
  });
});
