import { describe, expect, it } from 'vitest';
import { planRead } from '../../src/connectors/readStream.ts';
import { MAX_PARENT_CURSORS } from '../../src/connectors/streamState.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, keysOf, openSession, readPages, streamOf, throughDatabase } from './support/session.ts';

interface Row {
  id: number;
  at: string;
}

/** An API that filters by `since` (exclusive, as the least friendly ones do) and sorts as asked. */
async function serveRows(rows: Row[], size = 2) {
  const api = await serveApi(({ query }) => {
    const since = Date.parse(query.get('since') ?? '1970-01-01T00:00:00Z');
    const found = rows
      .filter((row) => Date.parse(row.at) > since)
      .sort((a, b) => (query.get('order') === 'desc' ? -1 : 1) * a.at.localeCompare(b.at));
    const after = query.get('after');
    const from =
      after === null
        ? (Number(query.get('page') ?? 1) - 1) * size
        : found.findIndex(({ id }) => id === Number(after)) + 1;
    return { body: found.slice(from, from + size) };
  });
  return api;
}

function rowsConnector(incremental: JsonObject, parts: JsonObject = {}) {
  return connectorWith({
    pagination: { type: 'page', param: 'page' },
    streams: [streamOf({ incremental: { cursorField: 'at', ...incremental }, ...parts })],
  });
}

const last = (pages: Awaited<ReturnType<typeof readPages>>): JsonValue => throughDatabase(pages.at(-1)!.state);

