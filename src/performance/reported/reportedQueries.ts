import { sql } from 'kysely';
import type { Database } from '../../store/database.ts';
import { bucketStart, type Resolution } from '../types.ts';
import type { ReportSums } from './reportedMetrics.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** As long as measured minutes. */
const MINUTES_KEPT_MS = 2 * DAY_MS;
const BATCH_ROWS = 5_000;
const MAX_POINTS = 20_000;

/** What was reported within some time, added up. */
export interface ReportedTotals extends ReportSums {
  readonly reports: number;
}

/** How two rows of the same time become one. A percentile of a sum is not known from its parts: the largest is no less. */
const ADDED = sql`
  reports = reported_metrics.reports + excluded.reports,
  requests = reported_metrics.requests + excluded.requests,
  rated_weight = reported_metrics.rated_weight + excluded.rated_weight,
  failed_weight = reported_metrics.failed_weight + excluded.failed_weight,
  succeeded_weight = reported_metrics.succeeded_weight + excluded.succeeded_weight,
  timed_weight = reported_metrics.timed_weight + excluded.timed_weight,
  timed_ms = reported_metrics.timed_ms + excluded.timed_ms,
  p50_ms = greatest(reported_metrics.p50_ms, excluded.p50_ms),
  p95_ms = greatest(reported_metrics.p95_ms, excluded.p95_ms),
  p99_ms = greatest(reported_metrics.p99_ms, excluded.p99_ms),
  response_bytes = reported_metrics.response_bytes + excluded.response_bytes`;

const TOTALS = sql`
  coalesce(sum(reports), 0)::bigint as reports, coalesce(sum(requests), 0)::bigint as requests,
  coalesce(sum(rated_weight), 0) as "ratedWeight", coalesce(sum(failed_weight), 0) as "failedWeight",
  coalesce(sum(succeeded_weight), 0) as "succeededWeight", coalesce(sum(timed_weight), 0) as "timedWeight",
  coalesce(sum(timed_ms), 0) as "timedMs", max(p50_ms) as "p50Ms", max(p95_ms) as "p95Ms", max(p99_ms) as "p99Ms",
  coalesce(sum(response_bytes), 0)::bigint as "responseBytes"`;

/** Adds a report to its minute, and has the integration summed up anew. One row a minute, however many reports come. */
export async function addReport(
  database: Database,
  integrationId: string,
  nowMs: number,
  report: ReportSums,
): Promise<void> {
  const now = new Date(nowMs);
  await sql`
    with due as (
      insert into performance_watch (integration_id, summarize_at) values (${integrationId}, ${now})
      on conflict (integration_id) do update set summarize_at = least(performance_watch.summarize_at, ${now})
    )
    insert into reported_metrics (integration_id, resolution, bucket, reports, requests, rated_weight, failed_weight,
      succeeded_weight, timed_weight, timed_ms, p50_ms, p95_ms, p99_ms, response_bytes)
    values (${integrationId}, 'minute', ${new Date(bucketStart(nowMs, 'minute'))}, 1, ${report.requests},
      ${report.ratedWeight}, ${report.failedWeight}, ${report.succeededWeight}, ${report.timedWeight},
      ${report.timedMs}, ${report.p50Ms}, ${report.p95Ms}, ${report.p99Ms}, ${report.responseBytes})
    on conflict (integration_id, resolution, bucket) do update set ${ADDED}`.execute(database.db);
}

/** What was reported from `fromMs` on and before `untilMs`; null when nothing was. */
export async function readReported(
  database: Database,
  integrationId: string,
  fromMs: number,
  untilMs: number,
): Promise<ReportedTotals | null> {
  const { rows } = await sql<ReportedTotals>`
    select ${TOTALS} from reported_metrics
    where integration_id = ${integrationId} and bucket >= ${new Date(fromMs)} and bucket < ${new Date(untilMs)}`.execute(
    database.db,
  );
  return rows[0]!.reports === 0 ? null : rows[0]!;
}

/** The same by minutes, hours or days, in order of time. */
export async function readReportedSeries(
  database: Database,
  integrationId: string,
  resolution: Resolution,
  fromMs: number,
  untilMs: number,
): Promise<(ReportedTotals & { readonly startMs: number })[]> {
  const { rows } = await sql<ReportedTotals & { start: Date }>`
    select date_trunc(${resolution}, bucket, 'UTC') as start, ${TOTALS} from reported_metrics
    where integration_id = ${integrationId} and bucket >= ${new Date(fromMs)} and bucket < ${new Date(untilMs)}
    group by 1 order by 1 limit ${MAX_POINTS}`.execute(database.db);
  return rows.map(({ start, ...totals }) => ({ ...totals, startMs: start.getTime() }));
}

/** Merges minutes that are old into hours, and deletes hours past their time. May be interrupted and run again. */
export async function keepReported(
  database: Database,
  nowMs: number,
  keptDays: number,
  signal?: AbortSignal,
): Promise<void> {
  const minutesEnd = new Date(bucketStart(nowMs - MINUTES_KEPT_MS, 'hour'));
  // In one statement: a report is in its minute or in its hour, never in both or in none.
  const merge = () => sql`
    with gone as (
      delete from reported_metrics where (integration_id, resolution, bucket) in (
        select integration_id, resolution, bucket from reported_metrics
        where resolution = 'minute' and bucket < ${minutesEnd} limit ${BATCH_ROWS} for update skip locked
      ) returning *
    )
    insert into reported_metrics (integration_id, resolution, bucket, reports, requests, rated_weight, failed_weight,
      succeeded_weight, timed_weight, timed_ms, p50_ms, p95_ms, p99_ms, response_bytes)
    select integration_id, 'hour', date_trunc('hour', bucket, 'UTC'), sum(reports), sum(requests), sum(rated_weight),
      sum(failed_weight), sum(succeeded_weight), sum(timed_weight), sum(timed_ms), max(p50_ms), max(p95_ms), max(p99_ms),
      sum(response_bytes)
    from gone group by 1, 3 order by 1, 3
    on conflict (integration_id, resolution, bucket) do update set ${ADDED}`;
  const forget = () => sql`
    delete from reported_metrics where (integration_id, resolution, bucket) in (
      select integration_id, resolution, bucket from reported_metrics
      where resolution = 'hour' and bucket < ${new Date(nowMs - keptDays * DAY_MS)} limit ${BATCH_ROWS}
    )`;
  for (const statement of [merge, forget]) {
    do signal?.throwIfAborted();
    while (((await statement().execute(database.db)).numAffectedRows ?? 0n) > 0n);
  }
}
