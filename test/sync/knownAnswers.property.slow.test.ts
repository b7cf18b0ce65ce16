import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SyncService } from '../../src/sync/syncService.ts';
import type { SyncResult } from '../../src/sync/types.ts';
import { useTestDatabase } from '../support/database.ts';
import { addIntegration, openSync, storedRecords } from './support/harness.ts';
import { etagOfBody, type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

const database = useTestDatabase();
let api: RecordsApi;
let service: ReturnType<typeof openSync>;
/** Integrations whose syncs send validators. */
const asking = new Set<string>();
beforeAll(async () => {
  api = await startRecordsApi();
  service = openSync(database.current, {
    session: (session) => ({ ...session, cacheValidators: asking.has(session.integrationId) }),
  });
});
afterAll(async () => {
  await service.close();
  await api.close();
});

const STREAMS = ['items', 'events'];
type Step =
  | { readonly kind: 'put'; readonly stream: string; readonly key: number; readonly value: number }
  | { readonly kind: 'remove'; readonly stream: string; readonly key: number }
  | { readonly kind: 'sync'; readonly fullRefresh: boolean; readonly fails: boolean }
  | { readonly kind: 'confirm' | 'tags' };

const stream = fc.constantFrom(...STREAMS);
// A page holds ten, so that lists are of one page and of two.
const key = fc.nat(12);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), stream, key, value: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), stream, key }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('sync' as const),
      fullRefresh: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      fails: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('confirm' as const, 'tags' as const) }) },
);

/** One of the two integrations, and what it has seen of its own changes. */
class Side {
  readonly #sync: SyncService;
  readonly #id: string;
  #cursor: string | undefined;

  constructor(sync: SyncService, id: string) {
    this.#sync = sync;
    this.#id = id;
  }

  run(fullRefresh: boolean): Promise<SyncResult> {
    return this.#sync.run(this.#id, { fullRefresh });
  }

  async confirm(): Promise<unknown[]> {
    const counts: unknown[] = [];
    for (const name of STREAMS)
      counts.push(await this.#sync.confirmDeletions(this.#id, name).catch((error: Error) => error.name));
    return counts;
  }

  /** All that can be known of it, but for times. */
  async look() {
    const page = await this.#sync.changes(this.#id, { cursor: this.#cursor, limit: 1_000 });
    this.#cursor = page.nextCursor;
    const status = await this.#sync.streamStatus(this.#id);
    return {
      changes: page.records.map(({ changedAt: _, deletedAt, ...rest }) => ({ ...rest, deleted: deletedAt !== null })),
      streams: status.map(({ stream, records, lastFullReadAt, pendingDeletions: pending }) => ({
        stream,
        records,
        readInFull: lastFullReadAt !== null,
        pending: pending && [pending.count, pending.total],
      })),
      stored: await Promise.all(STREAMS.map((name) => storedRecords(database.current, this.#id, name))),
    };
  }
}

const outcomeOf = (run: SyncResult) => ({
  success: run.success,
  added: run.recordsAdded,
  updated: run.recordsUpdated,
  deleted: run.recordsDeleted,
  // What was not sent was unchanged.
  unchanged: run.recordsUnchanged + run.recordsConfirmed,
  read: run.recordsRead + run.recordsConfirmed,
  warnings: run.warnings,
});

test('whatever a provider does, syncs that send validators come to what others come to', async () => {
  let confirmed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
      api.tables.clear();
      api.validators = etagOfBody;
      api.put('items', ...[1, 2, 3, 4, 5].map((number) => ({ id: `k${number}`, updated_at: second(0) })));
      const sides = await Promise.all(
        [true, false].map(async (asks) => {
          const id = await addIntegration(database.current, api.url, { streams: STREAMS, deletionSafetyPercent: 40 });
          if (asks) asking.add(id);
          return new Side(service.sync, id);
        }),
      );
      let now = 0;
      for (const one of steps) {
        now += 1;
        if (one.kind === 'put')
          api.put(one.stream, { id: `k${one.key}`, value: one.value, updated_at: second(now - one.value) });
        if (one.kind === 'remove') api.remove(one.stream, `k${one.key}`);
        if (one.kind === 'tags') api.validators = api.validators === null ? etagOfBody : null;
        if (one.kind === 'confirm') {
          const [left, right] = [await sides[0]!.confirm(), await sides[1]!.confirm()];
          expect(left).toEqual(right);
        }
        if (one.kind === 'sync') {
          const runs: SyncResult[] = [];
          for (const side of sides) {
            let fails = one.fails;
            api.intercept = (_request, response, url) => {
              if (!fails || url.pathname !== '/items') return false;
              fails = false;
              response.writeHead(404).end();
              return true;
            };
            runs.push(await side.run(one.fullRefresh));
          }
          confirmed += runs[0]!.streamsConfirmed.length;
          expect(runs[1]!.streamsConfirmed).toEqual([]);
          expect(outcomeOf(runs[0]!)).toEqual(outcomeOf(runs[1]!));
        }
        const [left, right] = [await sides[0]!.look(), await sides[1]!.look()];
        expect(left).toEqual(right);
      }
    }),
    { numRuns: 40, endOnFailure: true },
  );
  // Else the two would be the same for no reason.
  expect(confirmed).toBeGreaterThan(20);
});

const second = (number: number) => new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString();
