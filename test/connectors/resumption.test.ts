import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRead } from '../../src/connectors/readStream.ts';
import type { ConnectorSession } from '../../src/connectors/types.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, keysOf, openSession, readPages, streamOf, throughDatabase } from './support/session.ts';

const paginations: readonly JsonObject[] = [
  { type: 'cursor', param: 'after', recordPath: 'id', hasMorePath: 'more' },
  { type: 'token', param: 'cursor', tokenPath: 'next' },
  { type: 'page', param: 'page' },
  { type: 'offset', param: 'offset' },
  { type: 'link_header' },
  { type: 'next_url', path: 'nextUrl' },
];

/** A list of `count` records in pages of `size`, which understands every kind of pagination at once. */
function page(query: URLSearchParams, address: string, count: number, size: number, prefix = '') {
  const number = Number(query.get('page') ?? 1);
  const position =
    query.get('after')?.split('-').at(-1) ?? query.get('cursor') ?? query.get('offset') ?? query.get('from');
  const from = Number(position ?? (number - 1) * size);
  const data = Array.from({ length: Math.max(0, Math.min(size, count - from)) }, (_, index) => ({
    id: `${prefix}${from + index + 1}`,
    at: from + index,
  }));
  const more = from + size < count;
  const nextUrl = `${address}?from=${from + size}`;
  return {
    body: { data, more, ...(more ? { next: String(from + size), nextUrl } : {}) },
    headers: more ? { link: `<${nextUrl}>; rel="next"` } : {},
  };
}

describe('a stored state continues exactly after its page', () => {
  it('of a plain stream, for every pagination', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paginations),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(),
        async (pagination, count, size, stop) => {
          const api = await serveApi(({ query, path }) => page(query, `${api.url}${path}`, count, size));
          const connector = connectorWith({ pagination, streams: [streamOf({ recordsPath: 'data' })] });
          const session = openSession(connector, { connection: { url: api.url } });
          const whole = await readPages(session, 'items');
          expect(keysOf(whole)).toEqual(Array.from({ length: count }, (_, index) => String(index + 1)));
          const stopped = stop % whole.length;
          await continues(session, whole, stopped, (state) => readPages(session, 'items', state));
          await api.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of a stream under two parents, with incremental cursors', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paginations),
        fc.constantFrom(...paginations),
        fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(),
        async (upper, lower, groups, size, stop) => {
          // groups → members → items: each number says how many items a member has.
          const api = await serveApi(({ query, path }) => {
            const [, kind, group, member] = path.split('/');
            const address = `${api.url}${path}`;
            if (kind === 'groups') return page(query, address, groups.length, size, 'g-');
            const members = groups[Number(group?.slice(2)) - 1] ?? [];
            if (kind === 'members') return page(query, address, members.length, size, `${group}-m-`);
            return page(query, address, members[Number(member?.split('-').at(-1)) - 1] ?? 0, size, `${member}-`);
          });
          const connector = connectorWith({
            pagination: upper,
            streams: [
              streamOf({ name: 'groups', path: '/groups', recordsPath: 'data' }),
              streamOf({
                name: 'members',
                path: '/members/{{ parent.id }}',
                recordsPath: 'data',
                transformations: [{ add: { field: 'group', value: '{{ parent.id }}' } }],
                parent: { stream: 'groups' },
              }),
              streamOf({
                path: '/items/{{ parent.group }}/{{ parent.id }}',
                params: { since: '{{ state.cursor }}' },
                recordsPath: 'data',
                incremental: { cursorField: 'at', format: 'integer' },
                parent: { stream: 'members' },
                pagination: lower,
              }),
            ],
          });
          const session = openSession(connector, { connection: { url: api.url } });
          const whole = await readPages(session, 'items');
          const expected = groups.flatMap((members, g) =>
            members.flatMap((count, m) => Array.from({ length: count }, (_, i) => `g-${g + 1}-m-${m + 1}-${i + 1}`)),
          );
          expect(keysOf(whole)).toEqual(expected);
          await continues(session, whole, stop % whole.length, (state) => readPages(session, 'items', state));
          await api.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  type Pages = Awaited<ReturnType<typeof readPages>>;

  async function continues(
    session: ConnectorSession,
    whole: Pages,
    stopped: number,
    read: (state: JsonValue) => Promise<Pages>,
  ): Promise<void> {
    const at = whole[stopped]!;
    const stored = throughDatabase(at.state);
    if (at.last) return;
    expect(planRead(session, 'items', stored)).toEqual({ kind: 'full', resumes: true });
    const rest = await read(stored);
    expect(keysOf(rest)).toEqual(keysOf(whole.slice(stopped + 1)));
    expect(throughDatabase(rest.at(-1)!.state)).toEqual(throughDatabase(whole.at(-1)!.state));
  }
});
