import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { App } from '../../src/app.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { ConnectionFailedError, IntegrationDisconnectedError } from '../../src/integrations/errors.ts';
import type { Integration } from '../../src/integrations/types.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';

const database = useTestDatabase();
let app: App;
let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
  app = await openTestApp(database.url);
});
afterAll(async () => {
  await app?.close();
  await provider?.close();
});
beforeEach(() => {
  provider.answer = null;
});

async function create(change: { key?: string; connector?: JsonObject } = {}): Promise<Integration> {
  return app.integrationService.createIntegration({
    name: 'Items',
    platform: 'http',
    credentials: { apiKey: change.key ?? provider.key },
    configuration: { connector: { retry: { maxAttempts: 1 }, ...(change.connector ?? describeProvider(provider)) } },
  });
}

describe('testing a connection', () => {
  it('proves right credentials, names the account and remembers it', async () => {
    const integration = await create();
    const result = await app.integrationService.testConnection(integration);
    expect(result).toMatchObject({
      success: true,
      status: 'connected',
      details: { account: 'octo', httpStatus: 200, platform: 'http' },
    });
    expect(result.error).toBeUndefined();
    expect(result.latencyMs).toBeGreaterThanOrEqual(0);
    expect(await app.integrationService.getIntegrationById(integration.id)).toMatchObject({
      status: 'connected',
      statusReason: null,
    });
  });

  const answers: [string, number, Record<string, string>, string][] = [
    ['missing_scope', 403, {}, 'permission'],
    ['rate_limited', 429, { 'retry-after': '120' }, 'try again in 120 seconds'],
    ['provider_error', 503, {}, 'HTTP 503'],
    ['not_found', 404, {}, 'connection fields'],
  ];
  it.each(answers)('tells %s (HTTP %i) and what to do', async (status, http, headers, advice) => {
    provider.answer = (_request, response) => {
      response.writeHead(http, { 'content-type': 'application/json', ...headers });
      response.end('{"error":{"message":"because"}}');
    };
    const result = await app.integrationService.testConnection(await create());
    expect(result).toMatchObject({ success: false, status, details: { httpStatus: http } });
    expect(result.error).toContain(advice);
    expect(result.error).toContain('because');
  });

  it('tells wrong credentials, without showing them', async () => {
    const integration = await create({ key: 'wrong-canary-41' });
    const result = await app.integrationService.testConnection(integration);
    expect(result).toMatchObject({
      success: false,
      status: 'wrong_credentials',
      details: { httpStatus: 401, providerMessage: 'bad key' },
    });
    expect(JSON.stringify(result)).not.toContain('canary-41');
    expect(await app.integrationService.getIntegrationById(integration.id)).toMatchObject({ status: 'error' });
  });

  it('tells a public endpoint that would answer anybody', async () => {
    const result = await app.integrationService.testConnection(
      await create({ connector: describeProvider(provider, '/public') }),
    );
    expect(result).toMatchObject({ success: false, status: 'public_endpoint' });
  });

  it('tells a server that is not there', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    const result = await app.integrationService.testConnection(
      await create({ connector: { ...describeProvider(provider), baseUrl: `http://127.0.0.1:${port}` } }),
    );
    expect(result).toMatchObject({ success: false, status: 'unreachable' });
  });

  it('tells a name that does not exist, a private address, a broken TLS and a wrong page', async () => {
    const base = describeProvider(provider);
    const test = async (baseUrl: string) =>
      (await app.integrationService.testConnection(await create({ connector: { ...base, baseUrl } }))).status;
    expect(await test('http://no-such-host.invalid')).toBe('dns_error');
    expect(await test('http://10.0.0.1')).toBe('blocked');
    expect(await test(provider.url.replace('http:', 'https:'))).toBe('tls_error');
    provider.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<html>Please log in</html>');
    };
    expect(await test(provider.url)).toBe('bad_response');
  });

  it('asks for credentials when there are none', async () => {
    const integration = await app.integrationService.createIntegration({
      name: 'Later',
      platform: 'github',
    });
    expect(await app.integrationService.testConnection(integration)).toMatchObject({
      success: false,
      status: 'missing_credentials',
    });
  });
});

describe('stored credentials', () => {
  it('do not follow a changed address: the change needs them again', async () => {
    const thief = await startProvider();
    onTestFinished(() => thief.close());
    const { id } = await create();
    const connector = { retry: { maxAttempts: 1 }, ...describeProvider(thief) };
    await expect(app.integrationService.updateIntegration(id, { configuration: { connector } })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ pointer: '/credentials', detail: expect.stringContaining(thief.url) }],
    });
    const changed = await app.integrationService.updateIntegration(id, {
      configuration: { connector },
      credentials: { apiKey: thief.key },
    });
    expect(await app.integrationService.testConnection(changed)).toMatchObject({ success: true });
  });

  it('do not follow a platform whose description was changed to lead elsewhere', async () => {
    const thief = await startProvider();
    onTestFinished(() => thief.close());
    const describe = (url: string) =>
      JSON.stringify({
        platform: 'moved',
        title: 'Moved',
        category: 'other',
        docsUrl: 'https://example.com/',
        apiVersion: '1',
        ...describeProvider(provider),
        baseUrl: url,
      });
    await app.connectors.save(describe(provider.url));
    const integration = await app.integrationService.createIntegration({
      name: 'Moved',
      platform: 'moved',
      credentials: { apiKey: provider.key },
    });
    expect(await app.integrationService.testConnection(integration)).toMatchObject({ success: true });
    await app.connectors.save(describe(thief.url));
    const result = await app.integrationService.testConnection(integration);
    expect(result).toMatchObject({ success: false, status: 'other_origin' });
    expect(result.error).toContain(thief.url);
    expect(await app.integrationService.syncIntegration(integration.id)).toMatchObject({
      success: false,
      error: { code: 'CREDENTIALS_FOR_OTHER_ORIGIN' },
    });
    expect(thief.seen).toEqual([]);
  });

  it('cannot be sent elsewhere by someone who writes to the database', async () => {
    const integration = await create();
    await database.current.pool.query(
      "update credentials set origins = array['http://127.0.0.1:1'] where integration_id = $1",
      [integration.id],
    );
    await expect(app.integrationService.testConnection(integration)).rejects.toMatchObject({
      code: 'CREDENTIALS_UNREADABLE',
    });
  });
});

