import { sql } from 'kysely';
import type { Database } from '../../store/database.ts';

const DAY_MS = 86_400_000;
const BATCH_ROWS = 5_000;

/** Deletes anomalies past their time, and forgets integrations that had no calls for as long. May be run again. */
export async function keepFindings(
  { db }: Database,
  nowMs: number,
  keptDays: number,
  signal?: AbortSignal,
): Promise<void> {
  const before = new Date(nowMs - keptDays * DAY_MS);
  const statements = [
    sql`
      delete from performance_anomalies where (integration_id, bucket, series) in (
        select integration_id, bucket, series from performance_anomalies where bucket < ${before} limit ${BATCH_ROWS}
      )`,
    sql`
      delete from performance_watch where integration_id in (
        select integration_id from performance_watch
        where active_until < ${before} and summarize_at is null limit ${BATCH_ROWS} for update skip locked
      )`,
  ];
  for (const statement of statements) {
    do signal?.throwIfAborted();
    while (((await statement.execute(db)).numAffectedRows ?? 0n) > 0n);
  }
}
