import { beforeAll, describe, expect, it } from 'vitest';
import { entryBatches, findEntry, listCheckpoints, listEntries } from '../../src/audit/entryQueries.ts';
import { findWork, lockTree, takePending } from '../../src/audit/sequencerQueries.ts';
import { StoredHashes } from '../../src/audit/storedHashes.ts';
import { useTestDatabase } from '../support/database.ts';
import { indexesUsed } from '../sync/support/plans.ts';

const database = useTestDatabase();
const indexesOf = (use: Parameters<typeof indexesUsed>[1]) => indexesUsed(database.current.pool, use);

beforeAll(async () => {
  const { pool } = database.current;
  for (const statement of [
    `insert into audit_entries
     select n, 'aud_' || lpad(n::text, 8, '0'), convert_to(repeat('x', 300), 'utf8'), sha256(n::text::bytea),
       timestamptz '2026-01-01' + n * interval '1 second', 'user', 'usr_' || n % 500, 'action.' || n % 40, 'success',
       'integration', 'int_' || n % 2000, case when n % 2 = 0 then 'int_' || n % 2000 end
     from generate_series(0, 199999) n`,
    `insert into audit_nodes select 8, n, sha256(n::text::bytea) from generate_series(0, 780) n`,
    `insert into audit_checkpoints select 1 + n * 100, '', 'note' from generate_series(0, 1999) n`,
    `insert into audit_pending select 'aud_' || lpad(n::text, 8, '0'), '' from generate_series(0, 4999) n`,
    'analyze',
  ])
    await pool.query(statement);
});

describe('reads by index alone', () => {
  const before = { occurredAt: new Date('2026-01-02'), seq: 86_400 };

  it.each([null, before])('a page of the list, after %o', async (position) => {
    const list = (filter: Parameters<typeof listEntries>[1]) =>
      indexesOf((db) => listEntries(db, filter, 50, position));
    expect(await list({})).toEqual(['audit_entries_by_time']);
    expect(await list({ since: new Date('2026-01-01T12:00:00Z') })).toEqual(['audit_entries_by_time']);
    expect(await list({ actor: 'usr_7' })).toEqual(['audit_entries_by_actor']);
    expect(await list({ action: 'action.7' })).toEqual(['audit_entries_by_action']);
    expect(await list({ integrationId: 'int_8' })).toEqual(['audit_entries_by_integration']);
    expect(await list({ target: 'int_7' })).toEqual(['audit_entries_by_target']);
  });

  it('an export, an entry, checkpoints', async () => {
    expect(await indexesOf((db) => entryBatches(db, {}, 200_000).next())).toEqual(['audit_entries_pkey']);
    expect(await indexesOf((db) => findEntry(db, '77'))).toEqual(['audit_entries_pkey']);
    expect(await indexesOf((db) => findEntry(db, 'aud_00000077'))).toEqual(['audit_entries_by_id']);
    expect(await indexesOf((db) => listCheckpoints(db, 50, 5_000))).toEqual(['audit_checkpoints_pkey']);
  });

  it('the hashes of a proof', async () => {
    // Explaining gives no rows, which it says.
    const read = (start: number, end: number) =>
      indexesOf((db) =>
        new StoredHashes(db)
          .nodeOver({ start, end })
          .catch((error) => expect(error).toMatchObject({ code: 'AUDIT_LOG_TAMPERED' })),
      );
    expect(await read(1_024, 1_152)).toEqual(['audit_entries_pkey']);
    expect(await read(65_536, 131_072)).toEqual(['audit_nodes_pkey']);
  });

  it('what is pending', async () => {
    expect(await indexesOf((db) => takePending(db, 1_000))).toEqual(['audit_pending_pkey']);
  });

  it('the tree is one row', async () => {
    expect((await database.current.pool.query('select * from audit_tree')).rows).toHaveLength(1);
    expect(await findWork(database.current.db)).toMatchObject({ pending: true });
    const row = await database.current.transaction((tx) => lockTree(tx, { wait: false }));
    expect(row).toMatchObject({ size: 0 });
  });
});
