import type { Aggregation } from './types.ts';

/** What a metric is, whoever measures it. */
export interface MetricInfo {
  readonly title: string;
  readonly unit: 'ms' | 's' | 'percent' | 'ratio' | 'bytes' | 'count' | 'per second';
  readonly aggregations: readonly Aggregation[];
  /** What it can be filtered and grouped by. */
  readonly labels: readonly string[];
}

/** Of single measurements, such as durations. */
const DISTRIBUTION = ['avg', 'min', 'max', 'p50', 'p95', 'p99', 'count'] as const;
/** Of things that happen. */
const EVENTS = ['sum', 'count', 'rate'] as const;
/** Of what is so at a time. */
const GAUGE = ['last', 'avg', 'min', 'max'] as const;
/** Of shares and rates: they are made of the whole window. */
const WHOLE = ['avg'] as const;

const OF_CALLS = ['integrationId', 'platform', 'operation'];
const OF_INTEGRATION = ['integrationId', 'platform'];
const OF_PROCESS = ['process'];

/** Every metric that rules can name. `samples` of a value are the calls, runs or events that it is made of. */
export const METRICS: Readonly<Record<string, MetricInfo>> = {
  response_time_ms: metric('Duration of outgoing attempts', 'ms', DISTRIBUTION, [...OF_CALLS, 'outcome']),
  connect_ms: metric('Time until a connection was open', 'ms', DISTRIBUTION, [...OF_CALLS, 'outcome']),
  first_byte_ms: metric('Time from a request to the head of its answer', 'ms', DISTRIBUTION, [...OF_CALLS, 'outcome']),
  body_ms: metric('Time from the head of an answer to its end', 'ms', DISTRIBUTION, [...OF_CALLS, 'outcome']),
  queue_ms: metric('Wait for a free slot of the host', 'ms', DISTRIBUTION, [...OF_CALLS, 'outcome']),
  rate_limit_ms: metric('Wait for the rate budget', 'ms', DISTRIBUTION, [...OF_CALLS, 'outcome']),
  backoff_ms: metric('Wait between attempts', 'ms', DISTRIBUTION, [...OF_CALLS, 'outcome']),
  write_ms: metric('Time to store a batch of records', 'ms', DISTRIBUTION, OF_CALLS),
  wait_ms: metric('Wait for the rate budget and between attempts', 'ms', DISTRIBUTION, [...OF_CALLS, 'outcome']),
  response_bytes: metric('Size of answers', 'bytes', ['avg', 'sum', 'rate', 'count'], [...OF_CALLS, 'outcome']),
  calls: metric('Outgoing attempts', 'count', EVENTS, [...OF_CALLS, 'outcome']),
  throughput: metric('Outgoing attempts a second', 'per second', WHOLE, [...OF_CALLS, 'outcome']),
  error_rate: metric('Share of attempts that failed', 'percent', WHOLE, OF_CALLS),
  success_rate: metric('Share of attempts that succeeded', 'percent', WHOLE, OF_CALLS),
  credential_errors: metric('Attempts that the provider refused for the credentials', 'count', EVENTS, OF_CALLS),
  sync_runs: metric('Finished syncs', 'count', EVENTS, [...OF_INTEGRATION, 'status']),
  sync_failures: metric('Failed syncs', 'count', EVENTS, OF_INTEGRATION),
  sync_failures_in_row: metric('Failed syncs since the last that succeeded', 'count', ['last'], OF_INTEGRATION),
  seconds_since_last_success: metric('Time since a sync succeeded', 's', ['last'], OF_INTEGRATION),
  sync_intervals_since_success: metric(
    'Time since a sync succeeded, in intervals of the schedule',
    'count',
    ['last'],
    OF_INTEGRATION,
  ),
  denied_access: metric('Requests that were denied', 'count', EVENTS, ['actor', 'actorKind', 'integrationId']),
  failed_logins: metric('Failed logins', 'count', EVENTS, ['actor']),
  audit_tamper: metric('Whether the audit log was found changed (1) or not (0)', 'count', ['last', 'max'], []),
  platform_outage: metric(
    'Share of the integrations of a platform that fail for its provider',
    'percent',
    ['last'],
    ['platform'],
  ),
  job_queue_age_seconds: metric('How long the oldest waiting job has waited', 's', ['last', 'max'], ['queue']),
  process_cpu: metric('Share of one processor', 'ratio', GAUGE, OF_PROCESS),
  process_memory_bytes: metric('Resident memory', 'bytes', GAUGE, OF_PROCESS),
  event_loop_delay_ms: metric('Delay of the event loop', 'ms', [...GAUGE, 'p50', 'p95', 'p99'], OF_PROCESS),
  pool_waiting: metric('Requests that wait for a database connection', 'count', GAUGE, OF_PROCESS),
  pool_connections: metric('Open connections to the database', 'count', GAUGE, OF_PROCESS),
  disk_free_bytes: metric('Free space of the disk of the data folder', 'bytes', GAUGE, OF_PROCESS),
  disk_free_ratio: metric('Free share of the disk of the data folder', 'ratio', GAUGE, OF_PROCESS),
};

export const METRIC_NAMES = Object.keys(METRICS);

function metric(
  title: string,
  unit: MetricInfo['unit'],
  aggregations: readonly Aggregation[],
  labels: readonly string[],
): MetricInfo {
  return { title, unit, aggregations, labels };
}
