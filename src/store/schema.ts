import type { ColumnType, Generated } from 'kysely';

/**
 * A jsonb column: read as parsed JSON, written as JSON text (`JSON.stringify(value)`), because the driver
 * would send a bare array as a PostgreSQL array.
 */
export type Json<T = unknown> = ColumnType<T, string, string>;
type NullableJson<T = unknown> = ColumnType<T | null, string | null | undefined, string | null>;
type GeneratedJson<T = unknown> = ColumnType<T, string | undefined, string>;

export interface InstallationKeysTable {
  id: string;
  status: 'active' | 'retiring';
  salt: Buffer;
  iterations: number;
  sealed_key: Json;
  created_at: Generated<Date>;
}

export interface IntegrationsTable {
  id: string;
  owner: string;
  name: string;
  type: string;
  platform: string;
  status: 'pending' | 'connected' | 'disconnected' | 'error' | 'deleting';
  status_reason: string | null;
  configuration: Json;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface CredentialsTable {
  integration_id: string;
  envelope: Json;
  key_id: string;
  fields: string[];
  origins: Generated<string[]>;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface WebhookEndpointsTable {
  id: string;
  integration_id: string;
  url: string;
  events: string[];
  description: string | null;
  active: Generated<boolean>;
  secret_envelope: Json;
  key_id: string;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface ConnectorsTable {
  platform: string;
  version: number;
  source: string;
  created_at: Generated<Date>;
  deleted_at: Date | null;
}

export interface SyncSchedulesTable {
  integration_id: string;
  frequency: string;
  timezone: Generated<string>;
  next_due_at: Date;
  updated_at: Generated<Date>;
}

export interface SyncRunsTable {
  id: string;
  integration_id: string;
  trigger: 'schedule' | 'manual';
  full_refresh: Generated<boolean>;
  streams: string[] | null;
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'stopped';
  lease_token: Generated<number>;
  lease_until: Date | null;
  stop_requested_at: Date | null;
  progress: GeneratedJson<Record<string, 'reading' | 'read' | 'done'>>;
  due_at: Generated<Date>;
  queued_at: Generated<Date>;
  started_at: Date | null;
  finished_at: Date | null;
  pages: Generated<number>;
  records_read: Generated<number>;
  records_added: Generated<number>;
  records_updated: Generated<number>;
  records_deleted: Generated<number>;
  records_unchanged: Generated<number>;
  error: NullableJson;
  warnings: GeneratedJson;
  trace_parent: string | null;
  repeats: GeneratedJson<Record<string, 'confirmed' | 'same'>>;
  records_confirmed: Generated<number>;
}

export interface SyncStatesTable {
  integration_id: string;
  stream: string;
  state: NullableJson;
  record_count: Generated<number>;
  full_read_id: number | null;
  full_read_started_at: Date | null;
  full_read_completed_at: Date | null;
  full_read_base: Generated<number>;
  full_read_seen: Generated<number>;
  complete_read_id: number | null;
  missing_count: Generated<number>;
  due_deletions: NullableJson;
  pending_deletions: NullableJson;
  updated_at: Generated<Date>;
  known_answer: NullableJson;
}

export interface RecordsTable {
  integration_id: string;
  stream: string;
  record_key: string;
  data: Json;
  content_hash: Buffer;
  change_seq: Generated<number>;
  created_seq: number;
  seen_by: number;
  deleted_at: Date | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface OutgoingAttemptsTable {
  id: string;
  operation_id: string;
  integration_id: string;
  operation: string;
  attempt: number;
  method: string;
  host: string;
  path: string;
  status: number | null;
  outcome: string;
  started_at: Date;
  duration_ms: number;
  wait_ms: number;
  first_byte_ms: number | null;
  response_bytes: Generated<number>;
  error: string | null;
}

export interface IdempotencyKeysTable {
  scope: string;
  key: string;
  request_hash: Buffer;
  resource_name: string;
  response: NullableJson;
  locked_until: Date;
  created_at: Generated<Date>;
}

export interface UsersTable {
  id: string;
  email: string;
  name: string;
  role: string;
  status: Generated<'active' | 'frozen' | 'deactivated'>;
  frozen_reason: string | null;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface RolesTable {
  name: string;
  description: string;
  permissions: Json;
  created_by: string;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface GrantsTable {
  id: string;
  user_id: string;
  effect: 'allow' | 'deny';
  permissions: string[];
  scope_kind: 'all' | 'integration' | 'platform' | 'owner';
  scope_value: string | null;
  reason: string;
  created_by: string;
  created_at: Generated<Date>;
  expires_at: Date | null;
}

export interface BreakGlassTable {
  id: string;
  user_id: string;
  permissions: string[];
  scope_kind: 'all' | 'integration' | 'platform' | 'owner';
  scope_value: string | null;
  reason: string;
  duration_seconds: number;
  requested_at: Date;
  approved_by: string | null;
  approved_at: Date | null;
  expires_at: Date | null;
  ended_by: string | null;
  ended_at: Date | null;
}

export interface AccessVersionTable {
  id: Generated<boolean>;
  version: Generated<number>;
  rules_version: Generated<number>;
  rules_raised_by: Generated<number>;
}

export interface LocalAccountsTable {
  user_id: string;
  password_hash: string;
  password_changed_at: Generated<Date>;
}

export interface SecondFactorsTable {
  user_id: string;
  secret_envelope: Json;
  key_id: string;
  confirmed_at: Date | null;
  last_used_step: number | null;
  created_at: Generated<Date>;
}

export interface RecoveryCodesTable {
  user_id: string;
  code_hash: Buffer;
}

export interface SessionsTable {
  id: string;
  user_id: string;
  secret_hash: Buffer;
  former_secret_hash: Buffer | null;
  secret_made_at: Generated<Date>;
  secret_seen_at: Date | null;
  address: string | null;
  last_address: string | null;
  user_agent: string | null;
  created_at: Generated<Date>;
  last_seen_at: Generated<Date>;
  expires_at: Date;
  ended_at: Date | null;
}

export interface OneTimeTokensTable {
  id: string;
  purpose: 'setup' | 'passwordReset' | 'secondFactor';
  user_id: string | null;
  token_hash: Buffer;
  failures: Generated<number>;
  created_at: Generated<Date>;
  expires_at: Date;
}

export interface InvitationsTable {
  id: string;
  email: string;
  role: string;
  token_hash: Buffer | null;
  invited_by: string;
  created_at: Generated<Date>;
  expires_at: Date;
}

export interface LoginThrottlesTable {
  subject: string;
  failures: number;
  last_failed_at: Date;
  blocked_until: Date | null;
}

export interface ApiKeysTable {
  id: string;
  user_id: string;
  name: string;
  secret_hash: Buffer;
  permissions: string[] | null;
  integration_ids: string[] | null;
  status: Generated<'active' | 'frozen' | 'revoked'>;
  frozen_reason: string | null;
  expires_at: Date | null;
  last_used_at: Date | null;
  rotated_from: string | null;
  overlap_until: Date | null;
  created_at: Generated<Date>;
  revoked_at: Date | null;
}

export interface StackIdentitiesTable {
  project_id: string;
  subject: string;
  user_id: string;
  linked_at: Generated<Date>;
}

export interface RateLimitsTable {
  integration_id: string;
  action: string;
  config: Json;
  revision: number;
  updated_at: Generated<Date>;
}

export interface RateLimitClearsTable {
  integration_id: string;
  revision: number;
}

export interface RateLimitRevisionTable {
  id: Generated<boolean>;
  revision: number;
}

export interface RateLimitReplicasTable {
  id: string;
  seen_at: Date;
}

export interface RateLimitUsageTable {
  key: string;
  strategy: string;
  used: number;
  at_ms: number | null;
  idle_at_ms: number;
  run_times: number[];
  run_costs: number[];
}

export interface SchemaMigrationsTable {
  version: number;
  name: string;
  sha256: string;
  applied_at: Generated<Date>;
}

export interface AuditPendingTable {
  id: string;
  event: Buffer;
}

export interface AuditEntriesTable {
  seq: number;
  id: string;
  event: Buffer;
  leaf_hash: Buffer;
  occurred_at: Date;
  actor_kind: string;
  actor_id: string;
  action: string;
  outcome: string;
  target_kind: string | null;
  target_id: string | null;
  integration_id: string | null;
}

export interface AuditNodesTable {
  level: number;
  idx: number;
  hash: Buffer;
}

export interface AuditTreeTable {
  singleton: Generated<boolean>;
  size: number;
  frontier: Buffer;
  signed_size: number;
  unsigned_since: Date | null;
}

export interface AuditChecksTable {
  pass: 'new' | 'all';
  size: Generated<number>;
  frontier: Generated<Buffer>;
  began_at: Date | null;
  finished_at: Date | null;
  checked_at: Date | null;
  finding: NullableJson;
}

export interface AuditSigningKeysTable {
  id: string;
  verifier_key: string;
  secret_envelope: Json;
  key_id: string;
  created_at: Generated<Date>;
}

export interface AuditCheckpointsTable {
  tree_size: number;
  root_hash: Buffer;
  note: string;
  created_at: Generated<Date>;
}

export interface MetricMinutesTable {
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

export interface MetricHoursTable {
  bucket: Date;
  integration_id: string;
  operation: string;
  outcome: string;
  calls: number;
  total_ms: number;
  response_bytes: number;
  phases: Buffer;
}

export interface MetricDaysTable {
  bucket: Date;
  integration_id: string;
  operation: string;
  outcome: string;
  calls: number;
  total_ms: number;
  response_bytes: number;
  phases: Buffer;
}

export interface MetricRollupsDueTable {
  resolution: 'hour' | 'day';
  bucket: Date;
  integration_id: string;
  marks: Generated<number>;
}

export interface RateLimitLearnedTable {
  integration_id: string;
  replica_id: string;
  share: number;
  reason: string;
  shut_until: Date | null;
  changed_at: Date;
}

export interface IntegrationTuningTable {
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

export interface TuningExperimentsTable {
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

export interface ReportedMetricsTable {
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

export interface PerformanceWatchTable {
  integration_id: string;
  active_until: Generated<Date>;
  fed_until: Generated<Date>;
  points: Generated<number>;
  detectors: Buffer | null;
  summarize_at: Date | null;
}

export interface PerformanceAnomaliesTable {
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

export interface PerformanceSummariesTable {
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

export interface SystemMinutesTable {
  bucket: Date;
  metric: string;
  process: string;
  samples: number[];
  latest_at: Date;
}

export interface IntegrationHealthTable {
  integration_id: string;
  state: 'pass' | 'warn' | 'fail' | 'unknown';
  source: 'traffic' | 'probe' | 'none';
  outcome: string | null;
  detail: string | null;
  failures: Generated<number>;
  checked_at: Date | null;
  changed_at: Generated<Date>;
  next_check_at: Date;
  claim: Generated<number>;
}

export interface DashboardsTable {
  id: string;
  title: string;
  roles: string[] | null;
  owner: string | null;
  version: number;
  definition: Json;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface DashboardVersionsTable {
  dashboard_id: string;
  version: number;
  title: string;
  definition: Json;
  saved_by: string;
  saved_at: Generated<Date>;
}

export interface AlertCountersTable {
  name: 'rules' | 'changes';
  value: number;
}

export interface AlertRulesTable {
  id: string;
  shard: number;
  name: string;
  kind: string;
  severity: string;
  metric: string;
  enabled: boolean;
  definition: Json;
  version: Generated<number>;
  query_version: Generated<number>;
  revision: number;
  default_key: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
  deleted_at: Date | null;
}

export interface AlertShardsTable {
  shard: number;
  lease_token: Generated<number>;
  lease_until: Date | null;
  evaluated_at: Date | null;
}

export interface AlertReplicasTable {
  id: string;
  lease_until: Date;
}

export interface AlertInstancesTable {
  rule_id: string;
  fingerprint: string;
  query_version: number;
  labels: Json;
  integration_id: string | null;
  state: string;
  reason: string;
  value: number | null;
  active_since: Date | null;
  fired_at: Date | null;
  recovered_since: Date | null;
  resolved_at: Date | null;
  changed_at: Date;
  evaluated_at: Date;
  evidence: Json;
}

export interface AlertChangesTable {
  seq: number;
  rule_id: string;
  fingerprint: string;
  rule_name: string;
  kind: string;
  severity: string;
  from_state: string;
  to_state: string;
  reason: string;
  labels: Json;
  annotations: Json;
  notify: Json;
  integration_id: string | null;
  value: number | null;
  evidence: Json;
  at: Date;
}

export interface AlertRuleFailuresTable {
  rule_id: string;
  error: string;
  since: Date;
}

export interface NotificationChannelsTable {
  id: string;
  name: string;
  kind: 'webhook' | 'slack' | 'email' | 'pagerduty' | 'discord' | 'teams';
  settings: Json;
  secret_envelope: Json;
  key_id: string;
  send_resolved: Generated<boolean>;
  active: Generated<boolean>;
  version: Generated<number>;
  failures: Generated<number>;
  failing_since: Date | null;
  last_error: string | null;
  last_delivered_at: Date | null;
  tested_at: Date | null;
  test_ok: boolean | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface NotificationPoliciesTable {
  id: string;
  name: string;
  position: number;
  is_default: Generated<boolean>;
  matchers: Json;
  group_by: string[];
  go_on: Generated<boolean>;
  channels: string[] | null;
  fallback_channel: string | null;
  steps: GeneratedJson;
  group_wait_ms: number;
  group_interval_ms: number;
  repeat_interval_ms: number;
  version: Generated<number>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface SilencesTable {
  id: string;
  matchers: Json;
  starts_at: Date;
  ends_at: Date;
  author: string;
  comment: string;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface MaintenanceWindowsTable {
  id: string;
  name: string;
  matchers: Json;
  starts_at: Date | null;
  ends_at: Date | null;
  cron: string | null;
  timezone: string | null;
  duration_ms: number | null;
  author: string;
  comment: string;
  created_at: Generated<Date>;
}

export interface InhibitionRulesTable {
  id: string;
  name: string;
  source_matchers: Json;
  target_matchers: Json;
  equal_labels: string[];
  created_at: Generated<Date>;
  linger_ms: Generated<number>;
}

export interface NotifiedAlertsTable {
  alert_key: string;
  rule_id: string;
  fingerprint: string;
  labels: Json<Record<string, string>>;
  annotations: Json<Record<string, string>>;
  notify: Json;
  value: number | null;
  condition: string;
  starts_at: Date;
  ends_at: Date | null;
}

export interface AlertAcknowledgementsTable {
  alert_key: string;
  author: string;
  comment: string;
  acknowledged_at: Date;
  until: Date | null;
}

export interface AlertGroupsTable {
  id: string;
  policy_id: string;
  labels: Json<Record<string, string>>;
  channels: string[] | null;
  next_flush_at: Date | null;
  has_flushed: Generated<boolean>;
  episode_at: Date | null;
  level: Generated<number>;
  due_at: Date | null;
  updated_at: Generated<Date>;
}

export interface AlertGroupMembersTable {
  group_id: string;
  alert_key: string;
}

export interface AlertGroupLogTable {
  group_id: string;
  channel_id: string;
  firing: string[];
  resolved: string[];
  at: Date;
}

export interface NotificationsTable {
  id: string;
  group_id: string;
  policy_id: string;
  channel_id: string;
  channel_name: string;
  reason: string;
  message: Json;
  fallback_channel_id: string | null;
  fallback_of: string | null;
  status: Generated<'pending' | 'delivered' | 'failed'>;
  attempts: Generated<number>;
  due_at: Date;
  lease_token: Generated<number>;
  lease_until: Date | null;
  last_error: string | null;
  created_at: Date;
  finished_at: Date | null;
}

export interface NotificationAttemptsTable {
  notification_id: string;
  attempt: number;
  at: Date;
  duration_ms: number;
  ok: boolean;
  status: number | null;
  detail: string;
}

export interface NotificationIntakeTable {
  id: Generated<boolean>;
  seq: number;
}

export interface LogsTable {
  seq: Generated<number>;
  observed_at: Date;
  at: Date;
  integration_id: string;
  severity: number;
  message: string;
  event_name: string | null;
  operation_id: string | null;
  request_id: string | null;
  trace_id: string | null;
  span_id: string | null;
  attributes: Json;
}

export interface LogSequenceTable {
  id: Generated<boolean>;
  next: number;
}

export interface LogJournalsTable {
  id: string;
  loaded_bytes: number;
  updated_at: Generated<Date>;
}

export interface LogBlocksTable {
  first_seq: number;
  last_seq: number;
  from_at: Date;
  to_at: Date;
  words: Buffer | null;
}

export interface LogBlockProgressTable {
  id: Generated<boolean>;
  upto: number;
}

export interface LogLevelsTable {
  scope: string;
  severity: number;
  updated_at: Generated<Date>;
}

export interface LogRetentionTable {
  scope: string;
  severity: number;
  keep_days: number;
}

export interface LogSettingsTable {
  id: Generated<boolean>;
  revision: number;
  max_bytes: number | null;
}

export interface LogImportsTable {
  day: string;
  kept_until: Date;
}

/** Every table of migrations/, as Kysely sees it; a test compares with the real columns. */
export interface Schema {
  installation_keys: InstallationKeysTable;
  integrations: IntegrationsTable;
  credentials: CredentialsTable;
  webhook_endpoints: WebhookEndpointsTable;
  connectors: ConnectorsTable;
  sync_schedules: SyncSchedulesTable;
  sync_runs: SyncRunsTable;
  sync_states: SyncStatesTable;
  records: RecordsTable;
  outgoing_attempts: OutgoingAttemptsTable;
  idempotency_keys: IdempotencyKeysTable;
  users: UsersTable;
  roles: RolesTable;
  grants: GrantsTable;
  break_glass: BreakGlassTable;
  access_version: AccessVersionTable;
  audit_pending: AuditPendingTable;
  audit_entries: AuditEntriesTable;
  audit_nodes: AuditNodesTable;
  audit_tree: AuditTreeTable;
  audit_checks: AuditChecksTable;
  audit_signing_keys: AuditSigningKeysTable;
  audit_checkpoints: AuditCheckpointsTable;
  local_accounts: LocalAccountsTable;
  second_factors: SecondFactorsTable;
  recovery_codes: RecoveryCodesTable;
  sessions: SessionsTable;
  one_time_tokens: OneTimeTokensTable;
  invitations: InvitationsTable;
  login_throttles: LoginThrottlesTable;
  api_keys: ApiKeysTable;
  stack_identities: StackIdentitiesTable;
  rate_limits: RateLimitsTable;
  rate_limit_clears: RateLimitClearsTable;
  rate_limit_revision: RateLimitRevisionTable;
  rate_limit_replicas: RateLimitReplicasTable;
  rate_limit_usage: RateLimitUsageTable;
  metric_minutes: MetricMinutesTable;
  metric_hours: MetricHoursTable;
  metric_days: MetricDaysTable;
  metric_rollups_due: MetricRollupsDueTable;
  rate_limit_learned: RateLimitLearnedTable;
  integration_tuning: IntegrationTuningTable;
  tuning_experiments: TuningExperimentsTable;
  reported_metrics: ReportedMetricsTable;
  performance_watch: PerformanceWatchTable;
  performance_anomalies: PerformanceAnomaliesTable;
  performance_summaries: PerformanceSummariesTable;
  system_minutes: SystemMinutesTable;
  integration_health: IntegrationHealthTable;
  dashboards: DashboardsTable;
  dashboard_versions: DashboardVersionsTable;
  alert_counters: AlertCountersTable;
  alert_rules: AlertRulesTable;
  alert_shards: AlertShardsTable;
  alert_replicas: AlertReplicasTable;
  alert_instances: AlertInstancesTable;
  alert_changes: AlertChangesTable;
  alert_rule_failures: AlertRuleFailuresTable;
  notification_channels: NotificationChannelsTable;
  notification_policies: NotificationPoliciesTable;
  silences: SilencesTable;
  maintenance_windows: MaintenanceWindowsTable;
  inhibition_rules: InhibitionRulesTable;
  notified_alerts: NotifiedAlertsTable;
  alert_acknowledgements: AlertAcknowledgementsTable;
  alert_groups: AlertGroupsTable;
  alert_group_members: AlertGroupMembersTable;
  alert_group_log: AlertGroupLogTable;
  notifications: NotificationsTable;
  notification_attempts: NotificationAttemptsTable;
  notification_intake: NotificationIntakeTable;
  logs: LogsTable;
  log_sequence: LogSequenceTable;
  log_journals: LogJournalsTable;
  log_blocks: LogBlocksTable;
  log_block_progress: LogBlockProgressTable;
  log_levels: LogLevelsTable;
  log_retention: LogRetentionTable;
  log_settings: LogSettingsTable;
  log_imports: LogImportsTable;
  schema_migrations: SchemaMigrationsTable;
}
