import { sql, type Transaction } from 'kysely';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';

export type AnomalySeries = 'p95_response_time' | 'error_rate';

/** A minute that stands out of its series. */
export interface FoundAnomaly {
  readonly series: AnomalySeries;
  /** ISO 8601: start and end of the minute. */
  readonly window: { readonly from: string; readonly until: string };
  /** Milliseconds, or percent. */
  readonly value: number;
  /** What was expected by the minutes before. */
  readonly baseline: number | null;
  /** Between 0.5 and 1. */
  readonly score: number;
  /** −log10 of how rare such a minute is; 5 and more is an alarm. */
  readonly surprise: number;
  /** What about it was surprising, as docs/performance.md tells. */
  readonly signal: string;
  /** In that minute. */
  readonly calls: number;
}

export interface AnomalyRow {
  readonly integrationId: string;
  readonly bucketMs: number;
  readonly series: AnomalySeries;
  readonly value: number;
  readonly expected: number | null;
  readonly score: number;
  readonly surprise: number;
  readonly signal: string;
  readonly calls: number;
}

export async function insertAnomalies(tx: Transaction<Schema>, rows: readonly AnomalyRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx
    .insertInto('performance_anomalies')
    .values(
      rows.map(({ integrationId, bucketMs, ...rest }) => ({
        integration_id: integrationId,
        bucket: new Date(bucketMs),
        ...rest,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The latest ones from `fromMs` on, newest first. */
export async function listAnomalies(
  database: Database,
  integrationId: string,
  fromMs: number,
  limit: number,
): Promise<FoundAnomaly[]> {
  const rows = await database.db
    .selectFrom('performance_anomalies')
    .selectAll()
    .where('integration_id', '=', integrationId)
    .where('bucket', '>=', new Date(fromMs))
    .orderBy('bucket', 'desc')
    .orderBy('series')
    .limit(limit)
    .execute();
  return rows.map(toFound);
}

function toFound(row: Schema['performance_anomalies']): FoundAnomaly {
  const { series, bucket, value, expected, score, surprise, signal, calls } = row;
  const window = { from: bucket.toISOString(), until: new Date(bucket.getTime() + 60_000).toISOString() };
  return { series, window, value, baseline: expected, score, surprise, signal, calls };
}

/** How many points the detectors were given in all, minutes with calls since `fromMs`, and alarms in these. */
export async function countJudged(
  database: Database,
  integrationId: string,
  fromMs: number,
): Promise<{ fed: number; minutes: number; alarms: number }> {
  const from = new Date(fromMs);
  const { rows } = await sql<{ fed: number; minutes: number; alarms: number }>`
    select
      coalesce((select points from performance_watch where integration_id = ${integrationId}), 0)::int as fed,
      (select count(distinct bucket) from metric_minutes
       where integration_id = ${integrationId} and bucket >= ${from})::int as minutes,
      (select count(*) from performance_anomalies
       where integration_id = ${integrationId} and bucket >= ${from})::int as alarms`.execute(database.db);
  return rows[0]!;
}
