import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { LOG_LEVELS, type LogLevel, levelOf, type SeverityNumber } from '../types.ts';
import type { TimeBounds } from './timeRange.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR_MS),
  ...[1, 7, 30].map((count) => count * DAY_MS),
];
/** About as many as a chart shows. */
const MAX_BUCKETS = 100;

/** How many records there are of each level in one stretch of time. */
interface LogBucket {
  /** When it begins; ISO 8601. */
  readonly start: string;
  readonly total: number;
  readonly levels: Readonly<Record<LogLevel, number>>;
}

export interface LogHistogram {
  /** How long each bucket is, in milliseconds; buckets begin at its multiples since the epoch. */
  readonly bucketMs: number;
  /** In the order of time, also those without records; at most 100. */
  readonly buckets: readonly LogBucket[];
}

/** Counts the records that the conditions choose. */
export async function countBuckets(
  tx: Transaction<Schema>,
  conditions: RawBuilder<boolean>,
  { fromMs, toMs }: TimeBounds,
): Promise<LogHistogram> {
  const bucketMs = STEPS_MS.find((step) => Math.floor((toMs - 1) / step) - Math.floor(fromMs / step) < MAX_BUCKETS)!;
  const { rows } = await sql<{ start: Date; severity: SeverityNumber; count: number }>`
    select date_bin(${bucketMs}::bigint * interval '1 ms', observed_at, timestamptz 'epoch') as start, severity,
      count(*) as count
    from logs where ${conditions} group by 1, 2`.execute(tx);
  const counted = new Map<number, Record<LogLevel, number>>();
  const first = Math.floor(fromMs / bucketMs);
  const last = Math.floor((toMs - 1) / bucketMs);
  for (let bucket = first; bucket <= last; bucket++)
    counted.set(bucket, Object.fromEntries(LOG_LEVELS.map((level) => [level, 0])) as Record<LogLevel, number>);
  for (const { start, severity, count } of rows) counted.get(start.getTime() / bucketMs)![levelOf(severity)] += count;
  const buckets = [...counted].map(([bucket, levels]) => ({
    start: new Date(bucket * bucketMs).toISOString(),
    total: Object.values(levels).reduce((sum, count) => sum + count, 0),
    levels,
  }));
  return { bucketMs, buckets };
}
