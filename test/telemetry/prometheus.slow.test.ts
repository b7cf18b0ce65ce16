import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Histogram } from '../../src/performance/histogram.ts';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { closedPort } from '../outgoing/support/servers.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';

const isInstalled = ['prometheus', 'promtool'].every((name) => spawnSync(name, ['--version']).status === 0);
if (!isInstalled && process.env.REQUIRE_SERVICES) throw new Error('apt-get install prometheus');

const BUCKET_WIDTH = 2 ** (1 / 32);
const CALLS = 20;

describe.skipIf(!isInstalled)("Prometheus, from Debian's package", () => {
  const database = useTestDatabase();
  let server: TestServer;
  let provider: Provider;
  let prometheus: ChildProcess;
  let folder: string;
  let url: string;

  beforeAll(async () => {
    provider = await startProvider();
    server = await openTestServer(database.url);
    const { id } = await server.app.catalog.create({
      name: 'Scraped',
      platform: 'http',
      credentials: { apiKey: provider.key },
      configuration: { connector: describeProvider(provider) },
    });
    await server.app.sync.run(id);
    for (let call = 3; call < CALLS; call++) await server.request('POST', `/api/v1/integrations/${id}/test`);

    folder = mkdtempSync(join(tmpdir(), 'is-prometheus-'));
    const config = `
global: { scrape_interval: 1s, scrape_timeout: 900ms }
scrape_configs:
  - job_name: integration-services
    authorization: { credentials: ${server.app.secrets.apiKey} }
    static_configs: [{ targets: ['${new URL(server.url).host}'] }]
  - job_name: without-a-key
    static_configs: [{ targets: ['${new URL(server.url).host}'] }]
`;
    writeFileSync(join(folder, 'prometheus.yml'), config);
    const port = await closedPort();
    url = `http://127.0.0.1:${port}`;
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=native-histograms',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
  }, 120_000);
  afterAll(async () => {
    if (prometheus?.exitCode === null) {
      prometheus.kill('SIGKILL');
      await once(prometheus, 'close');
    }
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    await server?.close();
    await provider?.close();
  });

  /** Values by their labels; undefined while there are none, or Prometheus is not there yet. */
  async function query(promql: string): Promise<{ metric: Record<string, string>; value: number }[] | undefined> {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(promql)}`).catch(() => undefined);
    if (answer?.ok !== true) return undefined;
    const { data } = (await answer.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (data.result.length === 0) return undefined;
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  it('promtool finds nothing to say', async () => {
    const { text } = await server.request('GET', '/metrics', { headers: { accept: 'text/plain' } });
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text });
    expect([String(stdout) + String(stderr), status]).toEqual(['', 0]);
  });

  it('scrapes with a key, and not without', async () => {
    const up = await eventually('a scrape', async () => {
      const found = await query('up');
      return found?.some(({ value }) => value === 1) ? found : undefined;
    });
    expect(Object.fromEntries(up.map(({ metric, value }) => [metric.job, value]))).toEqual({
      'integration-services': 1,
      'without-a-key': 0,
    });
    const attempts = await eventually('the attempts', () => query('sum(integration_services_outgoing_attempts_total)'));
    expect(attempts[0]!.value).toBeGreaterThanOrEqual(CALLS);
  });

  it('answers quantiles of native histograms as they were recorded', async () => {
    const name = 'integration_services_outgoing_duration_seconds';
    const family = (await server.app.telemetry.families()).find((one) => one.name === name)!;
    if (family.type !== 'histogram') throw new Error('no histogram');
    const recorded = new Histogram();
    for (const { native } of family.samples) recorded.merge(Histogram.of(native!));
    // No labels le: it is the native histogram that is asked.
    const [count] = await eventually('the histogram', () => query(`histogram_count(sum(${name}))`));
    expect(count!.value).toBe(recorded.count);
    const [sum] = (await query(`histogram_sum(sum(${name}))`))!;
    expect(sum!.value).toBeCloseTo(recorded.sum, 6);
    expect(await query(`${name}_bucket`)).toBeUndefined();
    for (const q of [0.5, 0.9]) {
      const [found] = (await query(`histogram_quantile(${q}, sum(${name}))`))!;
      const truth = recorded.quantile(q)!;
      expect(found!.value / truth).toBeGreaterThan(1 / BUCKET_WIDTH ** 2);
      expect(found!.value / truth).toBeLessThan(BUCKET_WIDTH ** 2);
    }
  });
});
