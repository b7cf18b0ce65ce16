import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import { from as copyFrom } from 'pg-copy-streams';
import { expect, test } from 'vitest';
import { createJobs } from '../../src/jobs/jobs.ts';
import type { Database } from '../../src/store/database.ts';
import { ensurePartitions } from '../../src/store/partitions.ts';
import { eventually } from '../support/eventually.ts';

/** What everything else relies on, on every way to a database: embedded, server, pooler. */
export function storeContract(database: { readonly current: Database }): void {
  const add = (platform: string, source = '') =>
    database.current.db.insertInto('connectors').values({ platform, version: 1, source }).execute();

  test('a transaction that fails leaves nothing behind, and its connection stays usable', async () => {
    const { db, transaction } = database.current;
    const failing = transaction(async (tx) => {
      await tx.insertInto('connectors').values({ platform: 'lost', version: 1, source: '' }).execute();
      await sql`select 1 / 0`.execute(tx);
    });
    await expect(failing).rejects.toThrow('division by zero');
    expect(await db.selectFrom('connectors').selectAll().where('platform', '=', 'lost').execute()).toEqual([]);
  });

  test('transactions that deadlock are run again until both are done', async () => {
    await Promise.all([add('deadlock_a'), add('deadlock_b')]);
    let attempts = 0;
    const both = barrier(2);
    const append = (first: string, second: string) =>
      database.current.transaction(async (tx) => {
        attempts += 1;
        const touch = (platform: string) =>
          tx
            .updateTable('connectors')
            .set({ source: sql`source || ${first.slice(-1)}` })
            .where('platform', '=', platform)
            .execute();
        await touch(first);
        await both();
        await touch(second);
      });
    await Promise.all([append('deadlock_a', 'deadlock_b'), append('deadlock_b', 'deadlock_a')]);
    expect(attempts).toBeGreaterThan(2);
    const rows = await database.current.db
      .selectFrom('connectors')
      .select('source')
      .where('platform', 'like', 'deadlock%')
      .execute();
    for (const { source } of rows) expect([...source].sort()).toEqual(['a', 'b']);
  });

  test('serializable transactions that collide are run again, so that no update is lost', async () => {
    await add('serial', '0');
    const both = barrier(2);
    const increment = () =>
      database.current.transaction(async (tx) => {
        await sql`set transaction isolation level serializable`.execute(tx);
        const { source } = await tx
          .selectFrom('connectors')
          .select('source')
          .where('platform', '=', 'serial')
          .executeTakeFirstOrThrow();
        await both();
        await tx
          .updateTable('connectors')
          .set({ source: String(Number(source) + 1) })
          .where('platform', '=', 'serial')
          .execute();
      });
    await Promise.all([increment(), increment()]);
    const row = await database.current.db
      .selectFrom('connectors')
      .select('source')
      .where('platform', '=', 'serial')
      .executeTakeFirst();
    expect(row?.source).toBe('2');
  });

  test('bigint columns and counts are numbers, timestamps are dates, jsonb is parsed', async () => {
    const { rows } = await sql`
      select count(*) as count, 9007199254740991::bigint as big, now() as at, '[1, {"a": null}]'::jsonb as json`.execute(
      database.current.db,
    );
    expect(rows).toEqual([{ count: 1, big: Number.MAX_SAFE_INTEGER, at: expect.any(Date), json: [1, { a: null }] }]);
  });

  test('more transactions at a time than there are connections are all done', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        database.current.transaction(async (tx) => {
          await tx
            .insertInto('connectors')
            .values({ platform: `many_${index}`, version: 1, source: '' })
            .execute();
          await sql`select pg_advisory_xact_lock(1)`.execute(tx);
        }),
      ),
    );
    const many = await database.current.db
      .selectFrom('connectors')
      .select('platform')
      .where('platform', 'like', 'many%')
      .execute();
    expect(many).toHaveLength(60);
  });

  test('rows go in by COPY and come out as a stream, without holding them all', async () => {
    const client = await database.current.pool.connect();
    const copy = client.query(copyFrom('copy connectors (platform, version, source) from stdin'));
    await pipeline(
      Readable.from(
        (function* () {
          for (let version = 1; version <= 2_500; version++) yield `copied\t${version}\t\n`;
        })(),
      ),
      copy,
    );
    await finished(copy);
    client.release();
    let next = 1;
    const rows = database.current.db
      .selectFrom('connectors')
      .select('version')
      .where('platform', '=', 'copied')
      .orderBy('version')
      .stream(100);
    for await (const { version } of rows) expect(version).toBe(next++);
    expect(next).toBe(2_501);
  });

  test('a stream that is left early gives its connection back', async () => {
    for (let round = 0; round < 30; round++) {
      for await (const _ of database.current.db.selectFrom('schema_migrations').selectAll().stream(1)) break;
    }
    expect(database.current.pool.waitingCount).toBe(0);
  });

  test('jobs are enqueued in transactions and done', async () => {
    const jobs = createJobs(database.current, () => {});
    const done: number[] = [];
    jobs.define<{ number: number }>('contract', async ({ number }) => {
      done.push(number);
    });
    await jobs.start();
    await database.current.transaction(async (tx) => {
      for (const number of [1, 2, 3]) await jobs.enqueue('contract', { number }, { tx });
    });
    await eventually('three jobs', () => done.length === 3);
    await jobs.stop();
    expect(done.sort()).toEqual([1, 2, 3]);
  });

  test('partitions made by several at once are made once', async () => {
    const from = new Date('2041-01-01');
    await Promise.all(
      Array.from({ length: 8 }, () => ensurePartitions(database.current, 'outgoing_attempts', from, 2)),
    );
    const { rows } =
      await sql`select 1 from pg_class where relname like 'outgoing_attempts_2041____' and relkind = 'r'`.execute(
        database.current.db,
      );
    expect(rows).toHaveLength(2);
  });
}

/** Lets `count` callers wait for each other; later ones pass. */
function barrier(count: number): () => Promise<void> {
  let arrived = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return async () => {
    arrived += 1;
    if (arrived >= count) open();
    await opened;
  };
}
