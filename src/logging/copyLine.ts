import type { LogRecord } from './record.ts';

/** The columns of a line, in order, after `seq`. */
export const LINE_COLUMNS =
  'observed_at, at, integration_id, severity, message, event_name, operation_id, request_id, trace_id, span_id, attributes';

/**
 * A record as a line of PostgreSQL's COPY in text format, without its number and with the line end. Journals hold such
 * lines, so that loading one is little more than copying bytes.
 */
export function copyLine(record: LogRecord): string {
  const { observedAt, at, integrationId, severity, message } = record;
  const { eventName, operationId, requestId, traceId, spanId } = record;
  return `${observedAt}\t${at}\t${escaped(integrationId)}\t${severity}\t${escaped(message)}\t${field(eventName)}\t${field(operationId)}\t${field(requestId)}\t${field(traceId)}\t${field(spanId)}\t${escaped(JSON.stringify(record.attributes))}\n`;
}

function field(text: string | null): string {
  return text === null ? '\\N' : escaped(text);
}

/** Records hold no control characters but as JSON escapes, so that backslashes are all there is to escape. */
function escaped(text: string): string {
  return text.includes('\\') ? text.replaceAll('\\', '\\\\') : text;
}
