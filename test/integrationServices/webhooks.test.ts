import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();
let app: App;
let integrationId: string;

beforeAll(async () => {
  app = await openTestApp(database.url, { workers: false });
  ({ id: integrationId } = await app.integrationService.createIntegration({ name: 'Code', platform: 'github' }));
});
afterAll(() => app?.close());

describe('webhooks of an integration', () => {
  it('are added, listed, changed and deleted; the secret is never listed', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    await app.integrationService.addWebhook(integrationId, {
      url: 'https://example.com/hook',
      events: ['sync.completed'],
      secret,
    });
    const [webhook] = await app.integrationService.getWebhooks(integrationId);
    expect(webhook).toMatchObject({ url: 'https://example.com/hook', events: ['sync.completed'], active: true });
    expect(JSON.stringify(webhook)).not.toContain(secret);
    await app.integrationService.updateWebhook(webhook!.id!, { active: false, events: ['*'] });
    expect(await app.integrationService.getWebhooks(integrationId)).toMatchObject([
      { active: false, events: ['*'], url: 'https://example.com/hook' },
    ]);
    await app.integrationService.deleteWebhook(webhook!.id!);
    expect(await app.integrationService.getWebhooks(integrationId)).toEqual([]);
    await expect(app.integrationService.deleteWebhook(webhook!.id!)).rejects.toMatchObject({
      code: 'WEBHOOK_NOT_FOUND',
    });
    await expect(app.integrationService.updateWebhook(webhook!.id!, { active: true })).rejects.toMatchObject({
      code: 'WEBHOOK_NOT_FOUND',
    });
  });

  it('are refused with a reason', async () => {
    const add = (webhook: object) =>
      app.integrationService.addWebhook(integrationId, webhook as never).catch((error: Error) => error.message);
    expect(await add({ url: 'ftp://x', events: ['*'] })).toMatch(/url: takes an http or https address/);
    expect(await add({ url: 'https://x.example', events: [] })).toMatch(/events: takes at least one event/);
    expect(await add({ url: 'https://x.example', events: ['Not An Event'] })).toMatch(/events.0: takes an event type/);
    expect(await add({ url: 'https://x.example', events: ['*'], secret: 'short' })).toMatch(/secret: takes "whsec_"/);
    expect(await app.integrationService.getWebhooks(integrationId)).toEqual([]);
  });

  it('are bounded in number, also when added at once', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 110 }, (_, index) =>
        app.integrationService.addWebhook(integrationId, { url: `https://example.com/${index}`, events: ['*'] }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
  });
});
