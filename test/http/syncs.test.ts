import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
let provider: Provider;

beforeAll(async () => {
  provider = await startProvider(25);
  server = await openTestServer(database.url);
  server.canaries.add(provider.key);
});
afterAll(async () => {
  await server?.close();
  await provider?.close();
});

async function create(configuration: object = {}): Promise<string> {
  const answer = await server.request('POST', '/api/v1/integrations', {
    body: {
      name: 'Items',
      platform: 'http',
      credentials: { apiKey: provider.key },
      configuration: { connector: describeProvider(provider), ...configuration },
    },
  });
  expect(answer.status, answer.text).toBe(201);
  return `/api/v1/integrations/${answer.json.id}`;
}

describe('a sync over HTTP', () => {
  it('is queued, followed and listed', async () => {
    const path = await create();
    const queued = await server.request('POST', `${path}/sync`, { body: { fullRefresh: true } });
    expect(queued).toMatchObject({ status: 202, json: { trigger: 'manual', fullRefresh: true } });
    const location = queued.headers.get('location')!;
    expect(location).toBe(`${path}/runs/${queued.json.id}`);
    await server.app.sync.waitForRun(queued.json.id, AbortSignal.timeout(20_000));
    expect((await server.request('GET', location)).json).toMatchObject({ status: 'succeeded', recordsAdded: 25 });
    const list = await server.request('GET', `${path}/runs`);
    expect(list.json).toMatchObject({ data: [{ id: queued.json.id }], nextCursor: null });
  });

  it('is waited for', async () => {
    const path = await create();
    const result = await server.request('POST', `${path}/sync?wait=true`);
    expect(result).toMatchObject({ status: 200, json: { success: true, status: 'succeeded', recordsAdded: 25 } });
  });

  it('that fails is an answer that says why', async () => {
    const path = await create();
    provider.answer = (_request, response) => void response.writeHead(401).end('{"error":{"message":"bad key"}}');
    try {
      const result = await server.request('POST', `${path}/sync?wait=true`);
      expect(result).toMatchObject({ status: 200, json: { success: false, status: 'failed' } });
      expect(result.json.error.message).toMatch(/credentials/);
    } finally {
      provider.answer = null;
    }
  });

  it('gives the run under way instead of a second one', async () => {
    const path = await create();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    provider.answer = (_request, response) => {
      void held.then(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[]}'));
    };
    try {
      const first = await server.request('POST', `${path}/sync`);
      const second = await server.request('POST', `${path}/sync`);
      expect(second.json.id).toBe(first.json.id);
    } finally {
      release();
      provider.answer = null;
    }
  });

  it('refuses streams that are no list, and unknown keys', async () => {
    const path = await create();
    for (const body of [{ streams: [] }, { streams: 'items' }, { fullRefesh: true }, []])
      expect(await server.request('POST', `${path}/sync`, { body })).toMatchObject({
        status: 400,
        json: { code: 'INVALID_INPUT' },
      });
    expect((await server.request('POST', `${path}/sync?wait=perhaps`)).status).toBe(400);
  });

  it('is scheduled and taken off the schedule', async () => {
    const path = await create({ syncFrequency: 'hourly' });
    const started = await server.request('POST', `${path}/sync/start`);
    expect(started).toMatchObject({ status: 202, json: { trigger: 'manual' } });
    const scheduled = () =>
      database.current.db
        .selectFrom('sync_schedules')
        .select('frequency')
        .where('integration_id', '=', path.split('/').at(-1)!)
        .execute();
    expect(await scheduled()).toEqual([{ frequency: 'hourly' }]);
    expect((await server.request('POST', `${path}/sync/stop`)).status).toBe(204);
    expect(await scheduled()).toEqual([]);
  });

  it('can be asked for everything that is connected', async () => {
    const path = await create();
    const disconnected = await create();
    await server.request('POST', `${disconnected}/disconnect`);
    const all = await server.request('POST', '/api/v1/sync');
    expect(all.status).toBe(202);
    expect(all.json.count).toBe(all.json.runs.length);
    const ids = all.json.runs.map((run: { integrationId: string }) => run.integrationId);
    expect(ids).toContain(path.split('/').at(-1));
    expect(ids).not.toContain(disconnected.split('/').at(-1));
  });
});

