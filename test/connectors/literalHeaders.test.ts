import { describe, expect, it } from 'vitest';
import { checkConnection } from '../../src/connectors/check.ts';
import { InvalidRequestError } from '../../src/connectors/errors.ts';
import { render } from '../../src/connectors/template.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, keysOf, openSession, readPages, streamOf } from './support/session.ts';

const fields = [{ name: 'k', title: 'Key' }];
const MODES: Record<string, JsonObject> = {
  'a header': { type: 'api_key', in: 'header', key: 'X-Key', value: '{{ credentials.k }}' },
  'a bearer header': { type: 'bearer', token: '{{ credentials.k }}' },
  'headers of its own': { type: 'headers', headers: { 'x-key': '{{ credentials.k }}' } },
};

function withMode(mode: JsonObject, parts: JsonObject = {}) {
  return connectorWith({ auth: [{ name: 'mode', title: 'Mode', fields, ...mode }], ...parts });
}

describe.each(Object.entries(MODES))('a credential in %s', (_name, mode) => {
  it.each(['to{{ken', 'a {{ b }} c', '{{ x.y }}', '{{ config.url }}', '}}'])('is sent as it is: %s', async (k) => {
    const api = await serveApi(() => ({ body: { id: 1 } }));
    const session = openSession(withMode(mode), { connection: { url: api.url }, credentials: { k } });
    const result = await checkConnection(session, new AbortController().signal);
    expect(result.outcome).toBe('success');
    const { authorization, 'x-key': key } = api.seen[0]!.headers;
    expect(authorization ?? `Bearer ${key}`).toBe(`Bearer ${k}`);
  });

  it('is not sent, and not shown, when it would start another header', async () => {
    const api = await serveApi(() => ({ body: { id: 1 } }));
    const credentials = { k: 'secret{{value\r\nx-admin: 1' };
    const session = openSession(withMode(mode), { connection: { url: api.url }, credentials });
    const result = await checkConnection(session, new AbortController().signal);
    expect(result.outcome).toBe('invalid_request');
    expect(result.providerMessage).toContain('line break');
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(api.seen).toEqual([]);
  });
});

describe('a page token in a header', () => {
  const pagination = { type: 'token', in: 'header', param: 'X-Cursor', tokenPath: 'next' };
  const connector = connectorWith({ streams: [streamOf({ recordsPath: 'items', pagination })] });

  it.each(['p{{2', '{{ config.url }}', '{{ now }}'])('is sent back as it came: %s', async (next) => {
    const api = await serveApi(({ headers }) =>
      headers['x-cursor'] === undefined ? { body: { items: [{ id: 1 }], next } } : { body: { items: [{ id: 2 }] } },
    );
    const session = openSession(connector, { connection: { url: api.url } });
    expect(keysOf(await readPages(session, 'items'))).toEqual(['1', '2']);
    expect(api.seen[1]!.headers['x-cursor']).toBe(next);
  });

  it('cannot start another header', async () => {
    const api = await serveApi(() => ({ body: { items: [{ id: 1 }], next: 'a\r\nx-admin: 1' } }));
    const session = openSession(connector, { connection: { url: api.url } });
    await expect(readPages(session, 'items')).rejects.toThrow(InvalidRequestError);
    expect(api.seen).toHaveLength(1);
  });
});

it('what cannot be read as a template is not quoted when it is rendered', () => {
  expect(() => render('secret {{ value', {})).toThrow(/^a template cannot be read\.$/);
});
