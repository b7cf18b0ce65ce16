import type { Selectable } from 'kysely';
import type { JsonObject } from '../core/json.ts';
import type { LogsTable } from '../store/tables/logs.ts';
import { type IntegrationLog, levelOf, type SeverityNumber } from './types.ts';

/** A row of `logs` as it is shown. */
export function toIntegrationLog(row: Selectable<LogsTable>): IntegrationLog {
  return {
    seq: row.seq,
    timestamp: row.at.toISOString(),
    observedTimestamp: row.observed_at.toISOString(),
    integrationId: row.integration_id,
    level: levelOf(row.severity),
    severityNumber: row.severity as SeverityNumber,
    message: row.message,
    eventName: row.event_name,
    operationId: row.operation_id,
    requestId: row.request_id,
    traceId: row.trace_id,
    spanId: row.span_id,
    attributes: row.attributes as JsonObject,
  };
}
