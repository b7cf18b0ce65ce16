import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
let provider: Provider;
let id: string;

beforeAll(async () => {
  [server, provider] = await Promise.all([openTestServer(database.url, { workers: false }), startProvider(25)]);
  id = await create('Ours', 'us');
});

afterAll(async () => {
  await provider.close();
  await server.close();
});

async function create(name: string, owner: string): Promise<string> {
  const made = await server.app.catalog.create({
    name,
    platform: 'http',
    owner,
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
  });
  return made.id;
}

const get = (path: string) => server.request('GET', `/api/v1${path}`);

describe('performance over HTTP', () => {
  it('takes reports, and answers the analysis, the history and the report over all', async () => {
    await server.app.sync.run(id);
    const calls = provider.seen.length;
    const report = { avgResponseTime: 150, successRate: 95, errorRate: 5, totalRequests: 1000 };
    const reported = await server.request('POST', `/api/v1/integrations/${id}/metrics`, { body: report });
    expect(reported.status).toBe(204);
    const { status, json } = await get(`/integrations/${id}/performance`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      monitoring: 'on',
      verdict: 'not enough data',
      overallScore: null,
      source: 'measured',
      samples: { have: calls, needed: 30 },
      metrics: { totalRequests: calls, errorRate: 0 },
      reported: { source: 'reported', totalRequests: 1000, errorRate: 5 },
      errorBound: 1.083,
    });
    const history = await get(`/integrations/${id}/performance/history?resolution=minute`);
    const sum = (source: string) =>
      history.json.points
        .filter((point: { source: string }) => point.source === source)
        .reduce((total: number, point: { totalRequests: number }) => total + point.totalRequests, 0);
    expect([sum('measured'), sum('reported')]).toEqual([calls, 1000]);
    const all = await get('/performance');
    expect(all.json.summary).toMatchObject({ totalRequests: calls, reported: { totalRequests: 1000 } });
    expect(all.json.busiest.map((one: { name: string; source: string }) => `${one.name} ${one.source}`)).toEqual([
      'Ours reported',
      'Ours measured',
    ]);
    expect((await get('/performance/summary')).json).toEqual(all.json.summary);
  });

  it.each([
    ['/performance/history?resolution=minute&from=2026-01-01T00:00:00Z', 400],
    ['/performance/history?from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 400],
    ['/performance/history?resolution=second', 400],
    ['/performance/history?from=yesterday', 400],
  ])('refuses %s', async (path, status) => {
    expect((await get(`/integrations/${id}${path}`)).status).toBe(status);
  });

  it('refuses reports that contradict themselves, and integrations that do not exist', async () => {
    const post = (of: string, body: unknown) => server.request('POST', `/api/v1/integrations/${of}/metrics`, { body });
    expect((await post(id, { successRate: 97, errorRate: 5 })).json).toMatchObject({
      code: 'INVALID_INPUT',
      errors: [{ pointer: '/errorRate' }],
    });
    expect((await post('integration-123', { errorRate: 5 })).status).toBe(404);
    expect((await get('/integrations/integration-123/performance')).status).toBe(404);
  });

  it('shows each user only what they may see', async () => {
    const { performanceMonitoringService: service } = server.app;
    const theirs = await create('Theirs', 'them');
    await service.recordMetrics(theirs, { totalRequests: 5, errorRate: 100 });
    await service.recordMetrics('a name of a library', { totalRequests: 7, errorRate: 0 });
    for (const one of [theirs, 'a name of a library', id]) await service.analyzeIntegrationPerformance(one);
    const none = { ids: [], owners: [], platforms: [] };
    const seen = async (visible: Parameters<typeof service.getGlobalPerformanceReport>[0]) => {
      const { summary, busiest } = await service.getGlobalPerformanceReport(visible);
      return [summary.reported.totalRequests, busiest.map((one) => one.integrationId).toSorted()] as const;
    };
    expect(await seen({ kind: 'none' })).toEqual([0, []]);
    expect(await seen({ kind: 'some', only: { ...none, owners: ['them'] }, except: none, within: null })).toEqual([
      5,
      [theirs],
    ]);
    expect(await seen({ kind: 'some', only: { ...none, ids: [id] }, except: none, within: null })).toEqual([
      1000,
      [id, id],
    ]);
    const butOurs = { kind: 'some', only: null, except: { ...none, ids: [id] }, within: null } as const;
    expect(await seen(butOurs)).toEqual([5, [theirs]]);
    expect((await seen({ kind: 'all' }))[0]).toBe(1012);
  });

  it('is erased with its integration', async () => {
    await server.app.integrationService.deleteIntegration(id);
    expect((await get(`/integrations/${id}/performance`)).status).toBe(404);
    const { busiest } = (await get('/performance')).json;
    expect(busiest.map((one: { integrationId: string }) => one.integrationId)).not.toContain(id);
  });
});
