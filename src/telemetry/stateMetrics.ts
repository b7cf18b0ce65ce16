import type { AttemptLog } from '../outgoing/attemptLog.ts';
import type { Outgoing } from '../outgoing/pipeline.ts';
import type { PerformanceRecorder } from '../performance/store/performanceRecorder.ts';
import type { RateLimitingService } from '../rateLimits/rateLimitingService.ts';
import type { Database } from '../store/database.ts';
import { counter, type Family, gauge } from './families.ts';

/** The parts whose state is read when somebody asks. */
export interface StateSources {
  readonly outgoing: Pick<Outgoing, 'breakerCounts'>;
  readonly rateLimits: Pick<RateLimitingService, 'getRateLimitStats'>;
  readonly database: Pick<Database, 'pool'>;
  readonly attempts: Pick<AttemptLog, 'dropped'>;
  readonly recorder: Pick<PerformanceRecorder, 'dropped'>;
  readonly version: string;
}

export function stateFamilies({ outgoing, rateLimits, database, attempts, recorder, version }: StateSources): Family[] {
  const { store, allowed, refused, activeLimits } = rateLimits.getRateLimitStats();
  const { pool } = database;
  const count = (label: string, counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));
  return [
    gauge(
      'integration_services_circuit_breakers',
      'Circuit breakers of integrations that were called lately, by state.',
      count('state', { ...outgoing.breakerCounts() }),
    ),
    counter(
      'integration_services_rate_limit_checks_total',
      'Checks of rate limits, by their answer.',
      count('result', { allowed, refused }),
    ),
    gauge('integration_services_rate_limits_active', 'Limits that were checked lately.', activeLimits),
    gauge(
      'integration_services_rate_limit_store_up',
      'Whether the store of rate limits answers; where not, each replica allows its part of each limit.',
      [{ labels: { store: store.name }, value: store.state === 'ok' ? 1 : 0 }],
    ),
    gauge('integration_services_rate_limit_replicas', 'Processes that share the limits.', store.replicas),
    gauge('integration_services_database_connections', 'Connections of this process, by what they do.', [
      { labels: { state: 'busy' }, value: pool.totalCount - pool.idleCount },
      { labels: { state: 'idle' }, value: pool.idleCount },
    ]),
    gauge('integration_services_database_waiting', 'Queries that wait for a connection.', pool.waitingCount),
    counter(
      'integration_services_measurements_dropped_total',
      'Measurements that could not be kept while the database was away.',
      count('recorder', { attempt_log: attempts.dropped, histograms: recorder.dropped }),
    ),
    gauge('integration_services_build_info', 'Always 1; what runs is in the labels.', [
      { labels: { version, node: process.version }, value: 1 },
    ]),
  ];
}
