// biome-ignore-all lint/suspicious/noExplicitAny: messages are decoded by their schema, without types
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantedSignals } from '../../src/telemetry/openTelemetry.ts';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { closedPort } from '../outgoing/support/servers.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { attributesOf, type CollectedSpan, type OtlpCollector, startOtlpCollector } from './support/otlpCollector.ts';

const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;

const database = useTestDatabase();
let provider: Provider;
beforeAll(async () => {
  provider = await startProvider();
});
afterAll(() => provider?.close());

function clearVariables(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
}

async function integrationOf(app: TestServer['app']): Promise<string> {
  const { id } = await app.catalog.create({
    name: 'Traced',
    platform: 'http',
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
  });
  return id;
}

describe('with a collector', () => {
  let collector: OtlpCollector;
  let spans: readonly CollectedSpan[];
  let id: string;

  beforeAll(async () => {
    collector = await startOtlpCollector();
    const server = await openTestServer(database.url, {
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_SERVICE_NAME: 'under-test',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=tests',
      },
    });
    id = await integrationOf(server.app);
    // The second page works at the second attempt.
    provider.answer = (request, response) => {
      if (!request.url!.includes('page=2')) return pass(request.url!, response);
      provider.answer = null;
      response.writeHead(503, { 'retry-after': '0' }).end();
    };
    const answer = await server.request('POST', `/api/v1/integrations/${id}/sync?wait=true`, {
      headers: { traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01` },
      body: {},
    });
    expect(answer.status).toBeLessThan(300);
    await eventually('the run', async () => (await server.app.sync.listRuns(id, { finished: true }))[0]);
    await server.request('POST', `/api/v1/integrations/${id}/test`);
    await server.close();
    clearVariables();
    ({ spans } = collector);
  });
  afterAll(() => collector?.close());

  /** As the provider itself would answer, since a set `answer` stands for all of it. */
  function pass(url: string, response: import('node:http').ServerResponse): void {
    const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 1);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ items: provider.items.slice((page - 1) * 10, page * 10) }));
  }

  const named = (name: string) => spans.filter((span) => span.name === name);
  const isAnswered = ({ attributes }: CollectedSpan) => Number(attributes['http.response.status_code']) < 300;
  const below = (parent: CollectedSpan) => spans.filter((span) => span.parentSpanId === parent.spanId);

  it('a trace of a sync shows its stream, its calls and its writes', () => {
    const [run] = named('sync run');
    expect(run!.parentSpanId).toBe('');
    expect(run!.attributes).toMatchObject({
      'integration_services.integration.id': id,
      'integration_services.sync.status': 'succeeded',
      'integration_services.sync.records_read': 25,
    });
    const [stream, ...others] = below(run!);
    expect(others).toEqual([]);
    expect([stream!.name, stream!.attributes['integration_services.sync.stream']]).toEqual(['sync stream', 'items']);
    const calls = below(stream!).filter(({ kind, name }) => kind === CLIENT && name === 'GET');
    expect(calls.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([200, 503, 200, 200]);
    expect(calls.map(({ status }) => status)).toEqual([0, ERROR, 0, 0]);
    expect(calls[2]!.attributes['http.request.resend_count']).toBe(1);
    expect(calls[1]!.attributes).toMatchObject({
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(provider.url).port),
      'url.path': '/items',
      'error.type': 'provider_error',
      'integration_services.platform': 'http',
    });
    for (const call of calls) {
      expect(call.traceId).toBe(run!.traceId);
      expect(call.startNano).toBeLessThanOrEqual(call.endNano);
    }
    expect(below(stream!).some(({ name }) => name === 'write pages')).toBe(true);
  });

  it('links the run to the request that asked for it, which is in the trace of its caller', () => {
    // A busy machine refuses some before.
    const request = named('POST /api/v1/integrations/:id/sync').find(isAnswered)!;
    expect([request.kind, request.traceId, request.parentSpanId]).toEqual([SERVER, CALLER.traceId, CALLER.spanId]);
    const [link] = named('sync run')[0]!.links;
    expect(link).toEqual({ traceId: request.traceId, spanId: request.spanId });
    expect(named('sync run')[0]!.traceId).not.toBe(CALLER.traceId);
  });

  it('shows a test of a connection below its request', () => {
    const request = named('POST /api/v1/integrations/:id/test').find(isAnswered)!;
    const [test] = below(request);
    expect(test!.name).toBe('connection test');
    // More than one when the provider had closed the connection meanwhile.
    const calls = below(test!).map(({ name, attributes }) => `${name} ${attributes['url.path']}`);
    expect(new Set(calls)).toEqual(new Set(['GET /me']));
  });

  it('says who sends, and no secret and no query', () => {
    expect(collector.resource).toMatchObject({
      'service.name': 'under-test',
      'deployment.environment.name': 'tests',
    });
    const sent = Buffer.concat(collector.bodies).toString('latin1');
    for (const secret of [provider.key, 'wait=true', 'per_page', 'isk_test']) expect(sent).not.toContain(secret);
  });

  it('sends metrics with exponential histograms of scale 5', () => {
    const attempts = collector.metrics.get('integration_services_outgoing_attempts')!;
    expect(attempts.sum).toMatchObject({ isMonotonic: true, aggregationTemporality: 2 });
    const counts = attempts.sum.dataPoints.map((point: any) => [
      attributesOf(point.attributes).outcome,
      point.asDouble,
    ]);
    expect(counts).toContainEqual(['provider_error', 1]);
    const duration = collector.metrics.get('integration_services_outgoing_duration')!;
    expect(duration.unit).toBe('s');
    const [point] = duration.exponentialHistogram.dataPoints;
    expect([point.scale, point.count]).toEqual([5, 4]);
    expect(point.positive.bucketCounts.reduce((a: number, b: number) => a + b, 0) + point.zeroCount).toBe(4);
    const middle = 2 ** ((point.positive.offset + 0.5) / 32);
    expect(middle).toBeLessThan(point.sum);
  });
});

it('does its work without a collector that answers, and ends in time', async () => {
  const app = await openTestApp(database.url, {
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await closedPort()}` },
  });
  const id = await integrationOf(app);
  expect(await app.sync.run(id)).toMatchObject({ success: true, recordsRead: 25 });
  const startedMs = performance.now();
  await app.close();
  clearVariables();
  // Three seconds for what is left; the rest is for a busy machine.
  expect(performance.now() - startedMs).toBeLessThan(15_000);
});

it.each([
  [{}, false, false],
  [{ OTEL_SERVICE_NAME: 'x' }, false, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }, true, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces' }, true, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_METRICS_EXPORTER: 'none' }, true, false],
  [{ OTEL_METRICS_EXPORTER: 'otlp' }, false, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' }, false, false],
])('%o exports traces: %s, metrics: %s', (variables, traces, metrics) => {
  expect(wantedSignals(variables as Record<string, string>)).toEqual({ traces, metrics });
});
