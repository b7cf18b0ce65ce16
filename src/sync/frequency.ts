import { hash } from 'node:crypto';
import { Cron } from 'croner';
import { LRUCache } from 'lru-cache';
import { errorMessage, type InputProblem, InvalidInputError } from '../core/errors.ts';
import { suggestion } from '../core/input.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const MIN_INTERVAL_MS = 10 * SECOND_MS;
const MAX_INTERVAL_MS = 366 * DAY_MS;

/** `realtime` is polling every 30 seconds until a connector's webhooks trigger syncs. */
const NAMED_INTERVALS_MS: ReadonlyMap<string, number> = new Map([
  ['realtime', 30 * SECOND_MS],
  ['minutely', MINUTE_MS],
  ['hourly', HOUR_MS],
  ['daily', DAY_MS],
  ['weekly', 7 * DAY_MS],
]);
const UNITS_MS: Readonly<Record<string, number>> = {
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};
const TAKES =
  'realtime, minutely, hourly, daily, weekly, manual, an interval such as "15m", or a cron expression of five fields such as "0 6 * * 1-5"';

/** When an integration syncs by itself. */
export type Frequency =
  | { readonly kind: 'manual' }
  | { readonly kind: 'interval'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly cron: Cron };

const parsed = new LRUCache<string, Frequency>({ max: 1_000 });

/**
 * Reads `configuration.syncFrequency`. `timezone` (an IANA name) is where cron expressions are read.
 *
 * @throws InvalidInputError with the pointers `/syncFrequency` and `/timezone`.
 */
export function parseFrequency(text: string, timezone = 'UTC'): Frequency {
  const key = `${timezone}\n${text}`;
  let frequency = parsed.get(key);
  if (frequency === undefined) {
    frequency = parse(text, timezone);
    parsed.set(key, frequency);
  }
  return frequency;
}

/**
 * The first time after `afterMs` that a sync is due, in epoch milliseconds; null when there is none.
 *
 * Intervals lie on a grid whose phase comes from the integration's id: 100,000 hourly integrations are spread
 * over the hour, and each keeps its own minute whenever it is asked. Cron fires at exactly the written times; a
 * time that the clocks skip in spring fires at the first moment after the gap, one that comes twice in autumn
 * fires once (every one of `*` and steps fires, because those mean elapsed time).
 */
export function nextDue(frequency: Frequency, integrationId: string, afterMs: number): number | null {
  switch (frequency.kind) {
    case 'manual':
      return null;
    case 'interval': {
      const { everyMs } = frequency;
      const phaseMs = hash('sha256', integrationId, 'buffer').readUIntBE(0, 6) % everyMs;
      return Math.floor((afterMs - phaseMs) / everyMs) * everyMs + everyMs + phaseMs;
    }
    case 'cron':
      return frequency.cron.nextRun(new Date(afterMs))?.getTime() ?? null;
  }
}

function parse(text: string, timezone: string): Frequency {
  const problems: InputProblem[] = [];
  if (!isTimezone(timezone))
    problems.push({
      pointer: '/timezone',
      detail: `${quote(timezone)} is not a timezone. Take an IANA name such as "Europe/Berlin", or "UTC".`,
    });
  const frequency = parseText(text.trim(), problems.length > 0 ? 'UTC' : timezone);
  if ('detail' in frequency) problems.push({ pointer: '/syncFrequency', detail: frequency.detail });
  if (problems.length > 0) throw new InvalidInputError(problems.map((problem) => problem.detail).join(' '), problems);
  return frequency as Frequency;
}

function parseText(text: string, timezone: string): Frequency | { detail: string } {
  const word = text.toLowerCase();
  if (word === 'manual') return { kind: 'manual' };
  const named = NAMED_INTERVALS_MS.get(word);
  if (named !== undefined) return { kind: 'interval', everyMs: named };
  const interval = /^(\d{1,9})\s*([smhdw])$/.exec(word);
  if (interval) return parseInterval(text, Number(interval[1]) * UNITS_MS[interval[2]!]!);
  if (/\s/.test(text)) return parseCron(text, timezone);
  const near = suggestion(text, ['manual', ...NAMED_INTERVALS_MS.keys()]);
  return { detail: `${quote(text)} is not a frequency.${near} It takes ${TAKES}.` };
}

function parseInterval(text: string, everyMs: number): Frequency | { detail: string } {
  if (everyMs < MIN_INTERVAL_MS) return { detail: `${quote(text)} is too short: the shortest interval is "10s".` };
  if (everyMs > MAX_INTERVAL_MS) return { detail: `${quote(text)} is too long: the longest interval is "366d".` };
  return { kind: 'interval', everyMs };
}

function parseCron(text: string, timezone: string): Frequency | { detail: string } {
  const fields = text.split(/\s+/).length;
  if (fields !== 5)
    return {
      detail: `${quote(text)} has ${fields} fields; a cron expression has five: minute, hour, day of month, month, day of week.`,
    };
  // To the parser "?" is the moment of parsing; elsewhere it means "any". Neither reading is safe.
  if (text.includes('?')) return { detail: `${quote(text)} is not a cron expression: write "*" in place of "?".` };
  try {
    const cron = new Cron(text, { timezone, paused: true, mode: '5-part', fixedTimeRule: 'no-wildcard' });
    if (cron.nextRun() !== null) return { kind: 'cron', cron };
    return { detail: `The cron expression ${quote(text)} never comes: no date fits it.` };
  } catch (error) {
    const reason = errorMessage(error).replace(/^CronPattern: /, '');
    return { detail: `${quote(text)} is not a cron expression: ${reason.replace(/\.$/, '')}.` };
  }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const quote = (text: string) => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
