import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Database } from '../../../src/store/database.ts';
import type { SyncService } from '../../../src/sync/syncService.ts';
import { eventually } from '../../support/eventually.ts';
import { startProgram } from '../../support/processes.ts';
import { addIntegration, openSync, storedRecords } from './harness.ts';
import { numbered, type RecordsApi } from './recordsApi.ts';

export interface KillScenario {
  readonly database: Database;
  readonly databaseUrl: string;
  readonly api: RecordsApi;
  readonly kills: number;
  /** Between 0 and 1, repeatable. */
  readonly random: () => number;
}

const ITEMS = 600;
const EVENTS = 400;

/**
 * Syncs with worker processes that are killed at random moments, twice: everything new, then with changes and
 * deletions. What is stored then must be what a sync without interruption stores.
 */
export async function syncUnderKills({ database, databaseUrl, api, kills, random }: KillScenario): Promise<void> {
  api.tables.clear();
  api.put('items', ...numbered(ITEMS));
  api.put('events', ...numbered(EVENTS, {}, 'e').map((event, index) => ({ ...event, updated_at: second(index / 3) })));
  // Slow enough for several transactions a stream.
  api.intercept = async () => {
    await delay(random() * 20);
    return false;
  };
  const asking = openSync(database, { workers: false });
  try {
    const id = await addIntegration(database, api.url);
    const early = (await asking.sync.changes(id)).nextCursor;
    await runUnderKills({ database, databaseUrl, api, random, kills, sync: asking.sync, id });
    await expectLikeUninterrupted(database, api, id);

    api.remove('items', ...numbered(100).map((item) => String(item.id)));
    api.put('items', ...numbered(200, { changed: true }).slice(100), ...numbered(50, {}, 's'));
    api.put('events', ...numbered(60, { updated_at: second(EVENTS / 3), changed: true }, 'e'));
    await runUnderKills({ database, databaseUrl, api, random, kills, sync: asking.sync, id });
    await expectLikeUninterrupted(database, api, id);
    await expectFeedGives(asking.sync, database, id, early);
  } finally {
    await asking.close();
  }
}

interface KilledRun extends KillScenario {
  readonly sync: SyncService;
  readonly id: string;
}

async function runUnderKills({ database, databaseUrl, api, sync, id, kills, random }: KilledRun): Promise<void> {
  const { id: runId } = await sync.requestRun(id, { trigger: 'manual' });
  for (let kill = 0; kill < kills; kill++) {
    const worker = startProgram('sync/support/worker.ts', [databaseUrl]);
    const killAtRequest = api.requests.length + 1 + Math.floor(random() * 50);
    const finished = async () => (await sync.getRun(runId)).finishedAt !== null;
    await eventually('requests', async () => api.requests.length >= killAtRequest || (await finished()));
    // Pages are written up to a quarter of a second later.
    await delay(random() * 300);
    await worker.kill();
    // What waiting for eight seconds would do.
    await database.pool.query(
      `update sync_runs set lease_until = now() - interval '1 second' where id = $1 and status = 'running'`,
      [runId],
    );
  }
  const worker = startProgram('sync/support/worker.ts', [databaseUrl]);
  const run = await sync.waitForRun(runId, AbortSignal.timeout(60_000));
  await worker.kill();
  expect(run).toMatchObject({ success: true, error: null, warnings: [] });
  expect(run.recordsRead).toBe(run.recordsAdded + run.recordsUpdated + run.recordsUnchanged);
}

/** Syncs the same API once more, at once and without a kill, and compares. */
async function expectLikeUninterrupted(database: Database, api: RecordsApi, id: string): Promise<void> {
  const reference = openSync(database);
  try {
    const other = await addIntegration(database, api.url);
    expect(await reference.sync.run(other)).toMatchObject({ success: true });
    for (const stream of ['items', 'events']) {
      const live = (await storedRecords(database, id, stream)).filter((record) => !record.deleted);
      const expected = await storedRecords(database, other, stream);
      expect(live).toEqual(expected);
      expect(await stateOf(database, id, stream)).toEqual({ ...(await stateOf(database, other, stream)) });
    }
  } finally {
    await reference.close();
  }
}

async function stateOf(database: Database, id: string, stream: string) {
  return database.db
    .selectFrom('sync_states')
    .select(['state', 'record_count', 'pending_deletions'])
    .where('integration_id', '=', id)
    .where('stream', '=', stream)
    .executeTakeFirstOrThrow();
}

async function expectFeedGives(sync: SyncService, database: Database, id: string, cursor: string): Promise<void> {
  const seen = new Map<string, unknown>();
  for (let hasMore = true; hasMore; ) {
    const page = await sync.changes(id, { cursor, limit: 1000 });
    for (const { stream, key, change, data } of page.records) {
      if (change === 'deleted') seen.delete(`${stream}/${key}`);
      else seen.set(`${stream}/${key}`, data);
    }
    ({ nextCursor: cursor, hasMore } = page);
  }
  const live: [string, unknown][] = [];
  for (const stream of ['items', 'events'])
    for (const record of await storedRecords(database, id, stream))
      if (!record.deleted) live.push([`${stream}/${record.key}`, record.data]);
  expect(seen).toEqual(new Map(live));
}

const second = (number: number) => new Date(Date.UTC(2026, 0, 1) + Math.floor(number) * 1000).toISOString();

/** A repeatable sequence of numbers between 0 and 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
