import type { Transaction } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Schema } from '../../src/store/schema.ts';
import { readChanges } from '../../src/sync/changeFeed.ts';
import { deleteUnseen, eraseRecords } from '../../src/sync/deletionQueries.ts';
import { collectFields, exportBatches } from '../../src/sync/exportQueries.ts';
import { RecordBatch } from '../../src/sync/recordBatch.ts';
import { writeRecords } from '../../src/sync/recordQueries.ts';
import { claimRuns, findActiveRun, listRuns, renewLeases, requestStop } from '../../src/sync/runQueries.ts';
import { lockDueSchedules, queueDueRuns, readNextDue } from '../../src/sync/scheduleQueries.ts';
import { useTestDatabase } from '../support/database.ts';
import { indexesUsed } from './support/plans.ts';

const database = useTestDatabase();
const BIG = 'int_000042';
const indexesOf = (use: (db: Transaction<Schema>) => Promise<unknown>) => indexesUsed(database.current.pool, use);

/** One integration with many records in one stream and few in another, among thousands of others. */
beforeAll(async () => {
  const { pool } = database.current;
  for (const statement of [
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     select 'int_' || lpad(n::text, 6, '0'), 'o', 'n', 't', 'p', 'connected', '{}' from generate_series(1, 20000) n`,
    `insert into sync_schedules (integration_id, frequency, next_due_at)
     select id, 'hourly', now() + (row_number() over () - 100) * interval '1 second' from integrations`,
    `insert into sync_runs (id, integration_id, trigger, status, finished_at, queued_at)
     select 'syn_' || lpad(n::text, 8, '0'), 'int_' || lpad((1 + n % 20000)::text, 6, '0'), 'schedule', 'succeeded', now(), now()
     from generate_series(1, 60000) n`,
    `insert into sync_runs (id, integration_id, trigger, status, lease_until)
     select 'syn_active' || id, id, 'schedule', case when id < 'int_000300' then 'running' else 'queued' end, now()
     from integrations where id < 'int_001000'`,
    `insert into sync_states (integration_id, stream, record_count, full_read_id)
     select id, stream, 1, 1 from integrations, unnest(array['items', 'things']) stream where id < 'int_000200'`,
    `insert into records (integration_id, stream, record_key, data, content_hash, change_seq, created_seq, seen_by)
     select '${BIG}', case when n % 1000 = 0 then 'things' else 'items' end, 'r' || n, '{"a": 1}', '\\x00', n, n, 1
     from generate_series(1, 60000) n`,
    `insert into records (integration_id, stream, record_key, data, content_hash, change_seq, created_seq, seen_by)
     select 'int_' || lpad((n / 300)::text, 6, '0'), 'items', 'x' || n, '{"a": 1}', '\\x00', 60000 + n, n, 1
     from generate_series(1, 60000) n`,
    'analyze',
  ])
    await pool.query(statement);
});

describe('reads by index alone', () => {
  test('looking for due schedules', async () => {
    expect(await indexesOf((db) => lockDueSchedules(db, 500))).toEqual(['sync_schedules_due']);
    expect(await indexesOf(readNextDue)).toEqual(['sync_schedules_due']);
  });

  test('firing them', async () => {
    const { rows } = await database.current.pool.query(
      'select ctid::text, * , now() as now from sync_schedules where next_due_at < now()',
    );
    expect(rows.length).toBeGreaterThan(50);
    const runs = rows.map((schedule, index) => ({ id: `syn_new${index}`, schedule, nextDueAt: new Date() }));
    // Rows are found where they lie.
    expect(await indexesOf((db) => queueDueRuns(db, runs))).toEqual([]);
  });

  test('claiming runs', async () => {
    expect(await indexesOf((db) => claimRuns(db, 8))).toEqual([
      'sync_runs_leased',
      'sync_runs_pkey',
      'sync_runs_queued',
    ]);
  });

  test('giving signs of life, stopping, listing', async () => {
    const claims = ['a', 'b', 'c'].map((id) => ({ id, integrationId: BIG, leaseToken: 1 }));
    expect(await indexesOf((db) => renewLeases(db, claims))).toEqual(['sync_runs_pkey']);
    expect(await indexesOf((db) => requestStop(db, BIG))).toEqual(['sync_runs_one_active']);
    expect(await indexesOf((db) => findActiveRun(db, BIG))).toEqual(['sync_runs_one_active']);
    expect(await indexesOf((db) => listRuns(db, BIG, { limit: 50 }))).toEqual(['sync_runs_by_integration']);
  });

  test.each([1, 100, 1_000])('writing %i', async (count) => {
    const batch = new RecordBatch();
    const records = Array.from({ length: count }, (_, index) => ({ key: `r${index}`, data: { a: index } }));
    batch.add({ records, state: null, last: true }, 'items');
    const target = { claim: { id: 'syn_x', integrationId: BIG, leaseToken: 1 }, stream: 'items' };
    const mark = { readId: 7, completeReadId: 7 };
    const progress = { state: null, ends: 'full', begins: true, pages: 1, recordsRead: count, warnings: [] } as const;
    const indexes = await indexesOf((db) => writeRecords(db, target, batch.portions[0]!, mark, progress));
    expect(indexes).toEqual(['records_pkey', 'sync_runs_pkey', 'sync_states_pkey']);
  });

  test('making deletions, exporting, erasing', async () => {
    const target = { integrationId: BIG, stream: 'items', includeDeleted: false };
    const written = { claim: { id: 'syn_x', integrationId: BIG, leaseToken: 1 }, stream: 'items' };
    const windows = (after: string | null) => (db: Transaction<Schema>) =>
      deleteUnseen(db, written, { readId: 9, count: 10 }, after, 'done');
    const all = ['records_pkey', 'sync_runs_pkey', 'sync_states_pkey'];
    expect(await indexesOf(windows(null))).toEqual(all);
    expect(await indexesOf(windows('r5'))).toEqual(all);
    expect(await indexesOf((db) => exportBatches(db, target).next())).toEqual(['records_pkey']);
    expect(await indexesOf((db) => collectFields(db, target))).toEqual(['records_pkey']);
    expect(await indexesOf((db) => eraseRecords(db, BIG, { stream: 'items', key: 'r4' }, 5_000))).toEqual([
      'records_pkey',
    ]);
  });

  test('a page of changes, of one stream and of all', async () => {
    const both = ['records_by_change', 'records_pkey'];
    for (const cursor of [undefined, `chg_${(30_000).toString(36)}`]) {
      for (const limit of [50, 1_000]) {
        const changes = (stream?: string) => indexesOf((db) => readChanges(db, BIG, { stream, cursor, limit }));
        expect(await changes('items')).toEqual(both);
        expect(await changes('things')).toEqual(both);
        expect(await changes()).toEqual([...both, 'sync_states_pkey']);
      }
    }
  });
});
