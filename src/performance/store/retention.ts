import { sql } from 'kysely';
import type { Database } from '../../store/database.ts';
import { dropPartitionsBefore, ensurePartitions, PARTITION_DAYS_AHEAD } from '../../store/partitions.ts';

const DAY_MS = 86_400_000;
/** 48 hours, as far as whole days of partitions can tell. */
const MINUTES_KEPT_DAYS = 2;
const DAYS_KEPT_DAYS = 400;
const DELETE_BATCH_ROWS = 5_000;

/** Makes the partitions to come and drops what is past its time. May be interrupted anywhere and run again. */
export async function keepSeries(
  database: Database,
  nowMs: number,
  hoursKeptDays: number,
  signal?: AbortSignal,
): Promise<void> {
  const daysAgo = (days: number) => new Date(nowMs - days * DAY_MS);
  for (const table of ['metric_minutes', 'metric_hours'] as const) {
    await ensurePartitions(database, table, daysAgo(1), 2 + PARTITION_DAYS_AHEAD);
  }
  await dropPartitionsBefore(database, 'metric_minutes', daysAgo(MINUTES_KEPT_DAYS));
  await dropPartitionsBefore(database, 'metric_hours', daysAgo(hoursKeptDays));
  await inBatches(signal, () =>
    sql`
      delete from metric_days
      where (integration_id, bucket, operation, outcome) in (
        select integration_id, bucket, operation, outcome from metric_days
        where bucket < ${daysAgo(DAYS_KEPT_DAYS)} limit ${DELETE_BATCH_ROWS}
      )`.execute(database.db),
  );
}

/** Deletes everything measured, reported and found of an integration. */
export async function deleteSeries(database: Database, integrationId: string, signal?: AbortSignal): Promise<void> {
  for (const table of [
    'metric_rollups_due',
    'metric_minutes',
    'metric_hours',
    'metric_days',
    'reported_metrics',
    'performance_anomalies',
  ] as const) {
    await inBatches(signal, () =>
      sql`
        delete from ${sql.table(table)}
        where integration_id = ${integrationId} and bucket in (
          select bucket from ${sql.table(table)} where integration_id = ${integrationId} limit ${DELETE_BATCH_ROWS}
        )`.execute(database.db),
    );
  }
  for (const table of ['performance_watch', 'performance_summaries'] as const) {
    await database.db.deleteFrom(table).where('integration_id', '=', integrationId).execute();
  }
}

/** In small transactions, so that nobody waits long for a lock. */
async function inBatches(
  signal: AbortSignal | undefined,
  deleteBatch: () => Promise<{ readonly numAffectedRows?: bigint }>,
): Promise<void> {
  do signal?.throwIfAborted();
  while (((await deleteBatch()).numAffectedRows ?? 0n) > 0n);
}
