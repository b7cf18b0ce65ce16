import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { App } from '../../src/app.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();
let app: App;
beforeAll(async () => {
  app = await openTestApp(database.url);
});
afterAll(() => app?.close());

interface Account {
  readonly url: string;
  readonly key: string;
  /** Values of `since`, as they were asked for. */
  readonly since: (string | null)[];
}

/** A server with thirty records of one year, for one key; it gives what changed since a time. */
async function serveAccount(name: string, year: number): Promise<Account> {
  const key = `key-of-${name}`;
  const since: (string | null)[] = [];
  const items = Array.from({ length: 30 }, (_, minute) => ({
    id: `${name}-${minute}`,
    updated_at: new Date(Date.UTC(year, 0, 1, 0, minute)).toISOString(),
  }));
  const server = createServer((request, response) => {
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Bearer ${key}`) return answer(401, { error: 'bad key' });
    const { searchParams } = new URL(request.url!, 'http://account');
    since.push(searchParams.get('since'));
    const found = items.filter((item) => item.updated_at >= (searchParams.get('since') ?? ''));
    const from = Number(searchParams.get('after') ?? 0);
    return answer(200, {
      items: found.slice(from, from + 10),
      next: from + 10 < found.length ? String(from + 10) : null,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, since };
}

const DESCRIPTION: JsonObject = {
  check: { path: '/me' },
  pagination: { type: 'token', param: 'after', tokenPath: 'next' },
  streams: [
    {
      name: 'items',
      title: 'Items',
      path: '/items',
      params: { since: '{{ state.cursor }}' },
      recordsPath: 'items',
      primaryKey: 'id',
      incremental: { cursorField: 'updated_at' },
    },
  ],
};

describe('an integration whose connection leads to another account', () => {
  it('gets all records of that account, older ones too, and keeps the others until their deletion is confirmed', async () => {
    const [first, second] = [await serveAccount('first', 2026), await serveAccount('second', 2025)];
    const service = app.integrationService;
    const { id } = await service.createIntegration({
      name: 'Items',
      platform: 'http',
      credentials: { token: first.key },
      configuration: { connection: { baseUrl: first.url }, connector: DESCRIPTION },
    });
    expect(await service.syncIntegration(id)).toMatchObject({ status: 'succeeded', recordsAdded: 30 });
    await service.syncIntegration(id);
    expect(first.since.at(-1)).toBe('2026-01-01T00:28:59Z');

    await service.updateIntegration(id, {
      credentials: { token: second.key },
      configuration: { connection: { baseUrl: second.url } },
    });
    expect(await service.syncIntegration(id)).toMatchObject({ recordsAdded: 30, recordsDeleted: 0 });
    expect(new Set(second.since)).toEqual(new Set([null]));
    const { records } = await app.sync.changes(id, { limit: 100 });
    expect(records.filter(({ key }) => key.startsWith('second-'))).toHaveLength(30);
    expect(await app.sync.streamStatus(id)).toMatchObject([{ pendingDeletions: { count: 30 } }]);

    // From here on it is as if it had always been that account.
    await service.syncIntegration(id);
    expect(second.since.at(-1)).toBe('2025-01-01T00:28:59Z');
  });
});
