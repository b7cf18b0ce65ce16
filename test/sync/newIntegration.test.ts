import type { Transaction } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Schema } from '../../src/store/schema.ts';
import { readChanges } from '../../src/sync/changeFeed.ts';
import { deleteUnseen, eraseRecords } from '../../src/sync/deletionQueries.ts';
import { collectFields, exportBatches } from '../../src/sync/exportQueries.ts';
import { RecordBatch } from '../../src/sync/recordBatch.ts';
import { writeRecords } from '../../src/sync/recordQueries.ts';
import { useTestDatabase } from '../support/database.ts';
import { indexesUsed } from './support/plans.ts';

const database = useTestDatabase();
const indexesOf = (use: (db: Transaction<Schema>) => Promise<unknown>) => indexesUsed(database.current.pool, use);

/**
 * The statistics know every integration but the one that is new. All of its records then look like one row to the
 * planner, whichever of their columns it compares, until they are next analyzed.
 */
const integrationId = 'int_new';
beforeAll(async () => {
  for (const statement of [
    `insert into records (integration_id, stream, record_key, data, content_hash, created_seq, seen_by)
     select 'int_' || n % 5, 'items', 'r' || n, '{"a": 1}', '\\x00', 1, 1 from generate_series(1, 100000) n`,
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     select 'int_' || n, 'o', 'n', 't', 'p', 'connected', '{}' from generate_series(1, 2000) n`,
    `insert into sync_states (integration_id, stream) select id, 'items' from integrations`,
    `insert into sync_runs (id, integration_id, trigger, status, finished_at)
     select 'syn_' || n, 'int_' || (1 + n % 2000), 'manual', 'succeeded', now() from generate_series(1, 20000) n`,
    `insert into sync_runs (id, integration_id, trigger, status, lease_until)
     select 'syn_active' || n, 'int_' || n, 'manual', 'running', now() from generate_series(1, 100) n`,
    'analyze',
  ])
    await database.current.pool.query(statement);
});

describe('the records of a new integration are found by their keys', () => {
  test.each([1, 100, 1_000])('writing %i', async (count) => {
    const batch = new RecordBatch();
    const records = Array.from({ length: count }, (_, index) => ({ key: `r${index}`, data: { a: index } }));
    batch.add({ records, state: null, last: true }, 'items');
    const target = { claim: { id: 'syn_x', integrationId: integrationId, leaseToken: 1 }, stream: 'items' };
    const mark = { readId: 7, completeReadId: 7 };
    const progress = { state: null, ends: 'full', begins: true, pages: 1, recordsRead: count, warnings: [] } as const;
    const indexes = await indexesOf((db) => writeRecords(db, target, batch.portions[0]!, mark, progress));
    expect(indexes).toEqual(['records_pkey', 'sync_runs_pkey', 'sync_states_pkey']);
  });

  test('making deletions, exporting, erasing', async () => {
    const target = { integrationId, stream: 'items', includeDeleted: false };
    const written = { claim: { id: 'syn_x', integrationId: integrationId, leaseToken: 1 }, stream: 'items' };
    const windows = (after: string | null) => (db: Transaction<Schema>) =>
      deleteUnseen(db, written, { readId: 9, count: 10 }, after, 'done');
    const all = ['records_pkey', 'sync_runs_pkey', 'sync_states_pkey'];
    expect(await indexesOf(windows(null))).toEqual(all);
    expect(await indexesOf(windows('r5'))).toEqual(all);
    expect(await indexesOf((db) => exportBatches(db, target).next())).toEqual(['records_pkey']);
    expect(await indexesOf((db) => collectFields(db, target))).toEqual(['records_pkey']);
    expect(await indexesOf((db) => eraseRecords(db, integrationId, { stream: 'items', key: 'r4' }, 5_000))).toEqual([
      'records_pkey',
    ]);
  });

  test('a page of changes, of one stream and of all', async () => {
    const both = ['records_by_change', 'records_pkey'];
    for (const cursor of [undefined, `chg_${(30_000).toString(36)}`]) {
      for (const limit of [50, 1_000]) {
        const changes = (stream?: string) =>
          indexesOf((db) => readChanges(db, integrationId, { stream, cursor, limit }));
        expect(await changes('items')).toEqual(both);
        expect(await changes('things')).toEqual(both);
        expect(await changes()).toEqual([...both, 'sync_states_pkey']);
      }
    }
  });
});
