import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { ConflictError } from '../../src/core/errors.ts';
import { IntegrationNotFoundError } from '../../src/integrations/errors.ts';
import type { CreateIntegrationData } from '../../src/integrations/types.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
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

function data(change: Partial<CreateIntegrationData> = {}): CreateIntegrationData {
  return {
    name: 'Items',
    platform: 'http',
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
    ...change,
  };
}

describe('an integration', () => {
  it('is created as the specification shows it', async () => {
    const integration = await app.integrationService.createIntegration({
      name: 'My Twitter Integration',
      type: 'social_media',
      platform: 'twitter',
      credentials: { apiKey: 'xxx', apiSecret: 'xxx' },
      configuration: { syncFrequency: 'hourly', rateLimits: { requestsPerMinute: 60 } },
    });
    expect(integration).toMatchObject({
      name: 'My Twitter Integration',
      type: 'social_media',
      platform: 'twitter',
      status: 'pending',
      owner: 'default',
      version: 1,
      credentialFields: ['apiKey', 'apiSecret'],
      configuration: { syncFrequency: 'hourly', rateLimits: { requestsPerMinute: 60 } },
    });
    expect(await app.integrationService.getIntegrationById(integration.id)).toEqual(integration);
    expect(await app.integrationService.getIntegrations()).toContainEqual(integration);
  });

  it('never gives its credentials back, and stores them sealed', async () => {
    const canary = 'canary-3b9e1f0a77';
    const integration = await app.integrationService.createIntegration(data({ credentials: { apiKey: canary } }));
    expect(JSON.stringify(integration)).not.toContain(canary);
    const { rows } = await database.current.pool.query(
      'select to_jsonb(c) as row from credentials c where integration_id = $1',
      [integration.id],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(canary);
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(canary).toString('base64').slice(0, -2));
    expect(await app.credentials.load(integration.id)).toEqual({ apiKey: canary });
  });

  it('is changed by key, and a key set to null is removed', async () => {
    const created = await app.integrationService.createIntegration(
      data({
        configuration: { connector: describeProvider(provider), syncFrequency: '15m', deletionSafetyPercent: 5 },
      }),
    );
    const changed = await app.integrationService.updateIntegration(created.id, {
      name: 'Renamed',
      configuration: { syncFrequency: null, streams: ['items'] },
    });
    expect(changed).toMatchObject({
      name: 'Renamed',
      version: 2,
      configuration: { deletionSafetyPercent: 5, streams: ['items'] },
    });
    expect(changed.configuration.syncFrequency).toBeUndefined();
  });

  it('tells the loser of two concurrent changes, and merges nothing', async () => {
    const { id, version } = await app.integrationService.createIntegration(data());
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        app.integrationService.updateIntegration(id, { name: `writer ${index}`, version }),
      ),
    );
    const won = results.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(ConflictError);
    expect(await app.integrationService.getIntegrationById(id)).toMatchObject({ name: won[0]!.value.name, version: 2 });
  });

  it('is gone with its credentials once deleted, and its records follow', async () => {
    const { id } = await app.integrationService.createIntegration(data());
    await app.integrationService.syncIntegration(id);
    await app.integrationService.deleteIntegration(id);
    expect(await app.integrationService.getIntegrationById(id)).toBeNull();
    expect(await app.credentials.load(id)).toBeNull();
    await expect(app.integrationService.startSync(id)).rejects.toBeInstanceOf(IntegrationNotFoundError);
    await expect(app.integrationService.deleteIntegration(id)).rejects.toBeInstanceOf(IntegrationNotFoundError);
    expect(await left(id)).toEqual({ integrations: 1, records: 25 });
    await database.current.pool.query(`update pgboss.job set start_after = now() where name = 'integration.erase'`);
    await eventually('its row and records to be gone', async () => {
      const { integrations, records } = await left(id);
      return integrations === 0 && records === 0;
    });
  });

  it('is erased in the end also when its job was lost', async () => {
    const { id } = await app.integrationService.createIntegration(data());
    await app.integrationService.syncIntegration(id);
    await database.current.pool.query(`update integrations set status = 'deleting' where id = $1`, [id]);
    await app.jobs.enqueue('integration.eraseLeftovers', {});
    await eventually('its row and records to be gone', async () => {
      const { integrations, records } = await left(id);
      return integrations === 0 && records === 0;
    });
    expect(await app.credentials.load(id)).toBeNull();
  });

  async function left(id: string) {
    const { rows } = await database.current.pool.query(
      `select (select count(*)::int from integrations where id = $1) as integrations,
              (select count(*)::int from records where integration_id = $1) as records`,
      [id],
    );
    return rows[0];
  }
});

describe('an unknown id', () => {
  it('gives null to getIntegrationById and IntegrationNotFoundError to every other method', async () => {
    const { integrationService: service } = app;
    expect(await service.getIntegrationById('int_unknown')).toBeNull();
    const known = await service.createIntegration(data());
    const calls = [
      service.updateIntegration('int_unknown', { name: 'x' }),
      service.deleteIntegration('int_unknown'),
      service.testConnection({ ...known, id: 'int_unknown' }),
      service.connectIntegration('int_unknown'),
      service.disconnectIntegration('int_unknown'),
      service.startSync('int_unknown'),
      service.stopSync('int_unknown'),
      service.syncIntegration('int_unknown'),
      service.checkIntegrationHealth('int_unknown'),
      service.getIntegrationMetrics('int_unknown'),
      service.getWebhooks('int_unknown'),
      service.addWebhook('int_unknown', { url: 'https://example.com/', events: ['*'] }),
      service.checkRateLimit('int_unknown', 'api_call'),
    ];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'INTEGRATION_NOT_FOUND' } });
    }
  });
});