describe('an incremental stream', () => {
  it('asks for what changed since the highest cursor, and reads ties again', async () => {
    const rows = [
      { id: 1, at: '2024-05-01T10:00:00Z' },
      { id: 2, at: '2024-05-01T10:00:05Z' },
    ];
    const api = await serveRows(rows);
    const connector = rowsConnector({}, { params: { since: '{{ state.cursor }}' } });
    const session = openSession(connector, { connection: { url: api.url } });
    const first = await readPages(session, 'items');
    expect(api.seen[0]!.query.has('since')).toBe(false);
    // Appears after the read, within the second that the cursor names.
    rows.push({ id: 3, at: '2024-05-01T10:00:05Z' });
    const asked = api.seen.length;
    const second = await readPages(session, 'items', last(first));
    expect(api.seen[asked]!.query.get('since')).toBe('2024-05-01T10:00:04Z');
    expect(keysOf(second)).toEqual(['2', '3']);
    expect(keysOf(await readPages(session, 'items', last(second)))).toEqual(['2', '3']);
  });

  it('looks back as far as the connector says', async () => {
    const api = await serveRows([{ id: 1, at: '2024-05-01T10:00:00.123456+02:00' }]);
    const connector = rowsConnector({ lookback: '1h' }, { params: { since: '{{ state.cursor }}' } });
    const session = openSession(connector, { connection: { url: api.url } });
    const state = last(await readPages(session, 'items'));
    await readPages(session, 'items', state);
    expect(api.seen.at(-1)!.query.get('since')).toBe('2024-05-01T06:59:59Z');
  });

  it.each([
    ['epoch_seconds', 1714557600, '1714557599'],
    ['epoch_seconds', '1714557600.000216', '1714557599'],
    ['epoch_ms', 1714557600123, '1714557599123'],
    ['integer', '9007199254740993', '9007199254740992'],
    ['string', 'b', 'b'],
    ['rfc3339', '2024-05-01T10:00:00', '2024-05-01T09:59:59Z'],
    ['rfc3339', '2024-05-01', '2024-04-30T23:59:59Z'],
  ])('takes cursors in the format %s: %s', async (format, at, since) => {
    const api = await serveApi(() => ({ body: [{ id: 1, at }] }));
    const connector = connectorWith({
      streams: [streamOf({ incremental: { cursorField: 'at', format }, params: { since: '{{ state.cursor }}' } })],
    });
    const session = openSession(connector, { connection: { url: api.url } });
    await readPages(session, 'items', last(await readPages(session, 'items')));
    expect(api.seen[1]!.query.get('since')).toBe(since);
  });

  it('stops at the first page that is old when the newest come first and there is no filter', async () => {
    const rows = Array.from({ length: 10 }, (_, index) => ({ id: index, at: `2024-05-01T10:00:0${index}Z` }));
    const api = await serveRows(rows);
    const connector = rowsConnector({ order: 'descending' }, { params: { order: 'desc' } });
    const session = openSession(connector, { connection: { url: api.url } });
    const state = last(await readPages(session, 'items'));
    rows.push({ id: 10, at: '2024-05-01T10:01:00Z' });
    const asked = api.seen.length;
    expect(keysOf(await readPages(session, 'items', state))).toEqual(['10', '9', '8', '7']);
    expect(api.seen.length - asked).toBe(2);
  });

  it('commits the highest cursor only when everything below it was read', async () => {
    const rows = Array.from({ length: 6 }, (_, index) => ({ id: index, at: `2024-05-01T10:00:0${index}Z` }));
    const api = await serveRows(rows);
    const connector = rowsConnector(
      { order: 'descending' },
      { params: { order: 'desc', since: '{{ state.cursor }}' } },
    );
    const session = openSession(connector, { connection: { url: api.url } });
    const [firstPage] = await readPages(session, 'items');
    // A page of the newest records was written; then the connector's requests changed, so the position is lost.
    const changed = rowsConnector(
      { order: 'descending' },
      { params: { order: 'desc', since: '{{ state.cursor }}', x: 1 } },
    );
    const state = throughDatabase(firstPage!.state);
    expect(planRead({ ...session, connector: changed }, 'items', state)).toEqual({ kind: 'full', resumes: false });
    expect(keysOf(await readPages({ ...session, connector: changed }, 'items', state))).toHaveLength(6);
  });

  it('goes on from what was read when records come in ascending order', async () => {
    const rows = Array.from({ length: 6 }, (_, index) => ({ id: index, at: `2024-05-01T10:00:0${index}Z` }));
    const api = await serveRows(rows);
    const pagination = { type: 'cursor', param: 'after', recordPath: 'id' };
    const make = (x: number) =>
      rowsConnector({ order: 'ascending' }, { pagination, params: { since: '{{ state.cursor }}', x } });
    const session = openSession(make(1), { connection: { url: api.url }, startDate: '2024-01-01' });
    const pages = await readPages(session, 'items');
    const state = throughDatabase(pages[1]!.state);
    const changed = { ...session, connector: make(2) };
    expect(planRead(changed, 'items', state)).toEqual({ kind: 'incremental', resumes: false });
    expect(keysOf(await readPages(changed, 'items', state))).toEqual(['3', '4', '5']);
  });

  it('starts at the start date, and is then no full read', async () => {
    const api = await serveRows([
      { id: 1, at: '2023-12-31T00:00:00Z' },
      { id: 2, at: '2024-01-02T00:00:00Z' },
    ]);
    const connector = rowsConnector({}, { params: { since: '{{ state.cursor }}' } });
    const session = openSession(connector, { connection: { url: api.url }, startDate: '2024-01-01' });
    expect(keysOf(await readPages(session, 'items'))).toEqual(['2']);
    expect(planRead(session, 'items', null)).toEqual({ kind: 'incremental', resumes: false });
    expect(planRead({ ...session, startDate: undefined }, 'items', null)).toEqual({ kind: 'full', resumes: false });
  });

  it('says nothing about deletions when the API shows recent records only', () => {
    const connector = connectorWith({ streams: [streamOf({ deletions: 'none' })] });
    const session = openSession(connector, { connection: { url: 'https://api.example' } });
    expect(planRead(session, 'items', null).kind).toBe('incremental');
  });
});

