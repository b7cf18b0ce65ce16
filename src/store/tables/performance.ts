import type { Generated } from 'kysely';
import type { Json, NullableJson } from './json.ts';

interface MetricMinutesTable {
  bucket: Date;
  integration_id: string;
  operation: string;
  outcome: string;
  part: string;
  calls: number;
  total_ms: number;
  response_bytes: number;
  phases: Buffer;
}

interface MetricHoursTable {
  bucket: Date;
  integration_id: string;
  operation: string;
  outcome: string;
  calls: number;
  total_ms: number;
  response_bytes: number;
  phases: Buffer;
}

interface MetricDaysTable {
  bucket: Date;
  integration_id: string;
  operation: string;
  outcome: string;
  calls: number;
  total_ms: number;
  response_bytes: number;
  phases: Buffer;
}

interface MetricRollupsDueTable {
  resolution: 'hour' | 'day';
  bucket: Date;
  integration_id: string;
  marks: Generated<number>;
}

interface IntegrationTuningTable {
  integration_id: string;
  page_size_percent: number | null;
  stream_concurrency: number | null;
  rate_share_percent: number | null;
  connect_ms: number | null;
  headers_ms: number | null;
  total_ms: number | null;
  version: Generated<number>;
  updated_at: Date | null;
  cache_validators: boolean | null;
}

interface TuningExperimentsTable {
  id: string;
  integration_id: string;
  status: 'running' | 'kept' | 'rolled_back' | 'inconclusive' | 'reverted';
  knob: string;
  from_value: number | null;
  to_value: number;
  goal: 'throughput' | 'errors';
  reason: string;
  evidence: Json;
  before: Json;
  after: NullableJson;
  performance_gain: number | null;
  confidence: number | null;
  verdict: string | null;
  started_at: Date;
  decide_by: Date;
  finished_at: Date | null;
}

interface ReportedMetricsTable {
  integration_id: string;
  resolution: 'minute' | 'hour';
  bucket: Date;
  reports: number;
  requests: number;
  rated_weight: number;
  failed_weight: number;
  succeeded_weight: number;
  timed_weight: number;
  timed_ms: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  response_bytes: number;
}

interface PerformanceWatchTable {
  integration_id: string;
  active_until: Generated<Date>;
  fed_until: Generated<Date>;
  points: Generated<number>;
  detectors: Buffer | null;
  summarize_at: Date | null;
}

interface PerformanceAnomaliesTable {
  integration_id: string;
  bucket: Date;
  series: 'p95_response_time' | 'error_rate';
  value: number;
  expected: number | null;
  score: number;
  surprise: number;
  signal: string;
  calls: number;
}

interface PerformanceSummariesTable {
  integration_id: string;
  source: 'measured' | 'reported';
  refreshed_at: Date;
  calls: number;
  failed: number;
  throttled: number;
  total_ms: number;
  response_bytes: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  score: number | null;
  alarms: number;
  degradation: string;
  degradation_ratio: number | null;
  histogram: Buffer | null;
  statistics: NullableJson;
  statistics_until: Date | null;
}

export interface PerformanceTables {
  metric_minutes: MetricMinutesTable;
  metric_hours: MetricHoursTable;
  metric_days: MetricDaysTable;
  metric_rollups_due: MetricRollupsDueTable;
  integration_tuning: IntegrationTuningTable;
  tuning_experiments: TuningExperimentsTable;
  reported_metrics: ReportedMetricsTable;
  performance_watch: PerformanceWatchTable;
  performance_anomalies: PerformanceAnomaliesTable;
  performance_summaries: PerformanceSummariesTable;
}
