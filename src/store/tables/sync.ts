import type { Generated } from 'kysely';
import type { GeneratedJson, Json, NullableJson } from './json.ts';

interface SyncSchedulesTable {
  integration_id: string;
  frequency: string;
  timezone: Generated<string>;
  next_due_at: Date;
  updated_at: Generated<Date>;
}

interface SyncRunsTable {
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

interface SyncStatesTable {
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

interface RecordsTable {
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

export interface SyncTables {
  sync_schedules: SyncSchedulesTable;
  sync_runs: SyncRunsTable;
  sync_states: SyncStatesTable;
  records: RecordsTable;
}
