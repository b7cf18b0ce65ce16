import { sql } from 'kysely';
import type { Clock } from '../core/clock.ts';
import { readWindow } from '../performance/analysis/measuredWindow.ts';
import { measuredMetrics } from '../performance/analysis/performanceMetrics.ts';
import type { Database } from '../store/database.ts';
import type { IntegrationMetrics } from './types.ts';

const WINDOW_HOURS = 24;

/** Where measurements of calls come from. */
export interface MeasuredCalls {
  /** False while calls are not measured: the attempts themselves are counted then. */
  readonly enabled: boolean;
  /** Has what was measured so far written. */
  flush(): Promise<void>;
}

type CallMetrics = Pick<
  IntegrationMetrics,
  | 'totalRequests'
  | 'successfulRequests'
  | 'failedRequests'
  | 'successRate'
  | 'errorRate'
  | 'avgResponseTime'
  | 'p50ResponseTime'
  | 'p95ResponseTime'
  | 'p99ResponseTime'
  | 'responseBytes'
  | 'outcomes'
>;

/**
 * What the outgoing calls and runs of the last 24 hours show. Counts and the mean are exact; percentiles come from
 * histograms and are within 1.083 % of the true ones.
 */
export async function readMetrics(
  database: Database,
  clock: Clock,
  integrationId: string,
  measured: MeasuredCalls,
): Promise<IntegrationMetrics> {
  const nowMs = clock.now();
  const since = new Date(nowMs - WINDOW_HOURS * 3_600_000);
  const [calls, runs, records] = await Promise.all([
    measured.enabled
      ? readMeasured(database, integrationId, since.getTime(), nowMs, measured)
      : readAttempts(database, integrationId, since),
    sql<RunRow>`
      select count(*) filter (where queued_at >= ${since})::int as runs,
             count(*) filter (where queued_at >= ${since} and status = 'failed')::int as failed,
             coalesce(sum(records_added + records_updated + records_deleted) filter (where queued_at >= ${since}), 0)::bigint as synced,
             max(finished_at) filter (where status = 'succeeded') as last_success
      from sync_runs
      where integration_id = ${integrationId}`.execute(database.db),
    sql<{ count: number }>`
      select count(*)::bigint as count from records
      where integration_id = ${integrationId} and deleted_at is null`.execute(database.db),
  ]);
  const run = runs.rows[0]!;
  return {
    integrationId,
    windowHours: WINDOW_HOURS,
    ...calls,
    syncRuns: run.runs,
    failedSyncRuns: run.failed,
    recordsSynced: run.synced,
    recordCount: records.rows[0]!.count,
    lastSyncAt: run.last_success?.toISOString() ?? null,
  };
}

const NO_CALLS: CallMetrics = {
  totalRequests: 0,
  successfulRequests: 0,
  failedRequests: 0,
  successRate: null,
  errorRate: null,
  avgResponseTime: null,
  p50ResponseTime: null,
  p95ResponseTime: null,
  p99ResponseTime: null,
  responseBytes: 0,
  outcomes: {},
};

async function readMeasured(
  database: Database,
  integrationId: string,
  fromMs: number,
  untilMs: number,
  measured: MeasuredCalls,
): Promise<CallMetrics> {
  await measured.flush();
  const metrics = measuredMetrics(await readWindow(database, integrationId, fromMs, untilMs, 'total'));
  if (metrics === null) return NO_CALLS;
  return {
    totalRequests: metrics.totalRequests,
    successfulRequests: metrics.successfulRequests!,
    failedRequests: metrics.failedRequests!,
    successRate: metrics.successRate,
    errorRate: metrics.errorRate,
    avgResponseTime: metrics.avgResponseTime,
    p50ResponseTime: metrics.p50ResponseTime,
    p95ResponseTime: metrics.p95ResponseTime,
    p99ResponseTime: metrics.p99ResponseTime,
    responseBytes: metrics.responseBytes,
    outcomes: Object.fromEntries(Object.entries(metrics.outcomes).map(([name, { requests }]) => [name, requests])),
  };
}

/** From every attempt, percentiles as well. */
async function readAttempts(database: Database, integrationId: string, since: Date): Promise<CallMetrics> {
  const [calls, outcomes] = await Promise.all([
    sql<CallRow>`
      select count(*)::int as total,
             count(*) filter (where outcome = 'success')::int as succeeded,
             avg(duration_ms) as avg_ms,
             percentile_disc(array[0.5, 0.95, 0.99]) within group (order by duration_ms) as percentiles,
             coalesce(sum(response_bytes), 0)::bigint as bytes
      from outgoing_attempts
      where integration_id = ${integrationId} and started_at >= ${since}`.execute(database.db),
    sql<{ outcome: string; count: number }>`
      select outcome, count(*)::int as count
      from outgoing_attempts
      where integration_id = ${integrationId} and started_at >= ${since}
      group by outcome order by outcome`.execute(database.db),
  ]);
  const call = calls.rows[0]!;
  const [p50, p95, p99] = call.percentiles ?? [];
  return {
    totalRequests: call.total,
    successfulRequests: call.succeeded,
    failedRequests: call.total - call.succeeded,
    successRate: share(call.succeeded, call.total),
    errorRate: share(call.total - call.succeeded, call.total),
    avgResponseTime: call.avg_ms,
    p50ResponseTime: p50 ?? null,
    p95ResponseTime: p95 ?? null,
    p99ResponseTime: p99 ?? null,
    responseBytes: call.bytes,
    outcomes: Object.fromEntries(outcomes.rows.map(({ outcome, count }) => [outcome, count])),
  };
}

interface CallRow {
  total: number;
  succeeded: number;
  avg_ms: number | null;
  percentiles: number[] | null;
  bytes: number;
}

interface RunRow {
  runs: number;
  failed: number;
  synced: number;
  last_success: Date | null;
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}
