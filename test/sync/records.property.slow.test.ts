import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { StreamRecord } from '../../src/connectors/types.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { SyncService } from '../../src/sync/syncService.ts';
import { useTestDatabase } from '../support/database.ts';
import { addIntegration, openSync, storedRecords } from './support/harness.ts';
import { type ScriptedRead, scriptedReader } from './support/scriptedReader.ts';

const database = useTestDatabase();
let service: ReturnType<typeof openSync> | undefined;
afterEach(async () => {
  await service?.close();
  service = undefined;
});

const record: fc.Arbitrary<StreamRecord> = fc.record(
  { key: fc.nat(11).map((n) => `k${n}`), data: fc.record({ v: fc.nat(3) }), deleted: fc.constantFrom(undefined, true) },
  { requiredKeys: ['key', 'data'] },
);
const read: fc.Arbitrary<ScriptedRead> = fc.record({
  kind: fc.constantFrom('full', 'incremental'),
  pages: fc.array(fc.array(record, { maxLength: 6 }), { minLength: 1, maxLength: 4 }),
});

/** What the records must be, kept the simplest way. */
class Model {
  readonly live = new Map<string, JsonObject>();
  /** The number of the last full read when a record last came. */
  readonly #cameAt = new Map<string, number>();
  readonly #twice: boolean;
  #fullReads = 0;

  /** @param twice whether a record is gone only when two full reads of several pages have not brought it */
  constructor(twice: boolean) {
    this.#twice = twice;
  }

  apply({ kind, pages }: ScriptedRead): void {
    if (kind === 'full') this.#fullReads += 1;
    for (const { key, data, deleted } of pages.flat()) {
      if (deleted) this.live.delete(key);
      else this.live.set(key, data);
      this.#cameAt.set(key, this.#fullReads);
    }
    if (kind !== 'full') return;
    const since = this.#twice && pages.length > 1 ? this.#fullReads - 1 : this.#fullReads;
    for (const key of this.live.keys()) if (this.#cameAt.get(key)! < since) this.live.delete(key);
  }
}

async function liveOf(id: string, stream: string): Promise<Map<string, JsonObject>> {
  const stored = await storedRecords(database.current, id, stream);
  return new Map(stored.filter((one) => !one.deleted).map((one) => [one.key, one.data]));
}

test.each([
  ['pages by cursor', 'items', false],
  ['pages that can shift', 'events', true],
])('whatever comes in whatever reads, what is stored is what it should be (%s)', async (_, stream, twice) => {
  const reads: ScriptedRead[] = [];
  service = openSync(database.current, { reader: scriptedReader(reads) });
  const { sync } = service;
  await fc.assert(
    fc.asyncProperty(fc.array(read, { minLength: 1, maxLength: 6 }), async (script) => {
      reads.splice(0, reads.length, ...script);
      const id = await addIntegration(database.current, 'http://127.0.0.1:1', {
        streams: [stream],
        deletionSafetyPercent: 100,
      });
      const model = new Model(twice);
      for (const one of script) {
        model.apply(one);
        const run = await sync.run(id);
        expect(run).toMatchObject({ success: true, recordsRead: one.pages.flat().length });
        const sum = run.recordsAdded + run.recordsUpdated + run.recordsUnchanged;
        expect(sum).toBeLessThanOrEqual(run.recordsRead);
        expect(await liveOf(id, stream)).toEqual(model.live);
        expect((await sync.streamStatus(id))[0]).toMatchObject({ records: model.live.size, pendingDeletions: null });
      }
    }),
    { numRuns: 50, endOnFailure: true },
  );
});

/** Follows the change feed in pages of random sizes. */
class Follower {
  readonly records = new Map<string, JsonObject>();
  readonly #sync: SyncService;
  readonly #id: string;
  #cursor: string | undefined;
  #limits: number[];

  constructor(sync: SyncService, id: string, limits: number[]) {
    this.#sync = sync;
    this.#id = id;
    this.#limits = limits;
  }

  /** Reads to the end of what is there. */
  async catchUp(): Promise<void> {
    for (;;) {
      const limit = this.#limits[0]!;
      this.#limits = [...this.#limits.slice(1), limit];
      const page = await this.#sync.changes(this.#id, { cursor: this.#cursor, limit });
      for (const { stream, key, change, data } of page.records) {
        if (change === 'deleted') this.records.delete(`${stream}/${key}`);
        else this.records.set(`${stream}/${key}`, data);
      }
      this.#cursor = page.nextCursor;
      if (!page.hasMore) return;
    }
  }
}

test('whoever follows the change feed while records are written misses nothing', async () => {
  const reads: ScriptedRead[] = [];
  service = openSync(database.current, { reader: scriptedReader(reads, () => delay(Math.random() * 3)) });
  const { sync } = service;
  await fc.assert(
    fc.asyncProperty(
      fc.array(read, { minLength: 2, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
      async (script, limits) => {
        reads.splice(0, reads.length, ...script);
        const id = await addIntegration(database.current, 'http://127.0.0.1:1', {
          streams: ['items', 'things'],
          deletionSafetyPercent: 100,
        });
        const follower = new Follower(sync, id, limits);
        let running = true;
        const following = (async () => {
          while (running) await follower.catchUp();
        })();
        for (const _ of script) expect(await sync.run(id)).toMatchObject({ success: true });
        running = false;
        await following;
        await follower.catchUp();
        const expected = new Map<string, JsonObject>();
        for (const stream of ['items', 'things'])
          for (const one of await storedRecords(database.current, id, stream))
            if (!one.deleted) expected.set(`${stream}/${one.key}`, one.data);
        expect(follower.records).toEqual(expected);
      },
    ),
    { numRuns: 25, endOnFailure: true },
  );
});
