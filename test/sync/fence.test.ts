import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { RecordBatch } from '../../src/sync/recordBatch.ts';
import { type Progress, writeRecords } from '../../src/sync/recordQueries.ts';
import { findRun, requestStop } from '../../src/sync/runQueries.ts';
import { ensureState, findState } from '../../src/sync/stateQueries.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { addIntegration, liveKeys } from './support/harness.ts';

const database = useTestDatabase();
let integrationId: string;
const claim = () => ({ id: `syn_${integrationId}`, integrationId, leaseToken: 3 });

beforeEach(async () => {
  const { db, pool } = database.current;
  integrationId = await addIntegration(database.current, 'http://127.0.0.1:1');
  await pool.query(
    `insert into sync_runs (id, integration_id, trigger, status, lease_token, lease_until)
     values ($1, $2, 'manual', 'running', 3, now())`,
    [claim().id, integrationId],
  );
  await ensureState(db, integrationId, 'items');
});

function write() {
  const batch = new RecordBatch();
  batch.add({ records: [{ key: 'a', data: { n: 1 } }], state: { at: 1 }, last: false }, 'items');
  const mark = { readId: 7, completeReadId: 0 };
  const progress: Progress = {
    state: batch.state,
    ends: null,
    begins: false,
    pages: 1,
    recordsRead: 1,
    warnings: [],
  };
  const target = { claim: claim(), stream: 'items' };
  return writeRecords(database.current.db, target, batch.portions[0]!, mark, progress);
}

/** Starts a write while somebody else has changed the run's row and has not committed yet. */
async function writeDuring(change: string): Promise<Awaited<ReturnType<typeof write>>> {
  let writing: ReturnType<typeof write> | undefined;
  await database.current.transaction(async (tx) => {
    await sql`update sync_runs set ${sql.raw(change)} where id = ${claim().id}`.execute(tx);
    writing = write();
    await eventually('the write to wait for the row', async () => {
      const { rows } = await database.current.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
  });
  return writing;
}

describe('a write that meets another change of its run', () => {
  test('counts on top of a renewed lease', async () => {
    const row = await writeDuring(`lease_until = now() + interval '5 seconds', pages = 41`);
    expect(row).toMatchObject({ record_count: 1, state: { at: 1 }, stop: false });
    const run = await findRun(database.current.db, claim().id);
    expect(run).toMatchObject({ pages: 42, records_added: 1, progress: { items: 'reading' } });
    expect(await liveKeys(database.current, integrationId, 'items')).toEqual(['a']);
  });

  test.each([
    ['was taken over', 'lease_token = lease_token + 1'],
    ['was ended', `status = 'stopped', finished_at = now()`],
  ])('leaves nothing when the run %s', async (_, change) => {
    expect(await writeDuring(change)).toBeUndefined();
    expect(await findRun(database.current.db, claim().id)).toMatchObject({ pages: 0, records_added: 0, progress: {} });
    expect(await findState(database.current.db, integrationId, 'items')).toMatchObject({
      record_count: 0,
      state: null,
    });
    expect(await liveKeys(database.current, integrationId, 'items')).toEqual([]);
  });

  test('is told that the run shall stop', async () => {
    expect(await writeDuring('stop_requested_at = now()')).toMatchObject({ stop: true, record_count: 1 });
  });
});

test('a write under an old claim leaves nothing', async () => {
  await requestStop(database.current.db, integrationId);
  await database.current.pool.query(`update sync_runs set lease_token = 4 where id = $1`, [claim().id]);
  expect(await write()).toBeUndefined();
  expect(await liveKeys(database.current, integrationId, 'items')).toEqual([]);
});
