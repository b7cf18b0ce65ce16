import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { serve } from '../outgoing/support/servers.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/processes.ts';
import { findRedis, REDIS_URL } from '../support/redis.ts';
import { mostInWindow, send } from './support/sending.ts';

const stores: [string, string][] = [['postgresql', '']];
if (await findRedis()) stores.push(['redis', REDIS_URL]);

describe.each(stores)('outgoing calls of replicas that share %s', (_store, redisUrl) => {
  const database = useTestDatabase();
  let apps: App[] = [];
  beforeAll(async () => {
    const environment: Record<string, string> = redisUrl === '' ? {} : { REDIS_URL: redisUrl };
    const options = { environment, workers: false };
    apps = [await openTestApp(database.url, options), await openTestApp(database.url, options)];
  });
  afterAll(async () => {
    for (const app of apps) await app.close();
  });

  it('pass the budget in no window while they wait in line', async () => {
    const arrivedMs: number[] = [];
    const api = await serve((_request, response) => {
      arrivedMs.push(performance.now());
      response.end();
    });
    const id = `window_${process.pid}_${Date.now()}`;
    const rest = { budgets: [{ maxRequests: 20, windowMs: 3_000 }], maxWaitMs: 120_000 };
    const calls = apps.flatMap((app) => Array.from({ length: 35 }, () => send(app, id, api.origin, rest)));
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['success']));
    expect(arrivedMs).toHaveLength(70);
    // On the way to the provider they move closer together, by less than half a window.
    expect(mostInWindow(arrivedMs, 1_500)).toBeLessThanOrEqual(20);
  });

  it('pass it neither when a replica is killed in the middle', async () => {
    const api = await serve();
    const id = `killed_${process.pid}_${Date.now()}`;
    const limit = 2_000;
    const args = [database.url, redisUrl, id, api.origin, String(limit)];
    const [doomed, survivor] = [
      startProgram('rateLimits/fixtures/sender.ts', args),
      startProgram('rateLimits/fixtures/sender.ts', args),
    ];
    await eventually('both to send', () => api.seen.length > limit / 4);
    await doomed.kill();
    await survivor.line('rate_limited');
    expect(api.seen.length).toBeLessThanOrEqual(limit);
    // What the dead one held is lost, and that is little.
    expect(api.seen.length).toBeGreaterThan(limit / 2);
    await survivor.kill();
  });
});
