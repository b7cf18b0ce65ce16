import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { LogsTable } from '../../store/tables/logs.ts';

export type LogRow = Selectable<LogsTable>;

export const LOG_COLUMNS: RawBuilder<LogRow> = sql`seq, observed_at, at, integration_id, severity, message, event_name,
  operation_id, request_id, trace_id, span_id, attributes`;
