import { describe, expect, it } from 'vitest';
import { linkTarget } from '../../src/connectors/pagination/linkHeader.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { type Answer, type SeenRequest, serveApi } from './support/api.ts';
import { connectorWith, keysOf, openSession, readPages, streamOf } from './support/session.ts';

const IDS = Array.from({ length: 7 }, (_, index) => index + 1);
const SIZE = 3;
const records = (from: number): JsonObject[] => IDS.slice(from, from + SIZE).map((id) => ({ id }));

interface Kind {
  readonly name: string;
  readonly pagination: JsonObject;
  readonly stream?: JsonObject;
  readonly answer: (request: SeenRequest, url: string) => Answer;
  readonly calls: number;
}

const kinds: Kind[] = [
  {
    name: 'a cursor from the last record, until has_more is false',
    pagination: {
      type: 'cursor',
      param: 'after',
      recordPath: 'id',
      hasMorePath: 'more',
      pageSize: { param: 'n', value: SIZE },
    },
    stream: { recordsPath: 'data' },
    answer: ({ query }) => {
      const from = Number(query.get('after') ?? 0);
      return { body: { data: records(from), more: from + SIZE < IDS.length } };
    },
    calls: 3,
  },
  {
    name: 'a cursor from the last record, until a short page',
    pagination: {
      type: 'cursor',
      param: 'after',
      recordPath: 'id',
      shortPageEnds: true,
      pageSize: { param: 'n', value: SIZE },
    },
    answer: ({ query }) => ({ body: records(Number(query.get('after') ?? 0)) }),
    calls: 3,
  },
  {
    name: 'a token in the body, sent in the query',
    pagination: { type: 'token', param: 'cursor', tokenPath: 'meta.next' },
    stream: { recordsPath: 'data' },
    answer: ({ query }) => {
      const from = Number(query.get('cursor')?.slice(1) ?? 0);
      return { body: { data: records(from), meta: { next: from + SIZE < IDS.length ? `t${from + SIZE}` : '' } } };
    },
    calls: 3,
  },
  {
    name: 'a token in a header, sent in a header',
    pagination: { type: 'token', in: 'header', param: 'x-page', tokenHeader: 'X-Next' },
    answer: ({ headers }) => {
      const from = Number(headers['x-page'] ?? 0);
      const more = from + SIZE < IDS.length;
      return { body: records(from), headers: more ? { 'x-next': String(from + SIZE) } : {} };
    },
    calls: 3,
  },
  {
    name: 'a token sent in a JSON body',
    pagination: {
      type: 'token',
      in: 'body',
      param: 'start',
      tokenPath: 'next',
      pageSize: { in: 'body', param: 'size', value: SIZE },
    },
    stream: { method: 'POST', recordsPath: 'data', body: { filter: { kind: 'x' } } },
    answer: ({ body }) => {
      const sent = JSON.parse(body) as { start?: string; size: number; filter: unknown };
      expect(sent).toMatchObject({ filter: { kind: 'x' }, size: SIZE });
      const from = Number(sent.start ?? 0);
      return { body: { data: records(from), next: from + SIZE < IDS.length ? String(from + SIZE) : null } };
    },
    calls: 3,
  },
  {
    name: 'page numbers, until an empty page',
    pagination: { type: 'page', param: 'page' },
    answer: ({ query }) => ({ body: records((Number(query.get('page')) - 1) * SIZE) }),
    calls: 4,
  },
  {
    name: 'page numbers from 0, until a short page',
    pagination: { type: 'page', param: 'p', start: 0, shortPageEnds: true, pageSize: { param: 'n', value: SIZE } },
    answer: ({ query }) => ({ body: records(Number(query.get('p')) * SIZE) }),
    calls: 3,
  },
  {
    name: 'page numbers, as many as a header says',
    pagination: { type: 'page', param: 'page', totalPagesHeader: 'X-WP-TotalPages' },
    answer: ({ query }) => ({
      body: records((Number(query.get('page')) - 1) * SIZE),
      headers: { 'x-wp-totalpages': '3' },
    }),
    calls: 3,
  },
  {
    name: 'page numbers, as many as the body says',
    pagination: { type: 'page', param: 'page', totalPagesPath: 'paging.pages' },
    stream: { recordsPath: 'data' },
    answer: ({ query }) => ({ body: { data: records((Number(query.get('page')) - 1) * SIZE), paging: { pages: 3 } } }),
    calls: 3,
  },
  {
    name: 'page numbers, with the number of records',
    pagination: { type: 'page', param: 'page', totalPath: 'total', pageSize: { param: 'n', value: SIZE } },
    stream: { recordsPath: 'data' },
    answer: ({ query }) => ({ body: { data: records((Number(query.get('page')) - 1) * SIZE), total: IDS.length } }),
    calls: 3,
  },
  {
    name: 'offsets, with the number of records',
    pagination: { type: 'offset', param: 'offset', totalPath: 'total' },
    stream: { recordsPath: 'data' },
    answer: ({ query }) => ({ body: { data: records(Number(query.get('offset'))), total: IDS.length } }),
    calls: 3,
  },
  {
    name: 'offsets, until an empty page',
    pagination: { type: 'offset', param: 'skip' },
    answer: ({ query }) => ({ body: records(Number(query.get('skip'))) }),
    calls: 4,
  },
  {
    name: 'the Link header',
    pagination: { type: 'link_header', pageSize: { param: 'per_page', value: SIZE } },
    answer: ({ query, path }, url) => {
      expect(query.get('per_page')).toBe(String(SIZE));
      const from = Number(query.get('from') ?? 0);
      const next = `<${url}${path}?per_page=${SIZE}&from=${from + SIZE}>; rel="next", <${url}${path}>; rel="first"`;
      return { body: records(from), headers: from + SIZE < IDS.length ? { link: next } : {} };
    },
    calls: 3,
  },
  {
    name: 'the address of the next page in the body, also a relative one',
    pagination: { type: 'next_url', path: 'links.next' },
    stream: { recordsPath: 'data' },
    answer: ({ query }) => {
      const from = Number(query.get('from') ?? 0);
      return {
        body: { data: records(from), links: { next: from + SIZE < IDS.length ? `/items?from=${from + SIZE}` : null } },
      };
    },
    calls: 3,
  },
  {
    name: 'no pages at all',
    pagination: { type: 'none' },
    answer: () => ({ body: IDS.map((id) => ({ id })) }),
    calls: 1,
  },
];

