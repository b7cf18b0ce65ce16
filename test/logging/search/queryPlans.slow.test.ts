import type { Transaction } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/core/log.ts';
import { LogHistory } from '../../../src/logging/search/logHistory.ts';
import type { LogOptions } from '../../../src/logging/types.ts';
import { BlockMaker } from '../../../src/logging/words/blockMaker.ts';
import type { Database } from '../../../src/store/database.ts';
import { ensurePartitions } from '../../../src/store/partitions.ts';
import type { Schema } from '../../../src/store/schema.ts';
import { useTestDatabase } from '../../support/database.ts';
import { indexesUsed } from '../../sync/support/plans.ts';

const database = useTestDatabase();
const RECORDS = 400_000;
const DAYS = 4;

beforeAll(async () => {
  const { pool } = database.current;
  await ensurePartitions(database.current, 'logs', new Date(Date.now() - DAYS * 86_400_000), DAYS + 1);
  const at = `now() - interval '${DAYS - 1} days' + g * interval '${((DAYS - 1) * 86_400_000) / RECORDS} ms'`;
  await pool.query(
    `insert into logs
     select g, ${at}, ${at}, 'int_' || (g::bigint * 7919 % 211), (array[9,9,9,9,9,9,5,7,13,17])[1 + g::bigint * 31 % 10],
       'Request ' || g || ' was answered after ' || g % 977 || ' ms', 'http.answered', 'op_' || g / 20, null,
       case when g % 50 = 0 then 'trace_' || g end, null, jsonb_build_object('status', 200 + g % 5 * 100)
     from generate_series(1, ${RECORDS}) g`,
  );
  await pool.query(`update log_sequence set next = ${RECORDS + 1}`);
  await pool.query('vacuum analyze logs');
  await new BlockMaker({ database: database.current, log: silentLog }).catchUp();
});

const asksForBlocks = (text: string) => text.includes('log_block_progress');

/** What a search reads by, as index definitions of the table, without the names of partitions. */
async function readBy(scope: string | null, options: LogOptions): Promise<string[]> {
  const names = await indexesUsed(
    database.current.pool,
    async (db) => {
      const explained = {
        db,
        transaction: (run: (tx: Transaction<Schema>) => unknown) => run(db as Transaction<Schema>),
      };
      await new LogHistory({ database: explained as unknown as Database }).read(scope, options);
    },
    asksForBlocks,
  );
  return [...new Set(names.map((name) => name.replace(/_\d{8}/, '')))].sort();
}

const days = (names: readonly string[]) => new Set(names.flatMap((name) => /_(\d{8})/.exec(name)?.[1] ?? []));

describe('a search reads along an index', () => {
  it('of one integration, its errors, an operation, a trace', async () => {
    const timeRange = '24h';
    expect(await readBy('int_7', { timeRange, level: 'error', searchQuery: 'timeout' })).toContain(
      'logs_integration_id_seq_idx',
    );
    expect(await readBy(null, { timeRange, operationId: 'op_19990' })).toEqual(['logs_operation_id_idx']);
    expect(await readBy(null, { timeRange, traceId: 'trace_399950' })).toEqual(['logs_trace_id_idx']);
    expect(await readBy(null, { timeRange, searchQuery: 'operation:op_19990 AND answered' })).toEqual([
      'logs_operation_id_idx',
    ]);
    const anAttribute = { timeRange, searchQuery: 'attributes.status:999' };
    expect((await readBy('int_7', anAttribute))[0]).toMatch(/integration_id|observed_at/);
    expect(await readBy(null, { timeRange })).toEqual(['logs_pkey']);
    expect(await readBy(null, { timeRange: '10m', searchQuery: 'attributes.status:999' })).toEqual([
      'logs_observed_at_idx',
    ]);
  });

  it('of a word alone: the blocks that may hold it, by their numbers', async () => {
    for (const searchQuery of ['"request 399123 was"', 'answered', 'nowhere AND answered', 'level:error AND answered'])
      expect(await readBy(null, { timeRange: '24h', searchQuery }), searchQuery).toContain('logs_pkey');
  });

  it('of the days of its time range only', async () => {
    const used = (options: LogOptions) =>
      indexesUsed(database.current.pool, async (db) => {
        const explained = {
          db,
          transaction: (run: (tx: Transaction<Schema>) => unknown) => run(db as Transaction<Schema>),
        };
        await new LogHistory({ database: explained as unknown as Database }).read('int_7', options);
      });
    const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
    const timeRange = { from: `${day(2)}T00:00:00Z`, to: `${day(2)}T23:59:59Z` };
    expect(days(await used({ timeRange, level: 'error' }))).toEqual(new Set([day(2).replaceAll('-', '')]));
  });
});
