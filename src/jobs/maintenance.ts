import { sql } from 'kysely';
import { deleteExpiredAccountRows } from '../access/accounts/accountMaintenance.ts';
import type { Database } from '../store/database.ts';
import { DAILY_TABLES, dropPartitionsBefore, ensurePartitions, PARTITION_DAYS_AHEAD } from '../store/partitions.ts';
import type { Jobs } from './jobs.ts';

const DAY_MS = 86_400_000;
const ATTEMPTS_KEPT_DAYS = 30;
const IDEMPOTENCY_KEYS_KEPT_DAYS = 1;
const SYNC_RUNS_KEPT_DAYS = 90;
/** The audit log keeps what they were. */
const ENDED_GRANTS_KEPT_DAYS = 30;
const BREAK_GLASS_KEPT_DAYS = 365;
const DELETE_BATCH_ROWS = 5_000;

/** Has the store kept in order every hour: partitions made and dropped, and rows that are past their time deleted. */
export function defineMaintenance(jobs: Jobs, database: Database): void {
  jobs.define('maintenance', (_payload, signal) => runMaintenance(database, new Date(), signal), {
    cron: '17 * * * *',
    deadlineSeconds: 1_800,
  });
}

/** One round; may be interrupted anywhere and run again. */
export async function runMaintenance(database: Database, now: Date, signal?: AbortSignal): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS);
  for (const table of DAILY_TABLES) await ensurePartitions(database, table, daysAgo(1), 2 + PARTITION_DAYS_AHEAD);
  await dropPartitionsBefore(database, 'outgoing_attempts', daysAgo(ATTEMPTS_KEPT_DAYS));
  await inBatches(signal, () => deleteIdempotencyKeys(database, daysAgo(IDEMPOTENCY_KEYS_KEPT_DAYS)));
  await inBatches(signal, () => deleteSyncRuns(database, daysAgo(SYNC_RUNS_KEPT_DAYS)));
  await inBatches(signal, () => deleteEndedGrants(database, daysAgo(ENDED_GRANTS_KEPT_DAYS)));
  await inBatches(signal, () => deleteBreakGlass(database, daysAgo(BREAK_GLASS_KEPT_DAYS)));
  await deleteExpiredAccountRows(database, signal);
}

/** In small transactions, so that nobody waits long for a lock. */
async function inBatches(signal: AbortSignal | undefined, deleteBatch: () => Promise<number>): Promise<void> {
  do signal?.throwIfAborted();
  while ((await deleteBatch()) === DELETE_BATCH_ROWS);
}

async function deleteIdempotencyKeys({ db }: Database, before: Date): Promise<number> {
  const result = await sql`
    delete from idempotency_keys
    where (scope, key) in (
      select scope, key from idempotency_keys where created_at < ${before} order by created_at limit ${DELETE_BATCH_ROWS}
    )`.execute(db);
  return Number(result.numAffectedRows);
}

async function deleteSyncRuns({ db }: Database, before: Date): Promise<number> {
  const result = await sql`
    delete from sync_runs
    where id in (
      select id from sync_runs where finished_at < ${before} limit ${DELETE_BATCH_ROWS}
    )`.execute(db);
  return Number(result.numAffectedRows);
}

async function deleteEndedGrants({ db }: Database, before: Date): Promise<number> {
  const result = await sql`
    delete from grants
    where id in (
      select id from grants where expires_at < ${before} limit ${DELETE_BATCH_ROWS}
    )`.execute(db);
  return Number(result.numAffectedRows);
}

/** A break-glass lasts hours, so what was asked for so long ago is over. */
async function deleteBreakGlass({ db }: Database, before: Date): Promise<number> {
  const result = await sql`
    delete from break_glass
    where id in (
      select id from break_glass where requested_at < ${before} limit ${DELETE_BATCH_ROWS}
    )`.execute(db);
  return Number(result.numAffectedRows);
}
