import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readStream } from '../../src/connectors/readStream.ts';
import type { ConnectorSession } from '../../src/connectors/types.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { type SeenRequest, serveApi } from './support/api.ts';
import { connectorWith, keysOf, openSession, readPages, streamOf, throughDatabase } from './support/session.ts';

const STARTED_AT_MS = Date.UTC(2026, 0, 1);
const PAGE_SIZE = 3;

interface Row {
  readonly id: number;
  v: number;
  atMs: number;
}

/** How the API orders its list, and so where its next page starts. */
interface Listing {
  readonly order: 'ascending' | 'descending' | 'unordered';
  readonly place: (row: Row) => number[];
}
const listings = {
  'by id': { order: 'unordered', place: ({ id }) => [id] },
  'oldest change first': { order: 'ascending', place: ({ id, atMs }) => [atMs, id] },
  'newest change first': { order: 'descending', place: ({ id, atMs }) => [-atMs, id] },
} satisfies Record<string, Listing>;

const formats = {
  rfc3339: (atMs: number) => `${new Date(atMs).toISOString().slice(0, 19)}Z`,
  epoch_seconds: (atMs: number) => Math.floor(atMs / 1000),
  epoch_ms: (atMs: number) => atMs,
  integer: (atMs: number) => atMs - STARTED_AT_MS,
};

/** An API with a clock of its own, in which rows change between the requests. */
class ChangingApi {
  readonly rows: Row[];
  readonly listing: Listing;
  readonly format: keyof typeof formats;
  nowMs = STARTED_AT_MS;
  /** Called before every answer. */
  beforeAnswer: () => void = () => {};

  constructor(count: number, listing: Listing, format: keyof typeof formats) {
    this.rows = Array.from({ length: count }, (_, index) => ({ id: index + 1, v: 1, atMs: STARTED_AT_MS }));
    this.listing = listing;
    this.format = format;
  }

  change(id: number): void {
    const row = this.rows.find((one) => one.id === id)!;
    row.v += 1;
    row.atMs = this.nowMs;
  }

  answer({ query }: SeenRequest) {
    this.beforeAnswer();
    const at = formats[this.format];
    const since = query.get('since');
    const after = query.get('after')?.split(',').map(Number);
    const found = this.rows
      .filter(
        (row) => since === null || compare([at(row.atMs)], [this.format === 'rfc3339' ? since : Number(since)]) > 0,
      )
      .filter((row) => after === undefined || compare(this.listing.place(row), after) > 0)
      .sort((a, b) => compare(this.listing.place(a), this.listing.place(b)));
    const page = found.slice(0, PAGE_SIZE);
    const last = page.at(-1);
    return {
      headers: { date: new Date(this.nowMs).toUTCString() },
      body: {
        data: page.map(({ id, v, atMs }) => ({ id, v, at: at(atMs) })),
        next: found.length > PAGE_SIZE ? this.listing.place(last!).join(',') : null,
      },
    };
  }

  connector() {
    const { order } = this.listing;
    return connectorWith({
      pagination: { type: 'token', param: 'after', tokenPath: 'next' },
      streams: [
        streamOf({
          recordsPath: 'data',
          params: { since: '{{ state.cursor }}' },
          incremental: { cursorField: 'at', format: this.format, order },
        }),
      ],
    });
  }
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const index = a.findIndex((part, at) => part !== b[at]);
  return index < 0 ? 0 : a[index]! < b[index]! ? -1 : 1;
}

/** What a store would hold after these pages. */
class Copy {
  readonly versions = new Map<string, JsonValue>();
  #state: JsonValue | null = null;

