import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ConnectorSession } from '../../src/connectors/types.ts';
import { MOST_CONFIRMATIONS, OLDEST_KNOWN_MS } from '../../src/sync/knownAnswer.ts';
import { forgetKnownAnswers } from '../../src/sync/stateQueries.ts';
import { useTestDatabase } from '../support/database.ts';
import { addIntegration, liveKeys, openSync, storedRecords } from './support/harness.ts';
import { etagOfBody, numbered, type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

const database = useTestDatabase();
let api: RecordsApi;
let service: ReturnType<typeof openSync>;
/** What the sessions of a test differ in. */
let change: Partial<ConnectorSession>;
beforeAll(async () => {
  api = await startRecordsApi();
  service = openSync(database.current, { session: (session) => ({ ...session, cacheValidators: true, ...change }) });
});
afterAll(async () => {
  await service.close();
  await api.close();
});
beforeEach(() => {
  api.intercept = null;
  api.validators = etagOfBody;
  api.tables.clear();
  change = {};
});

const CONFIRMED = {
  success: true,
  recordsRead: 0,
  recordsAdded: 0,
  recordsUpdated: 0,
  recordsDeleted: 0,
  warnings: [],
};

async function add(stream = 'items', count = 5): Promise<string> {
  api.put(stream, ...numbered(count, { updated_at: '2026-01-01T00:00:00Z' }));
  const id = await addIntegration(database.current, api.url, { streams: [stream] });
  expect(await service.sync.run(id)).toMatchObject({ success: true, recordsAdded: count });
  return id;
}

/** The answers that a run got. */
async function answersOf(id: string, options: Parameters<typeof service.sync.run>[1] = {}) {
  const before = api.answers.length;
  const run = await service.sync.run(id, options);
  return { run, statuses: api.answers.slice(before).map(({ status }) => status) };
}

const statusOf = async (id: string) => (await service.sync.streamStatus(id))[0]!;
const feedOf = async (id: string) => (await service.sync.changes(id, { limit: 1_000 })).nextCursor;

describe('an answer that is still the one that is known', () => {
  test('is not sent, and leaves everything as an unchanged read does', async () => {
    const id = await add();
    const [before, feed] = [await statusOf(id), await feedOf(id)];
    expect(before.knownAnswer).toMatchObject({ validator: 'etag', confirmed: 0 });
    const { run, statuses } = await answersOf(id);
    expect(statuses).toEqual([304]);
    expect(api.answers.at(-1)!.bytes).toBe(0);
    expect(run).toMatchObject({ ...CONFIRMED, recordsConfirmed: 5, streamsConfirmed: ['items'] });
    const after = await statusOf(id);
    expect(after).toMatchObject({ records: 5, pendingDeletions: null, knownAnswer: { confirmed: 1 } });
    expect(after.lastFullReadAt! > before.lastFullReadAt!).toBe(true);
    expect(await feedOf(id)).toBe(feed);
  });

  test('is sent again as soon as something changes, and deletions are found as before', async () => {
    const id = await add('items', 9);
    await answersOf(id);
    api.put('items', { id: 'r0001', name: 'changed' }, { id: 'r0010', name: 'new' });
    expect((await answersOf(id)).run).toMatchObject({ recordsAdded: 1, recordsUpdated: 1, recordsConfirmed: 0 });
    expect((await answersOf(id)).statuses).toEqual([304]);
    api.remove('items', 'r0002');
    expect((await answersOf(id)).run).toMatchObject({ recordsDeleted: 1 });
    expect((await answersOf(id)).run).toMatchObject({ recordsUnchanged: 9, recordsDeleted: 0 });
    expect((await answersOf(id)).statuses).toEqual([304]);
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(9);
  });

  test('may hold more records than one statement stores', async () => {
    const rows = numbered(1_500);
    api.intercept = (request, response) => {
      const body = JSON.stringify({ items: rows, more: false });
      const { etag } = etagOfBody(body);
      const isKnown = request.headers['if-none-match'] === etag;
      response.writeHead(isKnown ? 304 : 200, { etag, 'content-type': 'application/json' });
      response.end(isKnown ? undefined : body);
      return true;
    };
    const id = await addIntegration(database.current, api.url, { streams: ['items'] });
    expect(await service.sync.run(id)).toMatchObject({ recordsAdded: 1_500 });
    expect(await service.sync.run(id)).toMatchObject({ ...CONFIRMED, recordsConfirmed: 1_500 });
    rows.splice(100, 1);
    expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 1, recordsUnchanged: 1_499 });
  });

  test('is asked for by its date where it has no tag, if the date is past changing', async () => {
    const date = (ms: number) => new Date(ms).toUTCString();
    let age = 120_000;
    api.validators = () => ({ date: date(Date.UTC(2026, 0, 2)), 'last-modified': date(Date.UTC(2026, 0, 2) - age) });
    const id = await add();
    expect((await statusOf(id)).knownAnswer).toMatchObject({ validator: 'last_modified' });
    expect((await answersOf(id)).statuses).toEqual([304]);
    age = 30_000;
    const young = await add();
    expect((await statusOf(young)).knownAnswer).toBeNull();
    expect((await answersOf(young)).statuses).toEqual([200]);
  });

  test('counts for an incremental stream when the request is the same', async () => {
    const id = await add('events');
    // From the cursor on now, which is another request.
    expect((await answersOf(id)).statuses).toEqual([200]);
    const { run, statuses } = await answersOf(id);
    expect([statuses, run.recordsConfirmed]).toEqual([[304], 5]);
    api.put('events', { id: 'r0009', updated_at: '2026-01-02T00:00:00Z' });
    expect((await answersOf(id)).run).toMatchObject({ recordsAdded: 1 });
    expect((await answersOf(id)).statuses).toEqual([200]);
    expect((await answersOf(id)).statuses).toEqual([304]);
    expect(await liveKeys(database.current, id, 'events')).toHaveLength(6);
  });

  test.each([
    ['weak', 'W/"a"', 'W/"a"', [304]],
    ['named with its coding', '"a-gzip"', '"a"', [304]],
    ['of another answer', '"a"', '"b"', [304, 200]],
  ])('may be confirmed under a tag that is %s', async (_, tag, confirmedAs, statuses) => {
    const id = await add();
    const seen: number[] = [];
    api.intercept = (request, response) => {
      const isKnown = request.headers['if-none-match'] === tag;
      seen.push(isKnown ? 304 : 200);
      response.writeHead(isKnown ? 304 : 200, {
        etag: isKnown ? confirmedAs : tag,
        'content-type': 'application/json',
      });
      response.end(isKnown ? undefined : JSON.stringify({ items: numbered(5), more: false }));
      return true;
    };
    await service.sync.run(id);
    seen.length = 0;
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsDeleted: 0 });
    expect(seen).toEqual(statuses);
  });
});

