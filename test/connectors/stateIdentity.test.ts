import { describe, expect, it } from 'vitest';
import { connectorFor } from '../../src/connectors/resolve.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { type LoopbackApi, serveApi } from './support/api.ts';
import {
  connectorWith,
  keysOf,
  openSession,
  readPages,
  shippedConnector,
  streamOf,
  throughDatabase,
} from './support/session.ts';

/** Three records for every account, in pages of one; the newer account has the older records. */
function serveAccounts(): Promise<LoopbackApi> {
  const years: Record<string, string> = { old: '2025', new: '2024' };
  return serveApi(({ path, query }) => {
    const account = query.get('account') ?? path.split('/').find((part) => part in years) ?? 'old';
    const since = query.get('since') ?? '';
    const found = [1, 2, 3]
      .map((day) => ({ id: `${account}-${day}`, at: `${years[account]}-01-0${day}T00:00:00Z` }))
      .filter(({ at }) => at > since);
    const from = Number(query.get('cursor') ?? 0);
    return { body: { data: found.slice(from, from + 1), next: from + 1 < found.length ? from + 1 : null } };
  });
}

const STREAM = streamOf({
  recordsPath: 'data',
  params: { since: '{{ state.cursor }}' },
  incremental: { cursorField: 'at' },
});
const PAGED = { pagination: { type: 'token', param: 'cursor', tokenPath: 'next' }, streams: [STREAM] };
const URL_FIELD = { name: 'url', title: 'Address', type: 'url' };

const all = (account: string) => [1, 2, 3].map((day) => `${account}-${day}`);
const newest = (account: string) => [`${account}-3`];

type Pages = Awaited<ReturnType<typeof readPages>>;
const last = (pages: Pages): JsonValue => throughDatabase(pages.at(-1)!.state);

describe('a cursor', () => {
  it.each<[string, JsonObject, (url: string) => [Record<string, string>, Record<string, string>]]>([
    ['address', {}, (url) => [{ url: `${url}/old` }, { url: `${url}/new` }]],
    [
      'value in a parameter',
      {
        connection: [URL_FIELD, { name: 'account', title: 'Account' }],
        streams: [{ ...STREAM, path: '/{{ config.account }}' }],
      },
      (url) => [
        { url, account: 'old' },
        { url, account: 'new' },
      ],
    ],
  ])('is none for another account: another %s', async (_what, change, connections) => {
    const api = await serveAccounts();
    const connector = connectorWith({ ...PAGED, ...change });
    const [before, after] = connections(api.url).map((connection) => openSession(connector, { connection }));
    const state = last(await readPages(before!, 'items'));
    expect(keysOf(await readPages(before!, 'items', state))).toEqual(newest('old'));
    expect(keysOf(await readPages(after!, 'items', state))).toEqual(all('new'));
  });

  it('outlives new versions of the connector and of the API', async () => {
    const api = await serveAccounts();
    const make = (version: string, change: JsonObject = {}) => {
      const baseUrl = '{{ config.url }}/{{ apiVersion }}';
      const connector = connectorWith({ ...PAGED, ...change, apiVersion: version, baseUrl });
      return openSession(connector, { connection: { url: api.url } });
    };
    const state = last(await readPages(make('1'), 'items'));
    const upgraded = make('2', {
      title: 'Sample 2',
      description: 'Says more.',
      headers: { 'x-region': '{{ config.region }}' },
      connection: [URL_FIELD, { name: 'region', title: 'Region', default: 'eu' }],
      streams: [{ ...STREAM, title: 'All items', params: { since: '{{ state.cursor }}', fields: 'all' } }],
    });
    expect(keysOf(await readPages(upgraded, 'items', state))).toEqual(newest('old'));
    expect(api.seen.at(-1)).toMatchObject({ path: '/2/items', headers: { 'x-region': 'eu' } });
  });

  it('is none when an integration that describes its API itself asks for something else', async () => {
    const api = await serveAccounts();
    const http = await shippedConnector('http');
    const make = (account: string) => {
      const params = { since: '{{ state.cursor }}', account };
      const connector = connectorFor(http, { connector: { ...PAGED, streams: [{ ...STREAM, params }] } });
      return openSession(connector, { connection: { baseUrl: api.url }, authMode: 'none' });
    };
    const state = last(await readPages(make('old'), 'items'));
    expect(keysOf(await readPages(make('old'), 'items', state))).toEqual(newest('old'));
    expect(keysOf(await readPages(make('new'), 'items', state))).toEqual(all('new'));
  });
});

describe('a read that was interrupted', () => {
  it.each<[string, string | undefined, string | undefined, string[]]>([
    ['is begun anew when a start date is set', undefined, '2025-01-02T12:00:00Z', newest('old')],
    ['is begun anew when the start date is taken away', '2025-01-01T12:00:00Z', undefined, all('old')],
    ['is begun anew when the start date changes', '2025-01-01T12:00:00Z', '2024-01-01T00:00:00Z', all('old')],
    ['is gone on with when it stays', undefined, undefined, ['old-2', 'old-3']],
  ])('%s', async (_name, before, after, expected) => {
    for (const order of ['ascending', 'unordered']) {
      const api = await serveAccounts();
      const incremental = { cursorField: 'at', order };
      const connector = connectorWith({ ...PAGED, streams: [{ ...STREAM, incremental }] });
      const session = openSession(connector, { connection: { url: api.url }, startDate: before });
      const [first] = await readPages(session, 'items');
      const rest = await readPages({ ...session, startDate: after }, 'items', throughDatabase(first!.state));
      expect(keysOf(rest)).toEqual(expected);
    }
  });

  it('is begun anew when its requests carry other values', async () => {
    const api = await serveAccounts();
    const make = (fallback: string) => {
      const connection: JsonObject[] = [URL_FIELD, { name: 'account', title: 'Account', default: fallback }];
      const streams = [{ ...STREAM, path: '/{{ config.account }}' }];
      return openSession(connectorWith({ ...PAGED, connection, streams }), { connection: { url: api.url } });
    };
    const [first] = await readPages(make('old'), 'items');
    expect(keysOf(await readPages(make('new'), 'items', throughDatabase(first!.state)))).toEqual(all('new'));
  });
});
