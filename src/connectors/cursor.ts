import type { JsonValue } from '../core/json.ts';
import { durationMs } from './format/parts.ts';
import type { Incremental } from './format/stream.ts';

type Comparable = number | bigint | string;

/** The usual form of a time. Texts of it that are equally long sort as the times do, which spares parsing them. */
const UTC_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;

/** A cursor value as it is kept in states: text. Undefined when a record's value cannot be one. */
export function cursorText(format: Incremental['format'], value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  if (format === 'rfc3339' && UTC_TIME.test(text)) return text;
  return comparable(format, text) === undefined ? undefined : text;
}

/** The later of two cursors; undefined counts as the earliest. */
export function laterCursor(
  format: Incremental['format'],
  a: string | undefined,
  b: string | undefined,
): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isBefore(format, a, b) ? b : a;
}

/** The cursor, or the ceiling when that is earlier. Without a cursor there is nothing to hold back. */
export function notAfter(
  format: Incremental['format'],
  cursor: string | undefined,
  ceiling: string | undefined,
): string | undefined {
  return cursor !== undefined && ceiling !== undefined && isBefore(format, ceiling, cursor) ? ceiling : cursor;
}

/** The cursor of a record that changed at this time, or undefined when cursors are no times. */
export function timeCursor(format: Incremental['format'], epochMs: number): string | undefined {
  switch (format) {
    case 'rfc3339':
      return new Date(epochMs).toISOString();
    case 'epoch_seconds':
      return String(Math.floor(epochMs / 1000));
    case 'epoch_ms':
      return String(epochMs);
    default:
      return undefined;
  }
}

export function isBefore(format: Incremental['format'], a: string, b: string): boolean {
  if (format === 'rfc3339' && a.length === b.length && UTC_TIME.test(a) && UTC_TIME.test(b)) return a < b;
  const [left, right] = [comparable(format, a), comparable(format, b)];
  return left !== undefined && right !== undefined && left < right;
}

/**
 * What `{{ state.cursor }}` is for a stored cursor: less the lookback and one step of the granularity. Records
 * that share the last timestamp, and those that appeared late, are so read again instead of lost; a record that
 * is read twice is stored once.
 */
export function requestCursor(incremental: Incremental, cursor: string): JsonValue {
  const { format, lookback, granularity } = incremental;
  const backMs = durationMs(lookback) + durationMs(granularity);
  switch (format) {
    case 'rfc3339':
      return rfc3339(parseTime(cursor) - backMs, incremental);
    case 'epoch_seconds':
      return Math.floor(Number(cursor) - backMs / 1000);
    case 'epoch_ms':
      return Math.floor(Number(cursor) - backMs);
    case 'integer':
      return String(BigInt(cursor) - 1n);
    case 'string':
      return cursor;
  }
}

/** The first run's cursor for a start date (ISO 8601), or undefined when the stream is not ordered by time. */
export function startCursor(incremental: Incremental, startDate: string): JsonValue | undefined {
  const startMs = parseTime(startDate);
  switch (incremental.format) {
    case 'rfc3339':
      return rfc3339(startMs, incremental);
    case 'epoch_seconds':
      return Math.floor(startMs / 1000);
    case 'epoch_ms':
      return startMs;
    default:
      return undefined;
  }
}

function rfc3339(epochMs: number, { granularity }: Incremental): string {
  const iso = new Date(epochMs).toISOString();
  return durationMs(granularity) < 1000 ? iso : `${iso.slice(0, 19)}Z`;
}

function comparable(format: Incremental['format'], text: string): Comparable | undefined {
  switch (format) {
    case 'rfc3339': {
      const time = parseTime(text);
      return Number.isNaN(time) ? undefined : time;
    }
    case 'integer':
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined;
    case 'string':
      return text;
    default: {
      const number = Number(text);
      return text.trim() === '' || !Number.isFinite(number) ? undefined : number;
    }
  }
}

/** A time without an offset is taken as UTC, never as this machine's own. */
function parseTime(text: string): number {
  const hasTime = /\d[T ]\d/.test(text);
  const hasOffset = /(z|[+-]\d\d:?\d\d)$/i.test(text);
  return Date.parse(hasTime && !hasOffset ? `${text.replace(' ', 'T')}Z` : text);
}