describe('a state', () => {
  const connector = connectorWith({ pagination: { type: 'page', param: 'page' }, streams: [streamOf({})] });

  it.each([
    ['of another program', { cursor: 5 }],
    ['that is no object', 'x'],
    ['of another version', { v: 2, identity: 'x' }],
    ['with a position that is none', { v: 1, identity: 'x', read: { position: { page: { page: -1 } } } }],
  ])('%s counts as none', async (_name, state) => {
    const api = await serveApi(({ query }) => ({ body: query.get('page') === '1' ? [{ id: 1 }] : [] }));
    const session = openSession(connector, { connection: { url: api.url } });
    expect(planRead(session, 'items', state)).toEqual({ kind: 'full', resumes: false });
    expect(keysOf(await readPages(session, 'items', state))).toEqual(['1']);
  });

  it('of another primary key counts as none', async () => {
    const api = await serveApi(() => ({ body: [{ id: 1, uid: 2, at: '2024-01-01T00:00:00Z' }] }));
    const make = (primaryKey: string) =>
      openSession(
        connectorWith({
          streams: [streamOf({ primaryKey, incremental: { cursorField: 'at' }, params: { s: '{{ state.cursor }}' } })],
        }),
        { connection: { url: api.url } },
      );
    const state = last(await readPages(make('id'), 'items'));
    expect(planRead(make('id'), 'items', state).kind).toBe('incremental');
    expect(planRead(make('uid'), 'items', state).kind).toBe('full');
  });

  it('more than a day old is not gone on with', async () => {
    const api = await serveApi(({ query }) => ({ body: query.get('page') === '3' ? [] : [{ id: query.get('page') }] }));
    const session = openSession(connector, { connection: { url: api.url } });
    const [first] = await readPages(session, 'items');
    const resumesAfter = (ms: number) => {
      const clock = { ...systemClock, now: () => Date.now() + ms };
      return planRead({ ...session, clock }, 'items', first!.state).resumes;
    };
    const dayMs = 24 * 3_600_000;
    expect(resumesAfter(dayMs - 60_000)).toBe(true);
    expect(resumesAfter(dayMs + 60_000)).toBe(false);
  });

  it('whose page the provider no longer knows starts the read anew', async () => {
    let expired = false;
    const api = await serveApi(({ query }) => {
      const cursor = query.get('cursor');
      if (cursor === null) return { body: { data: [{ id: 1 }], next: 'a' } };
      return expired && cursor === 'a'
        ? { status: 400, body: { error: 'cursor expired' } }
        : { body: { data: [{ id: 2 }] } };
    });
    const tokens = connectorWith({
      pagination: { type: 'token', param: 'cursor', tokenPath: 'next' },
      streams: [streamOf({ recordsPath: 'data' })],
    });
    const session = openSession(tokens, { connection: { url: api.url } });
    const [first] = await readPages(session, 'items');
    expired = true;
    const again = readPages(session, 'items', first!.state);
    // The token fails once more after the restart, and then it is an error.
    await expect(again).rejects.toMatchObject({ outcome: 'invalid_request' });
    expect(api.seen.slice(-3).map(({ query }) => query.get('cursor'))).toEqual(['a', null, 'a']);
  });
});

describe('a position', () => {
  it('of an address that the integration no longer has starts the read anew', async () => {
    const serve = () =>
      serveApi(({ query }) => {
        const next = query.get('page') === null ? '/items?page=2' : null;
        return { body: { data: [{ id: query.get('page') ?? '1' }], next } };
      });
    const [old, current] = [await serve(), await serve()];
    const connector = connectorWith({
      pagination: { type: 'next_url', path: 'next' },
      streams: [streamOf({ recordsPath: 'data' })],
    });
    const [first] = await readPages(openSession(connector, { connection: { url: old.url } }), 'items');
    const asked = old.seen.length;
    const rest = await readPages(
      openSession(connector, { connection: { url: current.url } }),
      'items',
      throughDatabase(first!.state),
    );
    expect(keysOf(rest)).toEqual(['1', '2']);
    expect(old.seen.length).toBe(asked);
  });
});

