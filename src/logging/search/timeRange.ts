import { invalidInput } from '../../core/input.ts';
import type { LogOptions } from '../types.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DAY_MS = 86_400_000;
/** Read where nobody says how far back. */
const DEFAULT_RANGE_MS = DAY_MS;
const MAX_RANGE_MS = 400 * DAY_MS;
/** Clocks of replicas may be ahead by less. */
const AHEAD_MS = 60_000;
/** What PostgreSQL and JavaScript both can tell. */
const EARLIEST_MS = Date.UTC(1970, 0, 1);
const LATEST_MS = Date.UTC(9999, 11, 31);

/** From `fromMs` on and before `toMs`, by the time a record was observed. */
export interface TimeBounds {
  readonly fromMs: number;
  readonly toMs: number;
}

/** `15m`, `24h`, `7d` in milliseconds; null for another text. */
export function durationOf(text: string): number | null {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  return unit === undefined ? null : Number(count) * UNIT_MS[unit]!;
}

/** ISO 8601 (a date alone is its start in UTC), or `now`, or a time back such as `now-15m`; null for another text. */
export function timeOf(text: string, nowMs: number): number | null {
  if (text === 'now') return nowMs;
  if (text.startsWith('now-')) {
    const backMs = durationOf(text.slice(4));
    return backMs === null ? null : Math.max(EARLIEST_MS, nowMs - backMs);
  }
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? [];
  // JavaScript takes the 30th of February for the 2nd of March.
  if (new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() !== Number(day)) return null;
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms < EARLIEST_MS || ms > LATEST_MS ? null : ms;
}

/** The last 24 hours where nothing is said. @throws InvalidInputError */
export function timeBounds(range: LogOptions['timeRange'], nowMs: number): TimeBounds {
  const bounds = read(range, nowMs);
  if (bounds.fromMs >= bounds.toMs) throw rangeError('begins after its end.');
  if (bounds.toMs - bounds.fromMs > MAX_RANGE_MS) throw rangeError(`takes at most ${MAX_RANGE_MS / DAY_MS} days.`);
  return bounds;
}

function read(range: LogOptions['timeRange'], nowMs: number): TimeBounds {
  const endMs = nowMs + AHEAD_MS;
  if (range === undefined) return { fromMs: nowMs - DEFAULT_RANGE_MS, toMs: endMs };
  if (typeof range === 'string') {
    const backMs = durationOf(range);
    if (backMs === null || backMs === 0)
      throw rangeError('takes a time back such as "15m", "24h" or "7d", or {from, to}.');
    return { fromMs: nowMs - backMs, toMs: endMs };
  }
  const toMs = edge(range.to, nowMs) ?? endMs;
  return { fromMs: edge(range.from, nowMs) ?? Math.min(toMs, nowMs) - DEFAULT_RANGE_MS, toMs };
}

function edge(value: string | Date | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  const ms = value instanceof Date ? value.getTime() : timeOf(value, nowMs);
  if (ms === null || Number.isNaN(ms)) throw rangeError('takes times in ISO 8601, such as 2026-01-31T12:00:00Z.');
  return ms;
}

function rangeError(problem: string) {
  return invalidInput('The question', [{ pointer: '/timeRange', detail: problem }]);
}
