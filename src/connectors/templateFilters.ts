import type { JsonValue } from '../core/json.ts';
import { durationMs, durationSchema } from './format/parts.ts';

/** A filter of the template language: `{{ value | name('argument') }}`. */
export interface TemplateFilter {
  /** Fewest and most arguments. */
  readonly arity: readonly [number, number];
  /** Checks the arguments when the connector is loaded; gives what is wrong, or null. */
  readonly check?: (args: readonly JsonValue[]) => string | null;
  /** `undefined` comes only to `default`; every other filter is skipped for it. */
  readonly apply: (value: JsonValue, args: readonly JsonValue[]) => JsonValue | undefined;
}

/** Longest text that a filter takes or a template makes: parameters, headers and paths are far shorter. */
export const MAX_TEMPLATE_CHARS = 64 * 1024;

const DATE_FORMATS = ['rfc3339', 'rfc3339_ms', 'date', 'epoch_seconds', 'epoch_ms'] as const;

const textFilter = (
  change: (text: string, args: readonly JsonValue[]) => string,
  arity: [number, number] = [0, 0],
) => ({
  arity,
  apply: (value: JsonValue, args: readonly JsonValue[]) => change(boundedText(value), args),
});

const shift = (sign: 1 | -1): TemplateFilter => ({
  arity: [1, 1],
  check: ([duration]) =>
    durationSchema.safeParse(duration).success ? null : 'takes a length of time such as "30s", "15m" or "7d"',
  apply: (value, [duration]) => formatDate(toDate(value).getTime() + sign * durationMs(String(duration)), 'rfc3339_ms'),
});

export const TEMPLATE_FILTERS: Readonly<Record<string, TemplateFilter>> = {
  /** Several arguments are put together: `default('https://', config.shop, '.example.com')`. */
  default: {
    arity: [1, 9],
    apply: (value, fallback) => {
      if (value !== '') return value;
      return fallback.length === 1 ? fallback[0] : joined(fallback.map(scalarText), '');
    },
  },
  urlencode: textFilter((text) => encodeURIComponent(text)),
  /** Percent-encodes but keeps slashes, for ids such as `owner/name` in a path. */
  path: textFilter((text) => text.split('/').map(encodeURIComponent).join('/')),
  base64: textFilter((text) => Buffer.from(text, 'utf8').toString('base64')),
  trim: textFilter((text) => text.trim()),
  lower: textFilter((text) => text.toLowerCase()),
  upper: textFilter((text) => text.toUpperCase()),
  replace: {
    ...textFilter(
      (text, [from, to]) => {
        // Between any two characters there is an empty text.
        if (from === '') throw new TypeError('is to be searched for an empty text');
        return joined(text.split(String(from)), String(to));
      },
      [2, 2],
    ),
    check: ([from]) => (from === '' ? 'takes a text to search for that is not empty' : null),
  },
  string: textFilter((text) => text),
  number: {
    arity: [0, 0],
    apply: (value) => {
      const number = Number(scalarText(value));
      if (scalarText(value).trim() === '' || !Number.isFinite(number)) throw new TypeError('is not a number');
      return number;
    },
  },
  json: {
    arity: [0, 0],
    apply: (value) => {
      try {
        return JSON.stringify(value);
      } catch {
        throw new TypeError('is nested too deeply');
      }
    },
  },
  join: {
    arity: [0, 1],
    apply: (value, [separator = ',']) => {
      if (!Array.isArray(value)) throw new TypeError('is not a list');
      return joined(value.map(scalarText), String(separator));
    },
  },
  to_epoch: { arity: [0, 0], apply: (value) => Math.floor(toDate(value).getTime() / 1000) },
  to_epoch_ms: { arity: [0, 0], apply: (value) => toDate(value).getTime() },
  date: {
    arity: [1, 1],
    check: ([format]) =>
      DATE_FORMATS.some((one) => one === format)
        ? null
        : `takes one of ${DATE_FORMATS.map((one) => `'${one}'`).join(', ')}`,
    apply: (value, [format]) => formatDate(toDate(value).getTime(), String(format)),
  },
  plus: shift(1),
  minus: shift(-1),
};

/** Text of a text, number or boolean. */
export function scalarText(value: JsonValue): string {
  if (value === null || typeof value === 'object') throw new TypeError('is not a text, a number or true/false');
  return String(value);
}

/** Refuses what is too long before it is worked on. */
function boundedText(value: JsonValue): string {
  const text = scalarText(value);
  if (text.length > MAX_TEMPLATE_CHARS) throw new TypeError(`has more than ${MAX_TEMPLATE_CHARS} characters`);
  return text;
}

/** Refuses what would become too long before it is built. */
function joined(parts: readonly string[], separator: string): string {
  const chars = parts.reduce((sum, part) => sum + part.length, separator.length * Math.max(0, parts.length - 1));
  if (chars > MAX_TEMPLATE_CHARS) throw new TypeError(`would become longer than ${MAX_TEMPLATE_CHARS} characters`);
  return parts.join(separator);
}

/** A date text, or a number (or digits) of epoch seconds, or of milliseconds when it is above 10^11. */
function toDate(value: JsonValue): Date {
  const text = scalarText(value);
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  const date = Number.isNaN(number) ? new Date(text) : new Date(number < 1e11 ? number * 1000 : number);
  if (Number.isNaN(date.getTime())) throw new TypeError('is not a date');
  return date;
}

function formatDate(epochMs: number, format: string): JsonValue {
  if (Number.isNaN(new Date(epochMs).getTime())) throw new TypeError('goes beyond the dates that there are');
  const iso = new Date(epochMs).toISOString();
  switch (format) {
    case 'rfc3339':
      return `${iso.slice(0, 19)}Z`;
    case 'date':
      return iso.slice(0, 10);
    case 'epoch_seconds':
      return Math.floor(epochMs / 1000);
    case 'epoch_ms':
      return epochMs;
    default:
      return iso;
  }
}
