import parse from 'parse-prometheus-text-format';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addMember } from '../access/support/members.ts';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { type DecodedFamily, decodeFamilies, nativeCounts } from './support/metricFamilies.ts';

const database = useTestDatabase();
let server: TestServer;
let provider: Provider;
let id: string;

beforeAll(async () => {
  provider = await startProvider();
  server = await openTestServer(database.url);
  const made = await server.app.catalog.create({
    name: 'Measured',
    platform: 'http',
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
  });
  id = made.id;
  await server.app.sync.run(id);
  await server.request('GET', `/api/v1/integrations/${id}?secret=in-the-query`);
});
afterAll(async () => {
  await server?.close();
  await provider?.close();
});

async function scrape(accept: string): Promise<{ type: string; body: Buffer }> {
  const answer = await fetch(`${server.url}/metrics`, {
    headers: { authorization: `Bearer ${server.app.secrets.apiKey}`, accept },
  });
  expect(answer.status).toBe(200);
  return { type: answer.headers.get('content-type')!, body: Buffer.from(await answer.arrayBuffer()) };
}

it('is refused without a key, and to whoever may not read metrics', async () => {
  expect((await server.request('GET', '/metrics', { key: null })).status).toBe(401);
  const viewer = await addMember(server.app, 'viewer');
  expect((await server.request('GET', '/metrics', { key: viewer.key })).status).toBe(403);
  const admin = await addMember(server.app, 'admin');
  expect((await server.request('GET', '/metrics', { key: admin.key })).status).toBe(200);
});

it('tells in text what was done', async () => {
  const { type, body } = await scrape('text/plain');
  expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
  const families = parse(body.toString());
  const metricsOf = (name: string) =>
    families.find((family) => family.name === `integration_services_${name}`)!.metrics;
  expect(metricsOf('outgoing_attempts_total')).toEqual([
    { value: '3', labels: { platform: 'http', operation: 'sync', outcome: 'success' } },
  ]);
  expect(metricsOf('integration_attempts_total')).toContainEqual({
    value: '3',
    labels: { integration: id, result: 'success' },
  });
  expect(metricsOf('sync_records_total')).toContainEqual({ value: '25', labels: { change: 'added' } });
  expect(metricsOf('sync_runs_total')).toContainEqual({
    value: '1',
    labels: { trigger: 'manual', status: 'succeeded' },
  });
  expect(metricsOf('http_requests_total')).toContainEqual({
    value: '1',
    labels: { method: 'GET', route: '/api/v1/integrations/:id', status: '2xx' },
  });
  expect(metricsOf('circuit_breakers')).toContainEqual({ value: '1', labels: { state: 'closed' } });
  expect(metricsOf('rate_limit_store_up')).toEqual([{ value: '1', labels: { store: 'postgresql' } }]);
  expect(metricsOf('database_up')).toEqual([{ value: '1' }]);
  expect(metricsOf('queue_waiting').map(({ labels }) => labels!.queue)).toEqual([
    'sync_runs',
    'sync_schedules',
    'audit',
    'jobs',
  ]);
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds'])
    expect(families.map((family) => family.name)).toContain(name);
  for (const secret of [provider.key, 'in-the-query', server.app.secrets.apiKey]) {
    expect(body.toString()).not.toContain(secret);
  }
});

it('gives OpenMetrics and native histograms to whoever asks for them', async () => {
  const open = await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
  expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(open.body.toString().endsWith('# EOF\n')).toBe(true);

  const native = await scrape(
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.5',
  );
  expect(native.type).toContain('application/vnd.google.protobuf');
  const families = decodeFamilies(native.body);
  const found = (name: string) => families.find((family) => family.name === name) as DecodedFamily;
  const duration = found('integration_services_outgoing_duration_seconds');
  expect(duration.type).toBe('HISTOGRAM');
  const { histogram } = duration.metric[0]!;
  expect(histogram!.sampleCount).toBe(3);
  expect([...nativeCounts(histogram!).values()].reduce((a, b) => a + b, 0)).toBe(3);
  expect(found('integration_services_outgoing_attempts_total').metric[0]!.counter!.value).toBe(3);
  expect(found('process_resident_memory_bytes').metric[0]!.gauge!.value).toBeGreaterThan(1e6);
});
