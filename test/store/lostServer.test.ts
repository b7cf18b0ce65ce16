import { Kysely, PostgresDialect, sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { UnavailableError } from '../../src/core/errors.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createPool, kyselyPool } from '../../src/store/pool.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const database = useTestDatabase();
const lines: string[] = [];
const pools: { end(): Promise<void> }[] = [];

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.end();
});

/** A pool beside the test's own, whose connections can be told apart. */
function makePool(queryTimeoutMs?: number) {
  const url = new URL(database.url);
  url.searchParams.set('application_name', 'victim');
  const pool = createPool({ url: url.href, max: 1, log: (line) => lines.push(line), queryTimeoutMs });
  const db = new Kysely<Record<string, never>>({ dialect: new PostgresDialect({ pool: kyselyPool(pool) }) });
  pools.push(pool);
  return { pool, db };
}

/** Ends the sessions of the other pool as a server that goes down does. */
async function endSessions(): Promise<void> {
  await eventually('sessions to end', async () => {
    const { rows } = await sql<{ ended: boolean }>`
      select pg_terminate_backend(pid) as ended from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name = 'victim'`.execute(
      database.current.db,
    );
    return rows.some((row) => row.ended);
  });
}

test('a server that is not there is reported as unavailable, without the password', async () => {
  const opening = openDatabase({ url: 'postgresql://nobody:hunter2@127.0.0.1:1/none', dataDir: '' });
  await expect(opening).rejects.toThrow(UnavailableError);
  await expect(opening).rejects.not.toThrow('hunter2');
});

test('a connection that is lost while idle is replaced', async () => {
  const { db } = makePool();
  await sql`select 1`.execute(db);
  await endSessions();
  await eventually('the pool to notice', () => lines.some((line) => line.includes('an idle connection was lost')));
  expect((await sql`select 2 as two`.execute(db)).rows).toEqual([{ two: 2 }]);
});

test('a connection that is lost in a transaction fails it as unavailable, and is replaced', async () => {
  const { db } = makePool();
  const transaction = db.transaction().execute(async (tx) => {
    await sql`select 1`.execute(tx);
    await endSessions();
    await sql`select 2`.execute(tx);
  });
  await expect(transaction).rejects.toThrow(UnavailableError);
  expect((await sql`select 3 as three`.execute(db)).rows).toEqual([{ three: 3 }]);
});

test('a connection that is lost while checked out and silent does not end the process', async () => {
  const { db, pool } = makePool();
  const client = await pool.connect();
  await client.query('select 1');
  await endSessions();
  await expect(client.query('select 2')).rejects.toThrow();
  client.release(true);
  expect((await sql`select 3 as three`.execute(db)).rows).toEqual([{ three: 3 }]);
});

test('a query without an answer is given up, and its connection is not used again', async () => {
  const { db } = makePool(300);
  const transaction = db.transaction().execute(async (tx) => {
    await sql`select pg_sleep(20)`.execute(tx);
  });
  await expect(transaction).rejects.toThrow(UnavailableError);
  expect((await sql`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }]);
  await endSessions();
});
