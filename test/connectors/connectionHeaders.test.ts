import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, openSession, readPages, streamOf } from './support/session.ts';

const FAULT = 'is set by the connection itself; take another header';
const fields: JsonObject[] = [{ name: 'k', title: 'Key' }];
const NAMES = ['Host', 'content-length', 'Transfer-Encoding', 'connection', 'Upgrade', 'expect', 'TE', 'trailer'];

const withMode = (mode: JsonObject, parts: JsonObject = {}) =>
  connectorWith({ auth: [{ name: 'mode', title: 'Mode', fields, ...mode }], ...parts });

describe('a connector cannot set what belongs to the connection', () => {
  it.each([...NAMES, 'Proxy-Authorization', 'proxy-anything'])('%s', (name) => {
    const value = '{{ credentials.k }}';
    const login = { path: '/login', body: { k: value }, tokenPath: 'token' };
    const modes: JsonObject[] = [
      { type: 'api_key', in: 'header', key: name, value },
      { type: 'headers', headers: { [name]: value } },
      { type: 'session', login, headers: { [name]: '{{ token }}' } },
    ];
    for (const mode of modes) expect(() => withMode(mode)).toThrow(FAULT);
    expect(() => connectorWith({ headers: { [name]: 'x' } })).toThrow(FAULT);
    expect(() => connectorWith({ streams: [streamOf({ headers: { [name]: 'x' } })] })).toThrow(FAULT);
    expect(withMode({ type: 'api_key', in: 'query', key: name, value }).platform).toBe('sample');
  });

  it.each(NAMES)('also where %s comes with the integration', async (name) => {
    const connection: JsonObject[] = [
      { name: 'url', title: 'Address', type: 'url', required: true },
      { name: 'header', title: 'Header', default: 'x-key' },
    ];
    const mode = { type: 'api_key', in: 'header', key: '{{ config.header }}', value: '{{ credentials.k }}' };
    const connector = withMode(mode, { connection, streams: [streamOf({})] });
    const api = await serveApi(() => ({ body: [] }));
    const session = openSession(connector, { connection: { url: api.url, header: name }, credentials: { k: '7' } });
    await readPages(session, 'items');
    expect(api.seen[0]!.headers.host).toBe(new URL(api.url).host);
    expect(api.seen[0]!.headers[name.toLowerCase()]).not.toBe('7');
  });
});

describe('a page that people are sent to', () => {
  it.each(['javascript:alert(1)', 'data:text/html,x', 'ftp://docs.example', 'mailto:a@b.example'])(
    'is not %s',
    (docsUrl) => {
      const fault = 'takes a web address such as "https://…"';
      expect(() => connectorWith({ docsUrl })).toThrow(fault);
      expect(() => connectorWith({ rateLimit: { docsUrl } })).toThrow(fault);
      expect(() => connectorWith({ streams: [streamOf({ docsUrl })] })).toThrow(fault);
    },
  );

  it('may be at http', () => {
    expect(connectorWith({ docsUrl: 'http://docs.example/a?b#c' }).docsUrl).toBe('http://docs.example/a?b#c');
  });
});
