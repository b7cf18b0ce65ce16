import { type RawBuilder, sql } from 'kysely';
import type { JsonObject } from '../../core/json.ts';
import { type IntegrationLog, levelOf, type SeverityNumber } from '../types.ts';

export interface LogRow {
  readonly seq: number;
  readonly observed_at: Date;
  readonly at: Date;
  readonly integration_id: string;
  readonly severity: SeverityNumber;
  readonly message: string;
  readonly event_name: string | null;
  readonly operation_id: string | null;
  readonly request_id: string | null;
  readonly trace_id: string | null;
  readonly span_id: string | null;
  readonly attributes: JsonObject;
}

export const LOG_COLUMNS: RawBuilder<LogRow> = sql`seq, observed_at, at, integration_id, severity, message, event_name,
  operation_id, request_id, trace_id, span_id, attributes`;

export function toLog(row: LogRow): IntegrationLog {
  return {
    seq: row.seq,
    timestamp: row.at.toISOString(),
    observedTimestamp: row.observed_at.toISOString(),
    integrationId: row.integration_id,
    level: levelOf(row.severity),
    severityNumber: row.severity,
    message: row.message,
    eventName: row.event_name,
    operationId: row.operation_id,
    requestId: row.request_id,
    traceId: row.trace_id,
    spanId: row.span_id,
    attributes: row.attributes,
  };
}