describe('everything is read', () => {
  test('of more than one page, always', async () => {
    const id = await add('items', 11);
    expect((await statusOf(id)).knownAnswer).toBeNull();
    expect((await answersOf(id)).statuses).toEqual([200, 200]);
  });

  test('where it is switched off, though the answers are known', async () => {
    const id = await add();
    change = { cacheValidators: false };
    expect((await answersOf(id)).statuses).toEqual([200]);
    expect((await statusOf(id)).knownAnswer).toMatchObject({ confirmed: 0 });
  });

  test('by a full refresh', async () => {
    const id = await add();
    expect((await answersOf(id, { fullRefresh: true })).statuses).toEqual([200]);
  });

  test.each<[string, Partial<ConnectorSession>]>([
    ['the credentials', { credentialVersion: '2' }],
    ['the connection', { startDate: '2020-01-01T00:00:00Z' }],
  ])('with other values of %s', async (_, given) => {
    const id = await add();
    change = given;
    expect((await answersOf(id)).statuses).toEqual([200]);
    expect((await answersOf(id)).statuses).toEqual([304]);
  });

  test('when the mapping has changed', async () => {
    const id = await add();
    const { connector } = await import('./support/harness.ts');
    const streams = connector.streams.map((stream) => ({ ...stream, transformations: [{ remove: ['name'] }] }));
    change = { connector: { ...connector, streams } };
    const { run, statuses } = await answersOf(id);
    expect([statuses, run.recordsUpdated]).toEqual([[200], 5]);
    expect((await answersOf(id)).statuses).toEqual([304]);
  });

  test('each time where the mapping holds the time', async () => {
    const { connector } = await import('./support/harness.ts');
    const transformations = [{ add: { field: 'at', value: '{{ now }}' } }];
    change = { connector: { ...connector, streams: connector.streams.map((one) => ({ ...one, transformations })) } };
    const id = await add();
    expect((await answersOf(id)).run).toMatchObject({ recordsUpdated: 5 });
  });

  test('while deletions wait for a person, and once more after', async () => {
    const id = await add('items', 6);
    api.remove('items', 'r0001', 'r0002', 'r0003');
    expect((await answersOf(id)).run.warnings).toMatchObject([{ code: 'DELETIONS_NEED_CONFIRMATION' }]);
    expect((await statusOf(id)).knownAnswer).toBeNull();
    expect((await answersOf(id)).statuses).toEqual([200]);
    await service.sync.confirmDeletions(id, 'items');
    expect((await answersOf(id)).statuses).toEqual([200]);
    expect((await answersOf(id)).statuses).toEqual([304]);
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(3);
  });

  test('after as many confirmations as a provider is believed', async () => {
    // It never changes its tag.
    api.validators = () => ({ etag: '"same"' });
    const id = await add();
    api.put('items', { id: 'r0001', name: 'changed' });
    for (let confirmed = 0; confirmed < MOST_CONFIRMATIONS; confirmed++)
      expect((await answersOf(id)).statuses).toEqual([304]);
    expect((await answersOf(id)).run).toMatchObject({ recordsUpdated: 1, recordsConfirmed: 0 });
  });

  test('when what is known is a day old', async () => {
    const id = await add();
    await database.current.pool.query(
      `update sync_states set known_answer = jsonb_set(known_answer, '{readAtMs}', to_jsonb($1::bigint)) where integration_id = $2`,
      [Date.now() - OLDEST_KNOWN_MS, id],
    );
    expect((await answersOf(id)).statuses).toEqual([200]);
  });

  test.each<[string, Record<string, string>]>([
    ['no tag', {}],
    ['a tag that is none', { etag: 'unquoted' }],
    ['two tags', { etag: '"a", "b"' }],
    ['a tag without end', { etag: `"${'a'.repeat(1_000)}"` }],
    ['an answer that varies by anything', { etag: '"a"', vary: 'accept, *' }],
  ])('of a provider that gives %s', async (_, headers) => {
    api.validators = () => headers;
    const id = await add();
    expect((await statusOf(id)).knownAnswer).toBeNull();
    expect((await answersOf(id)).statuses).toEqual([200]);
  });

  test('of a provider whose tag is another each time', async () => {
    let count = 0;
    api.validators = () => ({ etag: `"${count++}"` });
    const id = await add();
    expect((await answersOf(id)).statuses).toEqual([200]);
    expect((await answersOf(id)).run).toMatchObject({ recordsUnchanged: 5, recordsConfirmed: 0 });
  });

  test('of a provider that refuses the condition', async () => {
    const id = await add();
    const seen: number[] = [];
    api.intercept = (request, response) => {
      if (request.headers['if-none-match'] === undefined) return false;
      seen.push(412);
      response.writeHead(412).end();
      return true;
    };
    const { run, statuses } = await answersOf(id);
    expect([seen, statuses, run.success, run.recordsUnchanged]).toEqual([[412], [200], true, 5]);
  });

  test('after a read that failed with the condition', async () => {
    const id = await add();
    let conditions = 0;
    api.intercept = (request, response) => {
      if (request.headers['if-none-match'] === undefined) return false;
      conditions++;
      response.writeHead(500).end();
      return true;
    };
    expect((await service.sync.run(id)).success).toBe(false);
    const failedWith = conditions;
    expect(failedWith).toBeGreaterThan(0);
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsUnchanged: 5 });
    expect(conditions).toBe(failedWith);
  });

  test('where a redirect leads to another place', async () => {
    const id = await add();
    // What answers there knows the tag, but for something else.
    api.intercept = (request, response, url) => {
      if (url.pathname === '/items') response.writeHead(302, { location: '/elsewhere' }).end();
      else if (request.headers['if-none-match'] !== undefined) response.writeHead(304).end();
      else {
        response.writeHead(200, { 'content-type': 'application/json', etag: '"there"' });
        response.end(JSON.stringify({ items: numbered(4), more: false }));
      }
      return true;
    };
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsDeleted: 1 });
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsUnchanged: 4 });
    expect((await statusOf(id)).knownAnswer).toBeNull();
  });
});

