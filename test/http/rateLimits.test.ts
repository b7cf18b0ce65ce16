import { afterAll, beforeAll, expect, it } from 'vitest';
import { closedPort } from '../outgoing/support/servers.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
let path: string;
let id: string;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  const made = await server.request('POST', '/api/v1/integrations', {
    body: { name: 'Limited', platform: 'github', credentials: { token: `ghp_${'a'.repeat(36)}` } },
  });
  id = made.json.id;
  path = `/api/v1/integrations/${id}/rate-limits/api_call`;
});
afterAll(() => server?.close());

it('sets a limit, keeps it, and shows its use', async () => {
  const set = await server.request('PUT', path, { body: { maxRequests: 2, windowSize: 120_000 } });
  expect([set.status, set.text]).toEqual([204, '']);
  const { rateLimitingService } = server.app;
  for (let call = 0; call < 3; call++) await rateLimitingService.checkRateLimit(id, 'api_call');
  const stats = await server.request('GET', '/api/v1/rate-limits');
  expect(stats.json.store).toMatchObject({ name: 'postgresql', state: 'ok' });
  expect(stats.json.limits).toMatchObject([
    { integrationId: id, action: 'api_call', maxRequests: 2, adjusted: true, allowed: 2, refused: 1 },
  ]);
  const of = async (integrationId: string) =>
    (await server.request('GET', `/api/v1/rate-limits?integrationId=${integrationId}`)).json.limits;
  expect(await of(id)).toHaveLength(1);
  expect(await of('another')).toEqual([]);
  expect((await server.request('GET', '/api/v1/rate-limits?integration=x')).status).toBe(400);
});

it('refuses what is no limit, and whatever is of no integration', async () => {
  const wrong = await server.request('PUT', path, { body: { maxRequests: 0, window: 5 } });
  expect(wrong.status).toBe(400);
  expect(wrong.json.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
    '/maxRequests',
    '/window',
  ]);
  const empty = await server.request('PUT', path, { body: {} });
  expect([empty.status, empty.json.code]).toEqual([400, 'INVALID_INPUT']);
  const unknown = await server.request('PUT', path.replace(id, 'int_00000000000000000000000000'), {
    body: { maxRequests: 1 },
  });
  expect(unknown.status).toBe(404);
});

it('says in its health that the store is lost, and goes on', async () => {
  const lost = await openTestServer(database.url, {
    workers: false,
    environment: { REDIS_URL: `redis://127.0.0.1:${await closedPort()}` },
  });
  try {
    expect((await lost.request('GET', '/health')).json.checks.rateLimits).toMatchObject({ status: 'pass' });
    expect(await lost.app.rateLimitingService.checkRateLimit(id, 'other')).toMatchObject({ allowed: true });
    // What was seen within a second answers again.
    await eventually('the health to tell', async () => {
      const { status, checks } = (await lost.request('GET', '/health')).json;
      return checks.rateLimits.status === 'warn' && status === 'warn' && checks.rateLimits.output;
    });
    const { store } = (await lost.request('GET', '/api/v1/rate-limits')).json;
    expect(store).toMatchObject({ name: 'redis', state: 'lost', lostSince: expect.any(String) });
  } finally {
    await lost.close();
  }
});