describe('connecting and disconnecting', () => {
  it('connects only what works, and sends nothing once disconnected', async () => {
    const integration = await create();
    await app.integrationService.connectIntegration(integration.id);
    await app.integrationService.disconnectIntegration(integration.id);
    expect(await app.integrationService.getIntegrationById(integration.id)).toMatchObject({ status: 'disconnected' });
    await expect(app.integrationService.startSync(integration.id)).rejects.toBeInstanceOf(IntegrationDisconnectedError);
    await expect(app.integrationService.syncIntegration(integration.id)).rejects.toBeInstanceOf(
      IntegrationDisconnectedError,
    );
    await app.integrationService.connectIntegration(integration.id);
    expect(await app.integrationService.getIntegrationById(integration.id)).toMatchObject({ status: 'connected' });
    expect(await app.integrationService.syncIntegration(integration.id)).toMatchObject({
      success: true,
      recordsAdded: 25,
    });
  });

  it('stays disconnected whatever a test or a change in flight had begun with', async () => {
    const { id, version } = await create();
    let release: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      provider.answer = (_request, response) => {
        resolve();
        release = () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"login":"octo"}');
      };
    });
    const test = app.integrationService.testConnection((await app.integrationService.getIntegrationById(id))!);
    await asked;
    await app.integrationService.disconnectIntegration(id);
    provider.answer = null;
    release();
    await test;
    expect(await app.integrationService.getIntegrationById(id)).toMatchObject({ status: 'disconnected' });
    await expect(app.integrationService.updateIntegration(id, { name: 'late', version })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await app.integrationService.updateIntegration(id, { credentials: { apiKey: provider.key } });
    expect(await app.integrationService.getIntegrationById(id)).toMatchObject({ status: 'disconnected' });
  });

  it('sends nothing for a run that was queued before the disconnection', async () => {
    const { id } = await create();
    await database.current.pool.query(
      `insert into sync_runs (id, integration_id, trigger, status) values ('syn_early', $1, 'schedule', 'queued')`,
      [id],
    );
    await database.current.pool.query(`update integrations set status = 'disconnected' where id = $1`, [id]);
    const before = provider.seen.length;
    expect(await app.sync.waitForRun('syn_early', AbortSignal.timeout(20_000))).toMatchObject({
      success: false,
      error: { code: 'INTEGRATION_DISCONNECTED' },
    });
    expect(provider.seen.length).toBe(before);
  });

  it('says why it could not connect', async () => {
    const { id } = await create({ key: 'wrong' });
    const error = await app.integrationService.connectIntegration(id).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectionFailedError);
    expect((error as ConnectionFailedError).result.status).toBe('wrong_credentials');
  });
});

describe('health and metrics', () => {
  it('count exactly the calls that the provider saw', async () => {
    const { id } = await create();
    const before = provider.seen.length;
    await app.integrationService.syncIntegration(id);
    const health = await app.integrationService.checkIntegrationHealth(id);
    const metrics = await app.integrationService.getIntegrationMetrics(id);
    expect(health).toMatchObject({ integrationId: id, status: 'healthy' });
    expect(health.checks.map(({ name, state }) => [name, state])).toEqual([
      ['connection', 'pass'],
      ['circuit_breaker', 'pass'],
      ['last_sync', 'pass'],
      ['error_rate', 'unknown'],
    ]);
    expect(metrics).toMatchObject({ recordsSynced: 25, recordCount: 25, syncRuns: 1, failedSyncRuns: 0 });
    expect(metrics.totalRequests).toBe(provider.seen.length - before);
    expect(metrics.p99ResponseTime).toBeGreaterThanOrEqual(metrics.p50ResponseTime!);
  });

  it('turn unhealthy with the credentials', async () => {
    const { id } = await create();
    await app.integrationService.syncIntegration(id);
    await app.integrationService.updateIntegration(id, { credentials: { apiKey: 'revoked' } });
    expect(await app.integrationService.checkIntegrationHealth(id)).toMatchObject({
      status: 'unhealthy',
      connection: { status: 'wrong_credentials' },
    });
  });

  it('without a single call say so instead of inventing a number', async () => {
    const { id } = await create();
    expect(await app.integrationService.getIntegrationMetrics(id)).toMatchObject({
      totalRequests: 0,
      successRate: null,
      p95ResponseTime: null,
    });
  });
});

describe('the rate limit of an integration', () => {
  it('admits what is configured and then says when to come back', async () => {
    const { id } = await app.integrationService.createIntegration({
      name: 'Limited',
      platform: 'http',
      credentials: { apiKey: provider.key },
      configuration: { connector: describeProvider(provider), rateLimits: { requestsPerHour: 3 } },
    });
    const results = [];
    for (let call = 0; call < 4; call += 1) results.push(await app.integrationService.checkRateLimit(id, 'api_call'));
    expect(results.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
    expect(results[3]!.retryAfter).toBeGreaterThan(3500);
    expect(results[3]).toMatchObject({ action: 'api_call', limit: 3 });
  });
});
