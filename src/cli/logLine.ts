import type { IntegrationLog, LogLevel } from '../logging/types.ts';
import { style } from './output.ts';
import { clean } from './prettyLog.ts';

type Style = Parameters<typeof style>[0];

const STYLES: Readonly<Record<LogLevel, Style>> = {
  debug: 'gray',
  verbose: 'gray',
  info: 'cyan',
  warn: 'yellow',
  error: 'red',
  critical: ['bold', 'red'],
};
const LEVEL_WIDTH = 8;

/**
 * A record as a line for a person: time on this machine's clock, level, integration, message, what belongs to it.
 * @param name what people call the integration
 */
export function logLine(log: IntegrationLog, name: string = log.integrationId, now: Date = new Date()): string {
  const { level, message, eventName, operationId, requestId, traceId, attributes } = log;
  const columns = { event: eventName, operation: operationId, request: requestId, trace: traceId };
  const own = Object.entries(attributes)
    // A run is an operation, and would be named twice.
    .filter(([, value]) => value !== operationId)
    // Named as the search names them where an attribute has the name of a column.
    .map(([field, value]) => [field in columns ? `attributes.${field}` : field, value] as const);
  const rest = [...Object.entries(columns), ...own]
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([field, value]) => `${style('gray', `${clean(field)}=`)}${clean(text(value))}`);
  return [
    style('gray', localTime(new Date(log.timestamp), now)),
    style(STYLES[level], level.padEnd(LEVEL_WIDTH)),
    style('dim', clean(name)),
    clean(message),
    ...rest,
  ].join(' ');
}

/** With the day where it is another one. */
function localTime(time: Date, now: Date): string {
  const pad = (number: number, width = 2) => String(number).padStart(width, '0');
  const day = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())} `;
  const clock = `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${pad(time.getMilliseconds(), 3)}`;
  return time.toDateString() === now.toDateString() ? clock : day + clock;
}

function text(value: unknown): string {
  return typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}
