import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, keysOf, openSession, readPages, streamOf } from './support/session.ts';

const ISSUED = 'issued token/1';
const fields: JsonObject[] = [{ name: 'key', title: 'Key' }];
const MODES: Readonly<Record<string, JsonObject>> = {
  'a key whose parameter is filled in': {
    type: 'api_key',
    in: 'query',
    key: '{{ config.parameter }}',
    value: 'v1:{{ credentials.key }}',
  },
  'an issued token': {
    type: 'session',
    login: { path: '/login', body: { key: '{{ credentials.key }}' }, tokenPath: 'token' },
  },
  'a key in a header': { type: 'bearer', token: '{{ credentials.key }}' },
};

describe.each(Object.entries(MODES))('with %s', (_name, mode) => {
  it('the address of the next page is stored without what a provider repeats in it, and is read all the same', async () => {
    const connector = connectorWith({
      connection: [
        { name: 'url', title: 'Address', type: 'url', required: true },
        { name: 'parameter', title: 'Parameter', default: 'k' },
      ],
      headers: { 'x-parameter': '{{ config.parameter }}' },
      auth: [{ name: 'mode', title: 'Mode', fields, ...mode }],
      streams: [streamOf({ recordsPath: 'items', pagination: { type: 'next_url', path: 'next' } })],
    });
    const repeated = {
      ...(mode.type === 'api_key' ? { k: 'v1:se cret' } : {}),
      token: ISSUED,
      key: 'se cret',
      basic: Buffer.from('se cret').toString('base64'),
    };
    const next = `/items?${new URLSearchParams({ page: '2', ...repeated })}`;
    const api = await serveApi(({ path, query }) => {
      if (path === '/login') return { body: { token: ISSUED } };
      return { body: query.get('page') === '2' ? { items: [{ id: 2 }] } : { items: [{ id: 1 }], next } };
    });
    const credentials = { key: 'se cret' };
    const session = openSession(connector, { connection: { url: api.url }, credentials });
    const pages = await readPages(session, 'items');
    expect(keysOf(pages)).toEqual(['1', '2']);
    const stored = decodeURIComponent(JSON.stringify(pages.map((page) => page.state)).replaceAll('+', ' '));
    expect(stored).toContain('page=2');
    expect(stored).not.toContain('se cret');
    expect(stored).not.toContain(repeated.basic.replace(/=+$/, ''));
    if (mode.type === 'session') expect(stored).not.toContain(ISSUED);
    const last = api.seen.at(-1)!;
    expect(last.query.get('page')).toBe('2');
    expect(last.query.get('k')).toBe(mode.type === 'api_key' ? 'v1:se cret' : null);
  });
});
