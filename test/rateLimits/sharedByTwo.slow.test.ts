import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { serve } from '../outgoing/support/servers.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { findRedis, REDIS_URL } from '../support/redis.ts';
import { send } from './support/sending.ts';
import { Wire } from './support/wire.ts';

const hasRedis = await findRedis();
const stores: [string, Record<string, string>][] = [['postgresql', {}]];
if (hasRedis) stores.push(['redis', { REDIS_URL }]);
const anHour = (maxRequests: number) => [{ maxRequests, windowMs: 3_600_000 }];

describe.each(stores)('outgoing calls of two replicas that share %s', (_store, environment) => {
  const database = useTestDatabase();
  let one: App;
  let other: App;
  let provider: Provider;
  let made = 0;
  const newId = () => `out_${process.pid}_${Date.now()}_${made++}`;

  beforeAll(async () => {
    const options = { environment: { ...environment, DEFAULT_RATE_LIMIT: '100' }, workers: false };
    one = await openTestApp(database.url, options);
    other = await openTestApp(database.url, options);
    provider = await startProvider();
  });
  afterAll(async () => {
    await one?.close();
    await other?.close();
    await provider?.close();
  });

  it('reach the provider as often as the budget allows, together', async () => {
    const api = await serve();
    const id = newId();
    const budgets = anHour(60);
    const calls = (app: App, count: number) =>
      Promise.all(Array.from({ length: count }, () => send(app, id, api.origin, { budgets })));
    await Promise.all([calls(one, 50), calls(other, 50)]);
    expect(api.seen.length).toBeLessThanOrEqual(60);
    // What one held and did not use comes back.
    await eventually('the whole budget is used', async () => {
      await calls(one, 5);
      return api.seen.length >= 60;
    });
    expect(await send(one, id, api.origin, { budgets })).toBe('rate_limited');
    expect(await send(other, id, api.origin, { budgets })).toBe('rate_limited');
    expect(api.seen).toHaveLength(60);
  });

  it('are ruled by what is set for api_call, on both, and keep what was used', async () => {
    const api = await serve();
    const id = newId();
    for (let call = 0; call < 3; call++) expect(await send(one, id, api.origin)).toBe('success');
    await other.rateLimitingService.adjustRateLimit(id, 'api_call', { maxRequests: 4, windowSize: 3_600_000 });
    // What the first held beyond the three comes back.
    await eventually('the fourth', async () => (await send(other, id, api.origin)) === 'success');
    expect(await send(other, id, api.origin)).toBe('rate_limited');
    await eventually('the other replica to know', async () => (await send(one, id, api.origin)) === 'rate_limited');
    // A call that waits hears of it.
    const waiting = send(one, id, api.origin, { maxWaitMs: 3_600_000 });
    await eventually('the call to wait', () => one.rateLimitingService.getRateLimitStats(id).waiting === 1);
    const sent = api.seen.length;
    await other.rateLimitingService.adjustRateLimit(id, 'api_call', { maxRequests: 50 });
    expect(await waiting).toBe('success');
    expect(api.seen).toHaveLength(sent + 1);
  });

  it('wait on both when the provider refused one of them, and use the share that it learned', async () => {
    let refuses = true;
    const api = await serve((_request, response) => {
      response.writeHead(refuses ? 429 : 200, { 'retry-after': '1800' }).end();
    });
    const id = newId();
    const rest = { classify: () => ({ outcome: 'rate_limited', retryable: false, retryAfterMs: 1_800_000 }) as const };
    // Known there before, and not.
    expect(await send(one, id, api.origin, rest)).toBe('rate_limited');
    refuses = false;
    await eventually('the other replica to pause', () => {
      const [use] = other.rateLimitingService.getRateLimitStats(id).changes;
      return use?.to === 0.5;
    });
    expect(await send(other, id, api.origin)).toBe('rate_limited');
    expect(api.seen).toHaveLength(1);
    const stats = other.rateLimitingService.getRateLimitStats(id);
    expect(stats.outgoing).toEqual([
      {
        integrationId: id,
        share: 0.5,
        waiting: 0,
        budgets: [{ maxRequests: 100, windowSize: 60_000 }],
        pausedUntil: expect.stringMatching(/^\d{4}-/),
      },
    ]);
    expect(Date.parse(stats.outgoing[0]!.pausedUntil!) - Date.now()).toBeGreaterThan(1_700_000);
    expect(stats.changes).toMatchObject([{ from: 1, to: 0.5, reason: expect.stringMatching(/^Another replica: .+/) }]);
  });

  it('are what both services speak of, and leave nothing when the integration is deleted', async () => {
    const { id } = await one.integrationService.createIntegration({
      name: 'Shared',
      platform: 'http',
      credentials: { apiKey: provider.key },
      configuration: { connector: describeProvider(provider), rateLimits: { requestsPerHour: 10, requestsPerDay: 20 } },
    });
    const integration = (await other.integrationService.getIntegrationById(id))!;
    expect(await other.integrationService.testConnection(integration)).toMatchObject({ success: true });
    let taken = provider.seen.length;
    await eventually('all ten are taken, by either', async () => {
      if ((await one.integrationService.checkRateLimit(id, 'export')).allowed) taken += 1;
      if ((await other.rateLimitingService.checkRateLimit(id, 'api_call')).allowed) taken += 1;
      expect(taken).toBeLessThanOrEqual(10);
      return taken === 10;
    });
    await one.rateLimitingService.checkRateLimit(id, 'other');
    await one.rateLimitingService.adjustRateLimit(id, 'api_call', { maxRequests: 11 });
    expect(await one.integrationService.checkRateLimit(id, 'export')).toMatchObject({ limit: 11, allowed: true });
    expect(await one.rateLimitingService.checkRateLimit(id, 'api_call')).toMatchObject({ limit: 11, allowed: false });
    await eventually('the other replica to know', async () => {
      return other.rateLimitingService.getRateLimitStats(id).limits[0]?.adjusted === true
        ? true
        : other.rateLimitingService.checkRateLimit(id, 'api_call').then(() => false);
    });
    one.outgoing.resetBreaker(id);
    await one.integrationService.deleteIntegration(id);
    const { rows } = await database.current.pool.query(
      `select 'set' as what from rate_limits where integration_id = $1
       union all select 'cleared' from rate_limit_clears where integration_id = $1
       union all select 'learned' from rate_limit_learned where integration_id = $1
       union all select 'used' from rate_limit_usage where key like '%{' || $1 || '}%'`,
      [id],
    );
    expect(rows).toEqual([]);
  });
});

