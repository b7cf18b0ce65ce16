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

export interface LogsTable {
  seq: number;
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
  logs: LogsTable;
  log_sequence: LogSequenceTable;
  log_journals: LogJournalsTable;
  log_levels: LogLevelsTable;
  log_retention: LogRetentionTable;
  log_settings: LogSettingsTable;
  log_imports: LogImportsTable;
  schema_migrations: SchemaMigrationsTable;
}
