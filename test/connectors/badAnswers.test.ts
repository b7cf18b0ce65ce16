import { describe, expect, it } from 'vitest';
import { StreamReadError } from '../../src/connectors/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { OutgoingCallError } from '../../src/outgoing/errors.ts';
import { type Answer, type SeenRequest, serveApi } from './support/api.ts';
import { connectorWith, keysOf, openSession, readPages, streamOf } from './support/session.ts';

async function read(parts: JsonObject, answer: (request: SeenRequest, url: string) => Answer, rest: JsonObject = {}) {
  const api = await serveApi((request) => answer(request, api.url));
  const connector = connectorWith({ streams: [streamOf(parts)], ...rest });
  const session = openSession(connector, { connection: { url: api.url } });
  return { api, session, pages: await readPages(session, 'items').catch((error: unknown) => error) };
}

const token = { type: 'token', param: 'cursor', tokenPath: 'next' };

interface Fault {
  readonly name: string;
  readonly parts?: JsonObject;
  readonly pagination?: JsonObject;
  readonly answer: (request: SeenRequest, url: string) => Answer;
  readonly message: string;
}

const faults: Fault[] = [
  {
    name: 'a web page instead of JSON',
    answer: () => ({ headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<html>Log in</html>' }),
    message: 'answered with 19 bytes of text/html instead of JSON',
  },
  { name: 'an empty body', answer: () => ({ body: '' }), message: 'answered with an empty body instead of JSON' },
  {
    name: 'half a document',
    answer: () => ({ body: '[{"id":1},' }),
    message: 'answered with 10 bytes of application/json instead of JSON',
  },
  {
    name: 'no records where they should be',
    parts: { recordsPath: 'data.items' },
    answer: () => ({ body: { data: { entries: [] } } }),
    message: 'answered without its records: there is nothing at recordsPath "data.items"',
  },
  {
    name: 'records that are no objects',
    answer: () => ({ body: [{ id: 1 }, 'two'] }),
    message: 'has something else than an object at recordsPath "$", position 1',
  },
  {
    name: 'a record without its key',
    answer: () => ({ body: [{ id: 1 }, { name: 'x' }] }),
    message: 'has a record without its primary key: there is no text or number in "id"',
  },
  {
    name: 'a record without a part of its key',
    parts: { primaryKey: ['id', 'owner.id'] },
    answer: () => ({ body: [{ id: 1, owner: null }] }),
    message: 'has a record without its primary key: there is no text or number in "owner.id"',
  },
  {
    name: 'a cursor field that no record has',
    parts: { incremental: { cursorField: 'updatedAt' }, params: { since: '{{ state.cursor }}' } },
    answer: () => ({ body: [{ id: 1, updated_at: '2024-01-01T00:00:00Z' }] }),
    message: 'has no record with a rfc3339 in the cursor field "updatedAt"',
  },
  {
    name: 'a record above the limit',
    answer: () => ({ body: [{ id: 1, text: 'x'.repeat(LIMITS.recordBytes) }] }),
    message: `has a record above ${LIMITS.recordBytes} bytes, at position 0`,
  },
  {
    name: 'the same token again',
    parts: { recordsPath: 'data' },
    pagination: token,
    answer: ({ query }) => ({ body: { data: [{ id: query.get('cursor') ?? 'first' }], next: 'x' } }),
    message: 'goes in circles: it names a page as the next one that was read already',
  },
  {
    name: 'tokens that go round in a long circle',
    parts: { recordsPath: 'data' },
    pagination: token,
    answer: ({ query }) => {
      const at = Number(query.get('cursor') ?? 0);
      return { body: { data: [{ id: at }], next: String((at + 1) % 13) } };
    },
    message: 'goes in circles',
  },
  {
    name: 'the same page for every number',
    pagination: { type: 'page', param: 'page' },
    answer: () => ({ body: [{ id: 1 }, { id: 2 }] }),
    message: 'gave the same page twice: it ignores the parameter that asks for the next page',
  },
  {
    name: 'no word on whether there is more',
    parts: { recordsPath: 'data' },
    pagination: { type: 'cursor', param: 'after', recordPath: 'id', hasMorePath: 'has_more' },
    answer: () => ({ body: { data: [{ id: 1 }] } }),
    message: 'does not say at "has_more" whether there is more',
  },
  {
    name: 'a last record without what the next page starts after',
    parts: { recordsPath: 'data' },
    pagination: { type: 'cursor', param: 'after', recordPath: 'position', hasMorePath: 'more' },
    answer: () => ({ body: { data: [{ id: 1 }], more: true } }),
    message: 'has a last record without "position", which the next page starts after',
  },
  {
    name: 'a token that is an object',
    parts: { recordsPath: 'data' },
    pagination: token,
    answer: () => ({ body: { data: [{ id: 1 }], next: { page: 2 } } }),
    message: 'has something else than a text or number as the token of its next page',
  },
  {
    name: 'an endless token',
    parts: { recordsPath: 'data' },
    pagination: token,
    answer: () => ({ body: { data: [{ id: 1 }], next: 'x'.repeat(20_000) } }),
    message: 'names its next page with more than 16384 characters',
  },
  {
    name: 'a next page on another host',
    pagination: { type: 'link_header' },
    answer: () => ({ body: [{ id: 1 }], headers: { link: '<https://elsewhere.example/items?page=2>; rel="next"' } }),
    message: 'names a next page on https://elsewhere.example, which is not part of this API',
  },
];

describe('an answer that does not fit its description ends the read with its reason:', () => {
  it.each(faults)('$name', async ({ parts = {}, pagination, answer, message }) => {
    const { pages, api } = await read(parts, answer, pagination === undefined ? {} : { pagination });
    expect(pages).toBeInstanceOf(StreamReadError);
    const error = pages as StreamReadError;
    expect(error.message).toContain(message);
    expect(error.message).toContain(`The stream "items" cannot be read: ${api.url}/items`);
    expect(error.details).toMatchObject({ stream: 'items', url: `${api.url}/items` });
    expect(api.seen.length).toBeLessThan(50);
  });

  it('a path value that would leave its place is refused before anything is sent', async () => {
    const api = await serveApi(() => ({ body: [{ id: '..' }] }));
    const connector = connectorWith({
      streams: [
        streamOf({ name: 'owners', path: '/owners' }),
        streamOf({ path: '/owners/{{ parent.id | path }}/items', parent: { stream: 'owners' } }),
      ],
    });
    await expect(readPages(openSession(connector, { connection: { url: api.url } }), 'items')).rejects.toThrow(
      'its path "/owners/{{ parent.id | path }}/items" would leave its place',
    );
    expect(api.seen).toHaveLength(1);
  });

  it('a connection field that a path needs and that is not set', async () => {
    const api = await serveApi(() => ({ body: [] }));
    const connector = connectorWith({
      connection: [
        { name: 'url', title: 'Address', type: 'url' },
        { name: 'account', title: 'Account' },
      ],
      streams: [streamOf({ path: '/accounts/{{ config.account }}' })],
    });
    await expect(readPages(openSession(connector, { connection: { url: api.url } }), 'items')).rejects.toThrow(
      'Set configuration.connection.account.',
    );
  });

  it('a failed call keeps its own error', async () => {
    const { pages } = await read({}, () => ({ status: 403, body: { message: 'no' } }));
    expect(pages).toBeInstanceOf(OutgoingCallError);
    expect(pages).toMatchObject({ outcome: 'missing_scope', status: 403 });
  });
});

describe('records', () => {
  it('are found with wildcards, filtered and changed', async () => {
    const { pages } = await read(
      {
        recordsPath: 'groups[*].items[*]',
        primaryKey: ['owner.id', 'id'],
        filter: [
          { path: 'kind', in: ['a', 'b'] },
          { path: 'hidden', notEquals: true },
        ],
        transformations: [
          { add: { field: 'meta.source', value: '{{ config.url }}/{{ record.id }}' } },
          { remove: ['secret', 'owner.mail'] },
          { rename: { from: 'kind', to: 'meta.kind' } },
        ],
        deletions: 'marker',
        deletionMarker: { path: 'gone', equals: true },
      },
      () => ({
        body: {
          groups: [
            { items: [{ id: 1, kind: 'a', owner: { id: 9, mail: 'm' }, secret: 's', gone: true }] },
            {
              items: [
                { id: 2, kind: 'c', owner: { id: 9 } },
                { id: 3, kind: 'b', hidden: true, owner: { id: 9 } },
              ],
            },
          ],
        },
      }),
    );
    expect((pages as Awaited<ReturnType<typeof readPages>>)[0]!.records).toEqual([
      {
        key: '[9,1]',
        data: {
          id: 1,
          owner: { id: 9 },
          gone: true,
          meta: { source: expect.stringMatching(/^http:.*\/1$/), kind: 'a' },
        },
        deleted: true,
      },
    ]);
  });

  it('keep integers beyond what a double holds', async () => {
    const { pages } = await read({}, () => ({ body: '[{"id":9007199254740993},{"id":9007199254740992,"n":1.5e300}]' }));
    expect(keysOf(pages as Awaited<ReturnType<typeof readPages>>)).toEqual(['9007199254740993', '9007199254740992']);
  });

  it('of one object are a stream of one', async () => {
    const { pages } = await read({ recordsPath: 'me' }, () => ({ body: { me: { id: 7 } } }));
    expect(keysOf(pages as Awaited<ReturnType<typeof readPages>>)).toEqual(['7']);
  });
});

describe('the address of a next page', () => {
  it('is stored without the key that the provider repeats in it, and asked for with it', async () => {
    const api = await serveApi(({ query }) => {
      const page = Number(query.get('page') ?? 1);
      const next = `${api.url}/items?key=${query.get('key')}&page=${page + 1}#top`;
      return { body: { data: [{ id: page }], next: page < 3 ? next : null } };
    });
    const connector = connectorWith({
      auth: [
        {
          name: 'key',
          title: 'Key',
          type: 'api_key',
          in: 'query',
          key: 'key',
          value: '{{ credentials.apiKey }}',
          fields: [{ name: 'apiKey', title: 'Key' }],
        },
      ],
      pagination: { type: 'next_url', path: 'next' },
      streams: [streamOf({ recordsPath: 'data' })],
    });
    const session = openSession(connector, { connection: { url: api.url }, credentials: { apiKey: 'very-secret' } });
    const pages = await readPages(session, 'items');
    expect(keysOf(pages)).toEqual(['1', '2', '3']);
    expect(api.seen.map(({ query }) => query.get('key'))).toEqual(['very-secret', 'very-secret', 'very-secret']);
    expect(JSON.stringify(pages.map((page) => page.state))).not.toContain('very-secret');
  });

  it('on another origin is followed when the connector lists it', async () => {
    const second = await serveApi(() => ({ body: [{ id: 2 }] }));
    const first = await serveApi(() => ({
      body: [{ id: 1 }],
      headers: { link: `<${second.url}/items>; rel="next"` },
    }));
    const connector = connectorWith({
      connection: [
        { name: 'url', title: 'Address', type: 'url' },
        { name: 'other', title: 'Other address', type: 'url' },
      ],
      origins: ['{{ config.other }}'],
      pagination: { type: 'link_header' },
      streams: [streamOf({})],
    });
    const session = openSession(connector, { connection: { url: first.url, other: second.url } });
    expect(keysOf(await readPages(session, 'items'))).toEqual(['1', '2']);
  });
});