describe('pages are turned by', () => {
  it.each(kinds)('$name', async ({ pagination, stream, answer, calls }) => {
    const api = await serveApi((request) => answer(request, api.url));
    const connector = connectorWith({ pagination, streams: [streamOf(stream ?? {})] });
    const pages = await readPages(openSession(connector, { connection: { url: api.url } }), 'items');
    expect(keysOf(pages)).toEqual(IDS.map(String));
    expect(api.seen).toHaveLength(calls);
    expect(pages.map((page) => page.last)).toEqual(pages.map((_, index) => index === pages.length - 1));
  });

  it('a stream without any record ends after one empty page', async () => {
    const api = await serveApi(() => ({ body: [] }));
    const connector = connectorWith({ pagination: { type: 'page', param: 'page' }, streams: [streamOf({})] });
    const pages = await readPages(openSession(connector, { connection: { url: api.url } }), 'items');
    expect(pages).toMatchObject([{ records: [], last: true }]);
  });
});

describe('a Link header', () => {
  it.each([
    ['<https://a.example/?page=2>; rel="next"', 'https://a.example/?page=2'],
    ['<https://a.example/?page=1>; rel=prev, <https://a.example/?page=3>; rel=next', 'https://a.example/?page=3'],
    [
      '<https://a.example/?a=1,2;b>; title="x, <y>; rel=next"; rel="last", <https://a.example/n>; rel="NEXT"',
      'https://a.example/n',
    ],
    ['<https://a.example/n>; rel="first next"', 'https://a.example/n'],
    ['</items?page=2>;rel="next"', '/items?page=2'],
    ['<https://a.example/>; rel="prev"', undefined],
    ['next', undefined],
    [undefined, undefined],
  ])('%s', (header, target) => {
    expect(linkTarget(header, 'next')).toBe(target);
  });
});
