import { type Kysely, sql } from 'kysely';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { MetricQuery, MetricSample, MetricSource } from '../alerts/types.ts';
import { ATTEMPT_METRICS } from './attemptMetrics.ts';
import { AUDIT_METRICS, queryAuditTamper } from './auditMetrics.ts';
import { groupedQuery, type Measured } from './groupedQuery.ts';
import { queryPlatformOutage } from './platformOutage.ts';
import { queryQueueAge } from './queueAge.ts';
import { querySyncAge } from './syncAge.ts';
import { SYNC_METRICS } from './syncMetrics.ts';

type Answer = (db: Kysely<Schema>, query: MetricQuery, atMs: number) => Promise<MetricSample[]>;

/** The server ends what takes longer. */
const STATEMENT_TIMEOUT_MS = 10_000;

const GROUPED: Readonly<Record<string, Measured>> = { ...ATTEMPT_METRICS, ...SYNC_METRICS, ...AUDIT_METRICS };

const OTHERS: Readonly<Record<string, Answer>> = {
  seconds_since_last_success: querySyncAge,
  sync_intervals_since_success: querySyncAge,
  audit_tamper: queryAuditTamper,
  job_queue_age_seconds: queryQueueAge,
  platform_outage: queryPlatformOutage,
};

/**
 * Answers from what the database holds anyway: outgoing attempts, sync runs, the audit log, queues. Exact, one query
 * for all series; what it costs grows with the rows of the window.
 */
export function tableMetricSource(database: Database): MetricSource {
  return {
    has: (metric) => Object.hasOwn(GROUPED, metric) || Object.hasOwn(OTHERS, metric),
    async query(query, atMs, signal) {
      const grouped = GROUPED[query.metric];
      return database.transaction(async (tx) => {
        signal?.throwIfAborted();
        await sql`set local statement_timeout = ${sql.lit(STATEMENT_TIMEOUT_MS)}`.execute(tx);
        return grouped === undefined ? OTHERS[query.metric]!(tx, query, atMs) : groupedQuery(tx, grouped, query, atMs);
      });
    },
  };
}
