import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../../src/app.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { findIntegration } from '../../../src/integrations/integrationQueries.ts';
import { IntegrationProbes } from '../../../src/monitoring/health/integrationProbes.ts';
import { openTestApp } from '../../support/app.ts';
import { useTestDatabase } from '../../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../../support/provider.ts';

const database = useTestDatabase();
let app: App;
let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
  app = await openTestApp(database.url, { workers: false });
});
afterAll(async () => {
  await app?.close();
  await provider?.close();
});

const probes = (options: { tested?: string[] } = {}) =>
  new IntegrationProbes({
    database: app.database,
    clock: systemClock,
    log: silentLog,
    test: async (id) => {
      options.tested?.push(id);
      const integration = await findIntegration(app.database.db, id);
      return integration === null ? null : app.integrationService.testConnection(integration);
    },
  });

async function connect(name: string): Promise<string> {
  const { id } = await app.integrationService.createIntegration({
    name,
    type: 'api',
    platform: 'http',
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
  });
  await app.integrationService.connectIntegration(id);
  return id;
}

const makeDue = () => app.database.pool.query(`update integration_health set next_check_at = now()`);
const stateOf = async (id: string) =>
  (await app.database.pool.query('select * from integration_health where integration_id = $1', [id])).rows[0];

test('an integration without calls is probed, and one with calls is judged by them', async () => {
  const [quiet, busy] = [await connect('quiet'), await connect('busy')];
  await app.performanceRecorder.flush();
  await app.database.pool.query('delete from metric_minutes');
  await app.sync.run(busy);
  await app.performanceRecorder.flush();
  expect(await probes().look()).toBeLessThanOrEqual(2);
  await makeDue();
  const tested: string[] = [];
  await probes({ tested }).look();
  expect(tested).toEqual([quiet]);
  expect(await stateOf(quiet)).toMatchObject({ state: 'pass', source: 'probe', outcome: 'success', failures: 0 });
  expect(await stateOf(busy)).toMatchObject({ state: 'pass', source: 'traffic' });
  expect(await app.monitoringService.getIntegrationsHealth()).toMatchObject({
    states: { pass: 2, fail: 0 },
    failing: [],
    providersDown: [],
  });
});

test('a key that the provider no longer takes is found, and looked at less often', async () => {
  const id = await connect('revoked');
  await app.database.pool.query('delete from metric_minutes');
  await probes().look();
  const key = provider.key;
  provider.key = 'another';
  await makeDue();
  for (let round = 1; round <= 3; round++) {
    await app.database.pool.query('update integration_health set next_check_at = now() where integration_id = $1', [
      id,
    ]);
    await app.database.pool.query(`delete from integration_health where integration_id <> $1`, [id]);
    await probes().look();
  }
  provider.key = key;
  const row = await stateOf(id);
  expect(row).toMatchObject({ state: 'fail', outcome: 'wrong_credentials', failures: 3 });
  expect(row.next_check_at - row.checked_at).toBeGreaterThan(30 * 60_000);
  const { failing } = await app.monitoringService.getIntegrationsHealth();
  expect(failing).toMatchObject([{ integrationId: id, outcome: 'wrong_credentials', becauseOfProvider: false }]);
  expect(await app.monitoringService.getIntegrationsHealth({ kind: 'none' })).toMatchObject({ failing: [] });
});

test('while a provider is down its integrations are told apart, and only one of them is asked', async () => {
  const ids = [await connect('a'), await connect('b'), await connect('c'), await connect('d')];
  await app.database.pool.query('delete from metric_minutes');
  await app.database.pool.query('delete from integration_health');
  provider.answer = (_request, response) => void response.writeHead(503).end('{}');
  await probes().look();
  await app.database.pool.query('delete from integration_health where integration_id <> all($1)', [ids]);
  await makeDue();
  await probes().look();
  const { failing, providersDown } = await app.monitoringService.getIntegrationsHealth();
  expect(providersDown).toMatchObject([{ platform: 'http', failing: 4, outcome: 'provider_error' }]);
  expect(failing.every((one) => one.becauseOfProvider)).toBe(true);
  const health = await app.monitoringService.getHealth();
  expect(health.checks.integrations.integrations).toMatchObject({
    status: 'warn',
    output: 'Providers that are down: http.',
  });
  const tested: string[] = [];
  await app.database.pool.query(`update integration_health set next_check_at = now() where integration_id = any($1)`, [
    ids,
  ]);
  await probes({ tested }).look();
  expect(tested).toHaveLength(1);
  provider.answer = null;

  // It is back: nobody waits an hour for what failed with it.
  await app.database.pool.query(
    `update integration_health set next_check_at = case integration_id when $1 then now() else now() + interval '1 hour' end`,
    [ids[0]],
  );
  await probes().look();
  expect(await stateOf(ids[0]!)).toMatchObject({ state: 'pass' });
  const { rows } = await app.database.pool.query(
    `select integration_id from integration_health where state = 'fail' and next_check_at > now() + interval '61 seconds'`,
  );
  expect(rows).toEqual([]);
  await makeDue();
  await probes().look();
  expect((await app.monitoringService.getIntegrationsHealth()).providersDown).toEqual([]);
});

test('two processes share the work, and what is disconnected is let go of', async () => {
  await makeDue();
  const tested: string[] = [];
  await Promise.all([probes({ tested }).look(), probes({ tested }).look(), probes({ tested }).look()]);
  expect(new Set(tested).size).toBe(tested.length);
  const id = await connect('leaving');
  await probes().look();
  expect(await stateOf(id)).toBeDefined();
  await app.integrationService.disconnectIntegration(id);
  await makeDue();
  await probes().look();
  expect(await stateOf(id)).toBeUndefined();
});
