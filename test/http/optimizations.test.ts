import { afterAll, beforeAll, expect, it } from 'vitest';
import { addCalls, addRuns } from '../performance/tuning/support/history.ts';
import { describeSlowProvider } from '../performance/tuning/support/slowProvider.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
let id: string;
let path: string;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  const provider = { url: 'https://example.com', behaviour: { latencyMs: () => 0 }, mostAtOnce: 0, sizes: [] };
  const connector = describeSlowProvider(provider, { value: 10, max: 80 });
  const made = await server.request('POST', '/api/v1/integrations', {
    body: { name: 'Slow', platform: 'http', configuration: { connector } },
  });
  id = made.json.id;
  path = `/api/v1/integrations/${id}`;
});
afterAll(() => server?.close());

it('says what is missing, starts an experiment, shows its progress and its history, and takes it back', async () => {
  const early = await server.request('POST', `${path}/optimize`);
  expect([early.status, early.json.status]).toEqual([200, 'not_enough_data']);

  await addRuns(database.current, id, { count: 8, fromMs: Date.now() - 3_600_000, seconds: 10 });
  await addCalls(database.current, id, 60);
  const started = (await server.request('POST', `${path}/optimize`)).json;
  expect(started).toMatchObject({
    integrationId: id,
    status: 'started',
    change: { knob: 'pageSizePercent', from: null, to: 200, evidence: { pagesPerRun: 10 } },
    performanceGain: null,
    before: { succeededRuns: 8, calls: 60 },
    revert: `POST ${path}/optimizations/${started.experimentId}/revert`,
  });
  expect((await server.request('GET', `${path}/tuning`)).json).toMatchObject({ pageSizePercent: 200, version: 1 });
  expect((await server.request('POST', `${path}/optimize`)).json).toMatchObject({ status: 'running' });

  const [, revert] = started.revert.split(' ');
  expect((await server.request('POST', revert)).json).toMatchObject({ id: started.experimentId, status: 'reverted' });
  const history = (await server.request('GET', `${path}/optimizations?limit=1`)).json;
  expect(history.data).toMatchObject([{ id: started.experimentId, verdict: 'taken back by hand' }]);
  const rest = (await server.request('GET', `${path}/optimizations?cursor=${history.nextCursor}`)).json;
  expect(rest).toEqual({ data: [], nextCursor: null });
  const unknown = await server.request('POST', `${path}/optimizations/exp_none/revert`);
  expect([unknown.status, unknown.json.code]).toEqual([404, 'EXPERIMENT_NOT_FOUND']);
});

it('is tuned by hand within the bounds, and the audit log has it', async () => {
  const set = await server.request('PUT', `${path}/tuning`, {
    body: { rateSharePercent: 50, headersMs: 5_000, cacheValidators: true },
  });
  expect([set.status, set.json]).toEqual([
    200,
    expect.objectContaining({ rateSharePercent: 50, headersMs: 5_000, cacheValidators: true, pageSizePercent: null }),
  ]);
  const wrong = await server.request('PUT', `${path}/tuning`, { body: { rateSharePercent: 150 } });
  expect([wrong.status, wrong.json.errors[0].pointer]).toEqual([400, '/rateSharePercent']);
  await server.app.audit.flush();
  const actions = (await server.app.audit.list({}, 100)).map((entry) => JSON.stringify(entry));
  for (const action of ['tuning.experiment_started', 'tuning.experiment_reverted', 'tuning.changed'])
    expect(actions.filter((entry) => entry.includes(`"${action}"`))).toHaveLength(1);
});