  /** Reads to the end; with `interruptions` every page is read by a process of its own. */
  async read(session: ConnectorSession, interruptions = false): Promise<void> {
    for (let last = false; !last; ) {
      const { signal } = new AbortController();
      for await (const page of readStream(session, { stream: 'items', state: this.#state, signal })) {
        for (const { key, data } of page.records) this.versions.set(key, data.v!);
        this.#state = throughDatabase(page.state);
        last = page.last;
        if (interruptions) break;
      }
    }
  }
}

const upstream = (api: ChangingApi) => Object.fromEntries(api.rows.map(({ id, v }) => [String(id), v]));

describe('what changes while a stream is read', () => {
  it('is there after the next read, in whatever order, format and with whatever interruptions', async () => {
    let current: ChangingApi;
    const server = await serveApi((request) => current.answer(request));
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 2500 }),
      change: fc.array(fc.nat(11), { maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(listings)),
        fc.constantFrom(...(Object.keys(formats) as (keyof typeof formats)[])),
        fc.boolean(),
        fc.array(step, { maxLength: 10 }),
        async (listing, format, interruptions, steps) => {
          current = new ChangingApi(12, listing, format);
          const pending = [...steps];
          current.beforeAnswer = () => {
            const next = pending.shift();
            current.nowMs += next?.waitMs ?? 1000;
            for (const index of next?.change ?? []) current.change(index + 1);
          };
          const session = openSession(current.connector(), { connection: { url: server.url } });
          const copy = new Copy();
          while (pending.length > 0) await copy.read(session, interruptions);
          await copy.read(session, interruptions);
          expect(Object.fromEntries(copy.versions)).toEqual(upstream(current));
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each(['rfc3339', 'epoch_seconds', 'epoch_ms', 'integer'] as const)(
    'is not passed over by a change that came later on the list (%s)',
    async (format) => {
      const api = new ChangingApi(9, listings['by id'], format);
      const server = await serveApi((request) => api.answer(request));
      const session = openSession(api.connector(), { connection: { url: server.url } });
      const copy = new Copy();
      api.beforeAnswer = () => {
        api.nowMs += 60_000;
        // The first page was given: a row of it changes, and later one that is still to come.
        if (server.seen.length === 2) api.change(1);
        if (server.seen.length === 3) api.change(9);
      };
      await copy.read(session);
      expect(copy.versions.get('1')).toBe(1);
      await copy.read(session);
      expect(Object.fromEntries(copy.versions)).toEqual(upstream(api));
    },
  );
});

describe('the time that the next read starts from', () => {
  const connector = (incremental: JsonObject) =>
    connectorWith({
      streams: [
        streamOf({ params: { since: '{{ state.cursor }}' }, incremental: { cursorField: 'at', ...incremental } }),
      ],
    });
  const at = '2026-01-01T12:00:00Z';

  /** How long a call may take here; what is asked for again is longer by that. */
  const SLACK_MS = 60_000;
  const expectShortlyBefore = (since: string | null, time: string) => {
    const earlierMs = Date.parse(time) - Date.parse(since!);
    expect(earlierMs).toBeGreaterThanOrEqual(0);
    expect(earlierMs).toBeLessThan(SLACK_MS);
  };

  async function sinceOf(incremental: JsonObject, date: string, ourNow: string): Promise<string | null> {
    const api = await serveApi(() => ({ body: [{ id: 1, at }], headers: { date } }));
    const clock = { ...systemClock, now: () => Date.parse(ourNow) };
    const session = openSession(connector(incremental), { connection: { url: api.url }, clock });
    const [page] = await readPages(session, 'items');
    expect(keysOf(await readPages(session, 'items', throughDatabase(page!.state)))).toEqual(['1']);
    return api.seen.at(-1)!.query.get('since');
  }

  it("goes by the provider's clock, not by ours", async () => {
    const date = new Date('2026-01-01T11:00:00Z').toUTCString();
    for (const order of ['unordered', 'descending'])
      expectShortlyBefore(await sinceOf({ order }, date, '2026-01-01T19:00:00Z'), '2026-01-01T10:59:59Z');
  });

  it('goes by ours, less a margin, where the provider does not tell the time', async () => {
    expectShortlyBefore(await sinceOf({}, 'today', '2026-01-01T11:00:00Z'), '2026-01-01T10:59:58Z');
  });

  it('is no later than now in ascending order too: one record of the future must not hide all others', async () => {
    const date = new Date('2026-01-01T11:00:00Z').toUTCString();
    expectShortlyBefore(await sinceOf({ order: 'ascending' }, date, at), '2026-01-01T10:59:59Z');
  });

  it("is each parent's own", async () => {
    const hours: Record<string, number> = { '/shops': 10, '/shops/a/items': 11, '/shops/b/items': 12 };
    const api = await serveApi(({ path }) => ({
      headers: { date: new Date(Date.UTC(2026, 0, 1, hours[path])).toUTCString() },
      body: path === '/shops' ? [{ id: 'a' }, { id: 'b' }] : [{ id: path, at: '2026-01-02T00:00:00Z' }],
    }));
    const session = openSession(
      connectorWith({
        streams: [
          streamOf({ name: 'shops', path: '/shops' }),
          streamOf({
            path: '/shops/{{ parent.id }}/items',
            params: { since: '{{ state.cursor }}' },
            incremental: { cursorField: 'at' },
            parent: { stream: 'shops' },
          }),
        ],
      }),
      { connection: { url: api.url } },
    );
    const pages = await readPages(session, 'items');
    await readPages(session, 'items', throughDatabase(pages.at(-1)!.state));
    const [ofA, ofB] = api.seen.slice(-2).map(({ query }) => query.get('since'));
    expectShortlyBefore(ofA!, '2026-01-01T10:59:59Z');
    expectShortlyBefore(ofB!, '2026-01-01T11:59:59Z');
  });
});