describe.skipIf(!hasRedis)('outgoing calls whose store is lost', () => {
  const database = useTestDatabase();

  it('are each replica’s part of the budget, in the order of their priority', async () => {
    const wire = new Wire(REDIS_URL);
    await wire.open();
    const options = { environment: { REDIS_URL: wire.url }, workers: false };
    const [one, other] = [await openTestApp(database.url, options), await openTestApp(database.url, options)];
    try {
      const api = await serve();
      const id = `lost_${process.pid}_${Date.now()}`;
      const budgets = [{ maxRequests: 40, windowMs: 2_000 }];
      for (const app of [one, other]) expect(await send(app, id, api.origin, { budgets })).toBe('success');
      await eventually('both to be seen', () => one.rateLimitingService.storeState().replicas === 2);
      await wire.cut();
      const fresh = `${id}_fresh`;
      const calls = Array.from({ length: 25 }, () => send(one, fresh, `${api.origin}/fresh`, { budgets }));
      expect((await Promise.all(calls)).filter((outcome) => outcome === 'success')).toHaveLength(20);
      expect(one.rateLimitingService.storeState()).toMatchObject({ state: 'lost', replicas: 2 });
      const waits = { budgets, maxWaitMs: 60_000 };
      const background = send(one, fresh, `${api.origin}/background`, waits);
      await eventually('it to wait', () => one.rateLimitingService.getRateLimitStats(fresh).waiting === 1);
      const interactive = send(one, fresh, `${api.origin}/interactive`, { ...waits, operation: 'check' });
      await Promise.all([background, interactive]);
      const order = api.seen.map(({ url }) => url).filter((url) => url === '/background' || url === '/interactive');
      expect(order).toEqual(['/interactive', '/background']);
    } finally {
      await one.close();
      await other.close();
      await wire.cut();
    }
  });
});
