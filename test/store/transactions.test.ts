import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { UnavailableError } from '../../src/core/errors.ts';
import { openDatabase } from '../../src/store/database.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();

test('a transaction that fails leaves nothing behind', async () => {
  const { db, transaction } = database.current;
  const failing = transaction(async (tx) => {
    await tx.insertInto('connectors').values({ platform: 'lost', version: 1, source: '' }).execute();
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect(await db.selectFrom('connectors').selectAll().where('platform', '=', 'lost').execute()).toEqual([]);
});

test('transactions that deadlock are run again until both are done', async () => {
  const { db, transaction } = database.current;
  for (const platform of ['a', 'b']) {
    await db.insertInto('connectors').values({ platform, version: 1, source: '' }).execute();
  }
  let attempts = 0;
  let arrived = 0;
  let bothHere = () => {};
  const both = new Promise<void>((resolve) => {
    bothHere = resolve;
  });
  const append = (first: string, second: string) =>
    transaction(async (tx) => {
      attempts += 1;
      const touch = (platform: string) =>
        tx
          .updateTable('connectors')
          .set({ source: sql`source || ${first}` })
          .where('platform', '=', platform)
          .execute();
      await touch(first);
      arrived += 1;
      if (arrived === 2) bothHere();
      await both;
      await touch(second);
    });
  await Promise.all([append('a', 'b'), append('b', 'a')]);
  expect(attempts).toBeGreaterThan(2);
  const rows = await db.selectFrom('connectors').select('source').where('platform', 'in', ['a', 'b']).execute();
  for (const { source } of rows) expect([...source].sort()).toEqual(['a', 'b']);
});

test('bigint columns and counts are numbers, timestamps are dates, jsonb is parsed', async () => {
  const { db } = database.current;
  const { rows } = await sql`
    select count(*) as count, 9007199254740991::bigint as big, now() as at, '[1, {"a": null}]'::jsonb as json`.execute(
    db,
  );
  expect(rows).toEqual([{ count: 1, big: Number.MAX_SAFE_INTEGER, at: expect.any(Date), json: [1, { a: null }] }]);
});

test('a server that is not there is reported as unavailable', async () => {
  const opening = openDatabase({ url: 'postgresql://nobody:hunter2@127.0.0.1:1/none', dataDir: '' });
  await expect(opening).rejects.toThrow(UnavailableError);
  await expect(opening).rejects.not.toThrow('hunter2');
});