describe('a stream under a parent', () => {
  const make = (where: JsonObject[] = []) =>
    connectorWith({
      pagination: { type: 'link_header' },
      streams: [
        streamOf({ name: 'shops', path: '/shops' }),
        streamOf({
          path: '/shops/{{ parent.id }}/items',
          params: { since: '{{ state.cursor }}' },
          incremental: { cursorField: 'at', format: 'epoch_seconds' },
          parent: { stream: 'shops', where, skipNotFound: true },
        }),
      ],
    });

  it('keeps a cursor for each parent, and reads a new parent in full', async () => {
    const shops = [{ id: 'a' }, { id: 'constructor' }];
    const api = await serveApi(({ path }) => {
      if (path === '/shops') return { body: shops };
      return { body: [{ id: path, at: path.includes('/a/') ? 1000 : 2000 }] };
    });
    const session = openSession(make(), { connection: { url: api.url } });
    const state = last(await readPages(session, 'items'));
    shops.push({ id: 'new' });
    await readPages(session, 'items', state);
    const since = api.seen.slice(-3).map(({ path, query }) => [path, query.get('since')]);
    expect(since).toEqual([
      ['/shops/a/items', '999'],
      ['/shops/constructor/items', '1999'],
      ['/shops/new/items', null],
    ]);
  });

  it('leaves out parents that do not fit, and those whose part is not found', async () => {
    const api = await serveApi(({ path }) => {
      if (path === '/shops')
        return {
          body: [
            { id: 1, open: true },
            { id: 2, open: false },
            { id: 3, open: true },
          ],
        };
      return path === '/shops/1/items' ? { status: 404, body: {} } : { body: [{ id: path, at: 1 }] };
    });
    const connector = make([{ path: 'open', equals: true }]);
    const pages = await readPages(openSession(connector, { connection: { url: api.url } }), 'items');
    expect(keysOf(pages)).toEqual(['/shops/3/items']);
    expect(pages.at(-1)!.last).toBe(true);
  });

  it('goes on with the next parents when the one it stopped in is gone', async () => {
    let shops = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
    const api = await serveApi(({ path, query }) => {
      if (path === '/shops') return { body: shops };
      const at = path.includes('/c/') ? 5 : 900;
      const page = query.get('page');
      // "a" has a second page, and the read stops before it.
      const more = path.includes('/a/') && page === null ? `<${api.url}${path}?page=2>; rel="next"` : undefined;
      return { body: [{ id: `${path}${page ?? ''}`, at }], headers: { link: more } };
    });
    const session = openSession(make(), { connection: { url: api.url } });
    const [first] = await readPages(session, 'items');
    shops = [{ id: 'c' }];
    const rest = await readPages(session, 'items', throughDatabase(first!.state));
    expect(keysOf(rest)).toEqual(['/shops/c/items']);
    // The cursor that "a" had come to must not have become that of "c".
    await readPages(session, 'items', last(rest));
    expect(api.seen.at(-1)!.query.get('since')).toBe('4');
  });

  it('a full read without any parent ends with one empty page', async () => {
    const api = await serveApi(() => ({ body: [] }));
    const pages = await readPages(openSession(make(), { connection: { url: api.url } }), 'items');
    expect(pages).toMatchObject([{ records: [], last: true }]);
  });

  it('keeps no more cursors than its limit; the other parents are read in full', async () => {
    const count = MAX_PARENT_CURSORS + 20;
    const api = await serveApi(({ path }) =>
      path === '/shops'
        ? { body: Array.from({ length: count }, (_, id) => ({ id })) }
        : { body: [{ id: path, at: 1000 }] },
    );
    const session = openSession(make(), { connection: { url: api.url } });
    const state = last(await readPages(session, 'items')) as { cursors: JsonObject };
    expect(Object.keys(state.cursors)).toHaveLength(MAX_PARENT_CURSORS);
    const asked = api.seen.length;
    await readPages(session, 'items', state);
    const since = api.seen
      .slice(asked)
      .filter(({ path }) => path !== '/shops')
      .map(({ query }) => query.has('since'));
    expect(since.filter((has) => !has)).toHaveLength(20);
  });
});
