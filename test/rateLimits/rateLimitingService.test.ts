import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { InvalidInputError } from '../../src/core/errors.ts';
import type { RateLimitConfig } from '../../src/rateLimits/types.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { findRedis, REDIS_URL } from '../support/redis.ts';

const stores: [string, Record<string, string>][] = [['postgresql', {}]];
if (await findRedis()) stores.push(['redis', { REDIS_URL }]);

describe.each(stores)('RateLimitingService, two replicas sharing %s', (store, environment) => {
  const database = useTestDatabase();
  let [one, other]: App[] = [];
  let made = 0;
  // Other runs of these tests may use the same Redis.
  const newId = () => `int_${process.pid}_${Date.now()}_${made++}`;
  const check = (app: App | undefined, id: string, config?: RateLimitConfig) =>
    app!.rateLimitingService.checkRateLimit(id, 'api_call', config);
  const timesAllowed = async (app: App | undefined, id: string, config: RateLimitConfig, calls: number) => {
    let allowed = 0;
    for (let call = 0; call < calls; call++) if ((await check(app, id, config)).allowed) allowed++;
    return allowed;
  };

  beforeAll(async () => {
    const options = { environment: { ...environment, DEFAULT_RATE_LIMIT: '100' }, workers: false };
    one = await openTestApp(database.url, options);
    other = await openTestApp(database.url, options);
  });
  afterAll(async () => {
    await one?.close();
    await other?.close();
  });

  it('answers as documented', async () => {
    const id = newId();
    const startedMs = Date.now();
    const first = await check(one, id);
    expect(first).toEqual({
      allowed: true,
      limit: 100,
      remaining: 99,
      resetAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      retryAfter: 0,
      strategy: 'sliding_window',
      reason: null,
    });
    expect(Math.abs(Date.parse(first.resetAt) - startedMs - 60_000)).toBeLessThan(10_000);
    const config = { maxRequests: 100, windowSize: 60_000, strategy: 'sliding_window', burstLimit: 10 } as const;
    expect(await check(one, newId(), config)).toMatchObject({ allowed: true, limit: 100, remaining: 9 });
    expect(one!.rateLimitingService.storeState()).toMatchObject({ name: store, state: 'ok', lostSince: null });
  });

  it('admits exactly the limit over both replicas, by each strategy', async () => {
    for (const strategy of ['fixed_window', 'sliding_window', 'token_bucket'] as const) {
      // A day: nothing comes back while this test runs.
      const config = { strategy, maxRequests: 500, windowSize: 86_400_000 };
      const id = newId();
      const both = await Promise.all([timesAllowed(one, id, config, 600), timesAllowed(other, id, config, 600)]);
      // What one still holds when the other is refused, it uses itself or gives back.
      const rest = await eventually('what was held is given back', async () => {
        both.push(await timesAllowed(one, id, config, 20));
        const total = both.reduce((sum, part) => sum + part, 0);
        expect(total).toBeLessThanOrEqual(500);
        return total === 500;
      });
      expect(rest).toBe(true);
      const refused = await check(other, id, config);
      expect(refused).toMatchObject({ allowed: false, limit: 500, remaining: 0, strategy });
      expect(refused.retryAfter).toBeGreaterThan(60);
      expect(refused.reason).toMatch(/limit of .* is used up/);
    }
  });

  it('takes all limits of a call or none, and gives users limits of their own', async () => {
    const id = newId();
    const config: RateLimitConfig = {
      maxRequests: 10,
      windowSize: 3_600_000,
      userId: 'ann',
      limits: [{ maxRequests: 3, windowSize: 86_400_000, per: 'integration' }],
    };
    expect(await timesAllowed(one, id, config, 5)).toBe(3);
    expect(await check(other, id, { ...config, userId: 'bob' })).toMatchObject({ allowed: false });
    const alone = { maxRequests: 10, windowSize: 3_600_000 };
    expect(await check(other, id, { ...alone, userId: 'ann' })).toMatchObject({ remaining: 6 });
    expect(await check(other, id, { ...alone, userId: 'bob' })).toMatchObject({ remaining: 9 });
  });

  it('weighs calls', async () => {
    const id = newId();
    const config = { maxRequests: 10, windowSize: 3_600_000 };
    expect(await check(one, id, { ...config, cost: 9 })).toMatchObject({ allowed: true, remaining: 1 });
    expect(await check(other, id, { ...config, cost: 2 })).toMatchObject({ allowed: false });
    expect(await check(other, id, { ...config, cost: 11 })).toMatchObject({
      reason: expect.stringMatching(/never fits/),
    });
    expect(await check(one, id, config)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('is adjusted on every replica within a second, and keeps what was used', async () => {
    const id = newId();
    for (let call = 0; call < 4; call++) await check(one, id);
    await one!.rateLimitingService.adjustRateLimit(id, 'api_call', { maxRequests: 6, windowSize: 120_000 });
    expect(await check(one, id)).toMatchObject({ limit: 6, remaining: 1 });
    await eventually('the other replica to know', async () => (await check(other, id)).limit === 6);
    expect(await check(one, id)).toMatchObject({ allowed: false });
    await other!.rateLimitingService.adjustRateLimit(id, 'api_call', { maxRequests: 1_000 });
    const use = async () => one!.rateLimitingService.getRateLimitStats(id).limits[0];
    await eventually('the first to know', async () => (await check(one, id)).limit === 1_000);
    expect(await use()).toMatchObject({ maxRequests: 1_000, windowSize: 120_000, adjusted: true });
  });

  it('is cleared on every replica, and then counts anew', async () => {
    const [cleared, kept] = [newId(), newId()];
    const config = { maxRequests: 2, windowSize: 3_600_000 };
    for (const id of [cleared, kept]) expect(await timesAllowed(one, id, config, 3)).toBe(2);
    one!.rateLimitingService.clearRateLimits(cleared);
    expect(await check(one, cleared, config)).toMatchObject({ allowed: true, remaining: 1 });
    await eventually('the other replica to know', async () => (await check(other, cleared, config)).allowed);
    expect(await check(one, cleared, config)).toMatchObject({ allowed: false });
    expect(await check(one, kept, config)).toMatchObject({ allowed: false });
  });

  it('tells what it counted', async () => {
    const id = newId();
    await timesAllowed(one, id, { maxRequests: 2, windowSize: 3_600_000 }, 5);
    const stats = one!.rateLimitingService.getRateLimitStats(id);
    expect(stats).toMatchObject({ totalChecks: 5, allowed: 2, refused: 3, activeLimits: 1 });
    expect(stats.limits[0]).toMatchObject({ integrationId: id, action: 'api_call', allowed: 2, remaining: 0 });
    expect(stats.store.name).toBe(store);
    expect(one!.rateLimitingService.getRateLimitStats('unknown').limits).toEqual([]);
    await eventually('both replicas to be seen', () => one!.rateLimitingService.storeState().replicas === 2);
  });

  it('says everything that is wrong, and changes nothing', async () => {
    const wrong = { maxRequests: 0, windowSize: 1.5, strategy: 'leaky', cost: -1, burst: 5 } as never;
    const error = await check(one, newId(), wrong).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as InvalidInputError).problems.map(({ pointer }) => pointer).sort()).toEqual([
      '/burst',
      '/cost',
      '/maxRequests',
      '/strategy',
      '/windowSize',
    ]);
    const service = one!.rateLimitingService;
    await expect(service.adjustRateLimit(newId(), 'api_call', {})).rejects.toThrow(/changes nothing/);
    await expect(service.adjustRateLimit(newId(), 'api_call', { maxRequests: -1 })).rejects.toThrow(InvalidInputError);
    await expect(service.checkRateLimit('', 'api_call')).rejects.toThrow(InvalidInputError);
    await expect(service.checkRateLimit('int', 5 as never)).rejects.toThrow(InvalidInputError);
    const perUser = { limits: [{ maxRequests: 1, windowSize: 1_000, per: 'user' as const }] };
    await expect(check(one, newId(), perUser)).rejects.toThrow(/userId/);
  });

  it('leaves a trace of adjustments in the audit log', async () => {
    const id = newId();
    await one!.rateLimitingService.adjustRateLimit(id, 'api_call', { maxRequests: 7 });
    const { rows } = await database.current.pool.query(
      `select id from audit_pending where convert_from(event, 'UTF8')::jsonb ->> 'integrationId' = $1
       union select id from audit_entries where integration_id = $1`,
      [id],
    );
    expect(rows.length).toBe(1);
  });
});
