import type { Generated } from 'kysely';
import type { Json } from './json.ts';

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

interface LogSequenceTable {
  id: Generated<boolean>;
  next: number;
}

interface LogJournalsTable {
  id: string;
  loaded_bytes: number;
  updated_at: Generated<Date>;
}

interface LogBlocksTable {
  first_seq: number;
  last_seq: number;
  from_at: Date;
  to_at: Date;
  words: Buffer | null;
}

interface LogBlockProgressTable {
  id: Generated<boolean>;
  upto: number;
}

interface LogLevelsTable {
  scope: string;
  severity: number;
  updated_at: Generated<Date>;
}

interface LogRetentionTable {
  scope: string;
  severity: number;
  keep_days: number;
}

interface LogSettingsTable {
  id: Generated<boolean>;
  revision: number;
  max_bytes: number | null;
}

interface LogImportsTable {
  day: string;
  kept_until: Date;
}

export interface LogTables {
  logs: LogsTable;
  log_sequence: LogSequenceTable;
  log_journals: LogJournalsTable;
  log_blocks: LogBlocksTable;
  log_block_progress: LogBlockProgressTable;
  log_levels: LogLevelsTable;
  log_retention: LogRetentionTable;
  log_settings: LogSettingsTable;
  log_imports: LogImportsTable;
}
