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
  const fields = { event: eventName, operation: operationId, request: requestId, trace: traceId, ...attributes };
  const rest = Object.entries(fields)
    .filter(([field, value]) => value !== null && value !== undefined && !isRepeated(log, field, value))
    .map(([name, value]) => `${style('gray', `${clean(name)}=`)}${clean(text(value))}`);
  return [
    style('gray', localTime(new Date(log.timestamp), now)),
    style(STYLES[level], level.padEnd(LEVEL_WIDTH)),
    style('dim', clean(name)),
    clean(message),
    ...rest,
  ].join(' ');
}

/** A run is an operation, and so named twice. */
function isRepeated({ operationId, attributes }: IntegrationLog, field: string, value: unknown): boolean {
  return value === operationId && field in attributes;
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
