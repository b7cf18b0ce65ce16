import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';

const database = useTestDatabase();
let app: App;
let provider: Provider;
/** Keys that the provider accepts. */
let accepted: string[];
beforeAll(async () => {
  app = await openTestApp(database.url);
});
afterAll(() => app.close());
beforeEach(async () => {
  provider = await startProvider(45);
  accepted = [provider.key];
  provider.answer = async (request, response) => {
    // Time for somebody to change something between two pages.
    await delay(200);
    const page = Number(new URL(request.url!, provider.url).searchParams.get('page') ?? 1);
    const known = accepted.some((key) => request.headers.authorization === `Bearer ${key}`);
    const items = provider.items.slice((page - 1) * 10, page * 10);
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known ? { items } : {}));
  };
  return () => provider.close();
});

async function add(streams: readonly string[]) {
  const { streams: _, ...connector } = describeProvider(provider);
  const description = (name: string) => ({
    name,
    title: name,
    path: `/${name}`,
    recordsPath: 'items',
    primaryKey: 'id',
  });
  return app.integrationService.createIntegration({
    name: 'changes its key',
    platform: 'http',
    credentials: { apiKey: provider.key },
    configuration: { connector: { ...connector, streams: streams.map(description) } },
  });
}

/** The keys that came with the requests for a stream. */
const keysFor = (stream: string) =>
  provider.seen.filter(({ url }) => url.startsWith(`/${stream}`)).map(({ authorization }) => authorization);

const replaceKey = (id: string, apiKey: string) =>
  app.integrationService.updateIntegration(id, { credentials: { apiKey } });

describe('credentials that are replaced while a sync runs', () => {
  test('are taken when the old ones are refused, and the read goes on from the last page', async () => {
    const { id } = await add(['items']);
    const running = app.integrationService.syncIntegration(id);
    await eventually('the second page to be asked for', () => provider.seen.length >= 2);
    accepted = ['provider-key-new'];
    await replaceKey(id, 'provider-key-new');
    expect(await running).toMatchObject({ success: true, recordsAdded: 45, pages: 5 });
    // No page came twice.
    expect(keysFor('items').filter((key) => key === 'Bearer provider-key-new').length).toBeLessThan(5);
  });

  test('are taken for the streams that come after', async () => {
    const { id } = await add(['items', 'things']);
    const running = app.integrationService.syncIntegration(id);
    await eventually('the first stream', () => keysFor('items').length > 0);
    accepted.push('provider-key-new');
    await replaceKey(id, 'provider-key-new');
    expect(await running).toMatchObject({ success: true, recordsAdded: 90 });
    expect(new Set(keysFor('items'))).toEqual(new Set([`Bearer ${provider.key}`]));
    expect(new Set(keysFor('things'))).toEqual(new Set(['Bearer provider-key-new']));
  });

  test('do not keep a run from failing when none came', async () => {
    const { id } = await add(['items']);
    accepted = [];
    expect(await app.integrationService.syncIntegration(id)).toMatchObject({
      status: 'failed',
      error: { code: 'OUTGOING_CALL_FAILED', stream: 'items' },
    });
    expect(keysFor('items')).toHaveLength(1);
  });
});