test('a 304 that nobody asked for fails the stream', async () => {
  api.validators = null;
  const id = await add();
  api.intercept = (_request, response) => {
    response.writeHead(304).end();
    return true;
  };
  expect(await service.sync.run(id)).toMatchObject({ success: false, error: { code: 'OUTGOING_CALL_FAILED' } });
  expect(await liveKeys(database.current, id, 'items')).toHaveLength(5);
});

test('what was known is not, when it is forgotten while the provider confirms it', async () => {
  const id = await add();
  api.intercept = async () => {
    await forgetKnownAnswers(database.current.db, id);
    return false;
  };
  const { run, statuses } = await answersOf(id);
  expect([statuses, run.recordsConfirmed]).toEqual([[304], 5]);
  api.intercept = null;
  expect((await statusOf(id)).knownAnswer).toBeNull();
  expect((await answersOf(id)).statuses).toEqual([200]);
  expect((await storedRecords(database.current, id, 'items')).every(({ deleted }) => !deleted)).toBe(true);
});

test('a worker that has lost its run meanwhile confirms nothing', async () => {
  const id = await add();
  let asked = 0;
  api.intercept = async () => {
    asked += 1;
    if (asked > 1) return false;
    await database.current.pool.query(
      `update sync_runs set lease_token = lease_token + 1, lease_until = now() - interval '1 second'
       where integration_id = $1 and status = 'running'`,
      [id],
    );
    return false;
  };
  const { run, statuses } = await answersOf(id);
  expect([statuses, run.recordsConfirmed]).toEqual([[304, 304], 5]);
  expect((await statusOf(id)).knownAnswer).toMatchObject({ confirmed: 1 });
});

test('a read that failed half way is not known', async () => {
  const id = await add('items', 10);
  api.put('items', { id: 'r0011' });
  api.intercept = (_request, response, url) => {
    if (url.searchParams.get('after') === null) return false;
    response.writeHead(404).end();
    return true;
  };
  expect((await answersOf(id)).run).toMatchObject({ success: false });
  expect((await statusOf(id)).knownAnswer).toBeNull();
});