describe('runs', () => {
  it('come newest first, in pages', async () => {
    const path = await create();
    const ids: string[] = [];
    for (let index = 0; index < 3; index++)
      ids.unshift((await server.request('POST', `${path}/sync?wait=true`)).json.id);
    const first = await server.request('GET', `${path}/runs?limit=2`);
    const second = await server.request('GET', `${path}/runs?limit=2&cursor=${first.json.nextCursor}`);
    expect([...first.json.data, ...second.json.data].map((run) => run.id)).toEqual(ids);
    expect(second.json.nextCursor).toBeNull();
  });

  it('of another integration are not found', async () => {
    const [path, other] = [await create(), await create()];
    const { json } = await server.request('POST', `${path}/sync?wait=true`);
    for (const id of [json.id, 'syn_none'])
      expect(await server.request('GET', `${other}/runs/${id}`)).toMatchObject({
        status: 404,
        json: { code: 'SYNC_RUN_NOT_FOUND' },
      });
  });
});

describe('records', () => {
  it('are read as a feed of changes that goes on where it ended', async () => {
    const path = await create();
    await server.request('POST', `${path}/sync?wait=true`);
    const first = await server.request('GET', `${path}/records?limit=20`);
    expect([first.json.records.length, first.json.hasMore]).toEqual([20, true]);
    const rest = await server.request('GET', `${path}/records?limit=20&cursor=${first.json.nextCursor}`);
    expect([rest.json.records.length, rest.json.hasMore]).toEqual([5, false]);
    provider.items[3]!.name = 'renamed';
    try {
      await server.request('POST', `${path}/sync?wait=true`);
      const changed = await server.request('GET', `${path}/records?stream=items&cursor=${rest.json.nextCursor}`);
      expect(changed.json.records).toMatchObject([{ key: '4', change: 'updated', data: { name: 'renamed' } }]);
    } finally {
      provider.items[3]!.name = 'item 4';
    }
    for (const query of ['cursor=nonsense', 'limit=1001'])
      expect((await server.request('GET', `${path}/records?${query}`)).status, query).toBe(400);
  });

  it('are exported as NDJSON and CSV', async () => {
    const path = await create();
    await server.request('POST', `${path}/sync?wait=true`);
    const ndjson = await server.request('GET', `${path}/streams/items/export`);
    expect(ndjson.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = ndjson.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(25);
    expect(lines[0]).toMatchObject({ key: '1', data: { id: 1, name: 'item 1' }, deletedAt: null });
    const csv = await server.request('GET', `${path}/streams/items/export?format=csv`);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="items.csv"');
    expect(csv.text.split('\r\n')[0]).toBe('_key,_changed_at,_deleted_at,id,name,updated_at');
    expect(csv.text.trim().split('\r\n')).toHaveLength(26);
    expect(await server.request('GET', `${path}/streams/itms/export`)).toMatchObject({
      status: 404,
      json: { code: 'UNKNOWN_STREAM', detail: expect.stringContaining('Did you mean "items"?') },
    });
    expect((await server.request('GET', `${path}/streams/items/export?format=xml`)).status).toBe(400);
  });

  it('whose deletion was held back are deleted when it is confirmed', async () => {
    const path = await create();
    await server.request('POST', `${path}/sync?wait=true`);
    expect(await server.request('POST', `${path}/streams/items/deletions/confirm`)).toMatchObject({
      status: 409,
      json: { code: 'NO_PENDING_DELETIONS' },
    });
    const { items } = provider;
    provider.items = items.slice(0, 10);
    try {
      // Pages are counted, so it takes two complete reads to believe that a record is gone.
      for (let read = 0; read < 2; read += 1)
        await server.request('POST', `${path}/sync?wait=true`, { body: { fullRefresh: true } });
    } finally {
      provider.items = items;
    }
    const streams = await server.request('GET', `${path}/streams`);
    expect(streams.json.data).toMatchObject([
      { stream: 'items', records: 25, pendingDeletions: { count: 15, total: 25 } },
    ]);
    const confirmed = await server.request('POST', `${path}/streams/items/deletions/confirm`);
    expect(confirmed.json).toEqual({ deleted: 15 });
    const deleted = await server.request('GET', `${path}/streams/items/export?includeDeleted=true`);
    expect(deleted.text.match(/"deletedAt":"/g)).toHaveLength(15);
  });
});
