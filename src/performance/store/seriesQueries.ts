import { type RawBuilder, sql } from 'kysely';
import type { OperationKind, Outcome } from '../../outgoing/types.ts';
import type { Database } from '../../store/database.ts';
import { bucketStart, type Phase, type Resolution } from '../types.ts';
import { decodePhases, mergePhases, type PhaseHistograms } from './seriesBytes.ts';

/** The most rows one question reads: a month of hours of an integration with dozens of series is a tenth of it. */
const MAX_ROWS = 200_000;

export interface SeriesQuestion {
  readonly integrationId: string;
  readonly resolution: Resolution;
  /** Epoch milliseconds; the bucket that holds it is the first. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly untilMs: number;
  readonly operations?: readonly OperationKind[];
  /** Reads the histogram of this phase alone; by default all of them. */
  readonly phase?: Phase;
}

/** One bucket of one series, merged over all processes. */
export interface SeriesBucket {
  readonly startMs: number;
  readonly operation: OperationKind;
  readonly outcome: Outcome;
  readonly calls: number;
  readonly totalMs: number;
  readonly responseBytes: number;
  readonly phases: PhaseHistograms;
}

interface Row {
  readonly bucket: Date;
  readonly operation: OperationKind;
  readonly outcome: Outcome;
  readonly calls: number;
  readonly total_ms: number;
  readonly response_bytes: number;
  readonly phases: Buffer;
}

/**
 * The buckets in order of time, those of the present included as far as they are written. What is not merged into
 * hours (days) yet is merged here, so no resolution lags behind another.
 */
export async function readSeries(database: Database, question: SeriesQuestion): Promise<SeriesBucket[]> {
  const { resolution, phase } = question;
  const merged = new Map<string, SeriesBucket & { calls: number; totalMs: number; responseBytes: number }>();
  for (const row of await readRows(database, question)) {
    const startMs = bucketStart(row.bucket.getTime(), resolution);
    const { operation, outcome } = row;
    const key = `${startMs} ${operation} ${outcome}`;
    let into = merged.get(key);
    if (into === undefined) {
      into = { startMs, operation, outcome, calls: 0, totalMs: 0, responseBytes: 0, phases: new Map() };
      merged.set(key, into);
    }
    into.calls += row.calls;
    into.totalMs += row.total_ms;
    into.responseBytes += row.response_bytes;
    mergePhases(into.phases, decodePhases(row.phases, phase));
  }
  return [...merged.values()].toSorted((a, b) => a.startMs - b.startMs);
}

async function readRows(database: Database, question: SeriesQuestion): Promise<readonly Row[]> {
  const { integrationId, resolution, operations } = question;
  const conditions = [
    sql`part.integration_id = ${integrationId}`,
    sql`part.bucket >= ${new Date(bucketStart(question.fromMs, resolution))}`,
    sql`part.bucket < ${new Date(question.untilMs)}`,
    ...(operations === undefined ? [] : [sql`part.operation = any(${operations})`]),
  ];
  const rows = bucketRows(resolution, sql`${sql.join(conditions, sql` and `)}`);
  return (await sql<Row>`${rows} limit ${MAX_ROWS}`.execute(database.db)).rows;
}

/**
 * A query for the rows that the buckets of this resolution are made of: finer ones where they are not merged yet, to be
 * merged by the reader.
 * @param wanted in terms of `part`, with bounds of `part.bucket` that are bounds of buckets
 */
export function bucketRows(resolution: Resolution, wanted: RawBuilder<unknown>): RawBuilder<unknown> {
  const columns = sql`integration_id, bucket, operation, outcome, calls, total_ms, response_bytes, phases`;
  const due = (condition: RawBuilder<unknown>) => sql`
    exists (select from metric_rollups_due due where due.integration_id = part.integration_id and ${condition})`;
  const inHour = sql`date_trunc('hour', part.bucket, 'UTC')`;
  const inDay = sql`date_trunc('day', part.bucket, 'UTC')`;
  const minutes = sql`select ${columns} from metric_minutes part where ${wanted}`;
  const hours = sql`
    select ${columns} from metric_hours part
    where ${wanted} and not ${due(sql`due.resolution = 'hour' and due.bucket = part.bucket`)}
    union all ${minutes} and ${due(sql`due.resolution = 'hour' and due.bucket = ${inHour}`)}`;
  // A day is whole in its row only when none of its hours is due.
  const stale = due(sql`(due.resolution = 'day' and due.bucket = ${inDay}
    or due.resolution = 'hour' and due.bucket >= ${inDay} and due.bucket < ${inDay} + interval '1 day')`);
  const days = sql`
    select ${columns} from metric_days part where ${wanted} and not ${stale}
    union all select ${columns} from (${hours}) part where ${stale}`;
  return { minute: minutes, hour: hours, day: days }[resolution];
}
