import { describe, expect, it } from 'vitest';
import { checkConnection } from '../../src/connectors/check.ts';
import { InvalidRequestError, StreamReadError } from '../../src/connectors/errors.ts';
import { render } from '../../src/connectors/template.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { OutgoingCallError } from '../../src/outgoing/errors.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, openSession, readPages, streamOf } from './support/session.ts';

const LEVELS = 50_000;
/** A number of many digits is read in a way that takes a stack. */
const DEEP = `${'['.repeat(LEVELS)}1234567890123456789${']'.repeat(LEVELS)}`;

describe('an answer of very many brackets inside each other', () => {
  it('is a bad response of a connection test', async () => {
    const api = await serveApi(() => ({ body: `{"id":1,"deep":${DEEP}}` }));
    const session = openSession(connectorWith({}), { connection: { url: api.url } });
    const result = await checkConnection(session, new AbortController().signal);
    expect(result).toMatchObject({ outcome: 'bad_response', httpStatus: 200 });
  });

  it('is a bad answer of a stream', async () => {
    const api = await serveApi(() => ({ body: `[{"id":1,"deep":${DEEP}}]` }));
    const session = openSession(connectorWith({ streams: [streamOf({})] }), { connection: { url: api.url } });
    await expect(readPages(session, 'items')).rejects.toThrow(StreamReadError);
  });

  it('is judged by its status when it is an error', async () => {
    const api = await serveApi(() => ({ status: 403, body: `{"message":${DEEP}}` }));
    const connector = connectorWith({ streams: [streamOf({})], errors: { messagePath: 'message' } });
    const reading = readPages(openSession(connector, { connection: { url: api.url } }), 'items');
    await expect(reading).rejects.toSatisfy(
      (error) => error instanceof OutgoingCallError && error.outcome === 'missing_scope',
    );
  });
});

describe('a value that is nested too deeply', () => {
  let deep: JsonValue = 1;
  for (let level = 0; level < LEVELS; level++) deep = [deep];

  it('is refused by the filter that writes it', () => {
    expect(() => render('{{ parent.deep | json }}', { parent: { deep } })).toThrow('is nested too deeply');
  });

  it('is not sent', async () => {
    const list: JsonObject = streamOf({ name: 'lists', path: '/lists' });
    const items = streamOf({ method: 'POST', body: { of: '{{ parent.deep }}' }, parent: { stream: 'lists' } });
    const api = await serveApi(() => ({ body: `[{"id":1,"deep":${DEEP.replace(/\d+/, '1')}}]` }));
    const connector = connectorWith({ streams: [list, items] });
    const reading = readPages(openSession(connector, { connection: { url: api.url } }), 'items');
    await expect(reading).rejects.toThrow(InvalidRequestError);
  });
});
