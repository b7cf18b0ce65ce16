import type { ObservedRateLimit, OutgoingResponse } from '../outgoing/types.ts';
import type { RateLimitHeaders } from './format/errors.ts';
import type { Connector } from './format.ts';

type Headers = OutgoingResponse['headers'];

/** A reset further away than this is a misread header, not a budget. */
const MAX_RESET_MS = 31 * 24 * 3_600_000;

/**
 * The tightest budget that an answer tells of, or undefined.
 * @param nowMs our clock; absolute times are taken relative to the answer's own `Date`, so a skewed clock does no harm
 */
export function readRateLimit(connector: Connector, headers: Headers, nowMs: number): ObservedRateLimit | undefined {
  const { headers: sets } = connector.rateLimit;
  const found = sets === 'standard' ? [readStandard(headers, nowMs)] : sets.map((set) => readSet(set, headers, nowMs));
  return found
    .filter((one) => one !== undefined)
    .filter(({ resetAtMs }) => resetAtMs - nowMs <= MAX_RESET_MS)
    .sort(tightestFirst)[0];
}

/** Milliseconds that `Retry-After` asks to wait (RFC 9110 §10.2.3: seconds or a date), or undefined. */
export function readRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const text = headers['retry-after']?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - serverNowMs(headers, nowMs));
}

function tightestFirst(a: ObservedRateLimit, b: ObservedRateLimit): number {
  const emptyFirst = Number(a.remaining > 0) - Number(b.remaining > 0);
  if (emptyFirst !== 0) return emptyFirst;
  if (a.remaining === 0) return b.resetAtMs - a.resetAtMs;
  const share = ({ remaining, limit }: ObservedRateLimit): number =>
    limit === undefined ? remaining : remaining / limit;
  return share(a) - share(b);
}

function readSet(set: RateLimitHeaders, headers: Headers, nowMs: number): ObservedRateLimit | undefined {
  if (set.usedOfLimit !== undefined) return readUsedOfLimit(set, headers, nowMs);
  const remaining = count(header(headers, set.remaining));
  const resetAtMs = readReset(header(headers, set.reset?.header), set.reset?.unit, headers, nowMs);
  if (remaining === undefined || resetAtMs === undefined) return undefined;
  return { limit: count(header(headers, set.limit)), remaining, resetAtMs };
}

function readUsedOfLimit(set: RateLimitHeaders, headers: Headers, nowMs: number): ObservedRateLimit | undefined {
  const match = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(header(headers, set.usedOfLimit) ?? '');
  if (match === null) return undefined;
  const [used, limit] = [Number(match[1]), Number(match[2])];
  const refillMs = (used / (set.restorePerSecond ?? 1)) * 1000;
  return { limit, remaining: Math.max(0, limit - used), resetAtMs: nowMs + Math.ceil(refillMs) };
}

type ResetUnit = NonNullable<RateLimitHeaders['reset']>['unit'];

function readReset(
  text: string | undefined,
  unit: ResetUnit | undefined,
  headers: Headers,
  nowMs: number,
): number | undefined {
  if (text === undefined || unit === undefined) return undefined;
  const fromServer = (epochMs: number): number => nowMs + Math.max(0, epochMs - serverNowMs(headers, nowMs));
  if (unit === 'http_date' || unit === 'rfc3339') {
    const at = Date.parse(text);
    return Number.isNaN(at) ? undefined : fromServer(at);
  }
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  if (number === undefined) return undefined;
  switch (unit) {
    case 'epoch_seconds':
      return fromServer(number * 1000);
    case 'epoch_ms':
      return fromServer(number);
    case 'delta_seconds':
      return nowMs + number * 1000;
    case 'delta_milliseconds':
      return nowMs + number;
  }
}

/**
 * The IETF headers (draft-ietf-httpapi-ratelimit-headers-10: `RateLimit: "default";r=50;t=30`), their older form
 * `RateLimit-Remaining`/`-Reset` (delta seconds), and `X-RateLimit-*`, whose reset has no agreed unit.
 */
function readStandard(headers: Headers, nowMs: number): ObservedRateLimit | undefined {
  const items = (headers.ratelimit ?? '').split(',').flatMap((item) => {
    const remaining = count(/;\s*r=(\d+)/.exec(item)?.[1]);
    const seconds = count(/;\s*t=(\d+)/.exec(item)?.[1]);
    if (remaining === undefined || seconds === undefined) return [];
    return [
      {
        limit: count(/;\s*q=(\d+)/.exec(headers['ratelimit-policy'] ?? '')?.[1]),
        remaining,
        resetAtMs: nowMs + seconds * 1000,
      },
    ];
  });
  if (items.length > 0) return items.sort(tightestFirst)[0];
  for (const prefix of ['ratelimit', 'x-ratelimit', 'x-rate-limit']) {
    const reset = header(headers, `${prefix}-reset`);
    const set = {
      limit: `${prefix}-limit`,
      remaining: `${prefix}-remaining`,
      reset: { header: `${prefix}-reset`, unit: guessUnit(reset) },
    };
    const found = readSet(set, headers, nowMs);
    if (found !== undefined) return found;
  }
  return undefined;
}

function guessUnit(text: string | undefined): ResetUnit {
  const number = Number(text);
  if (Number.isNaN(number)) return 'rfc3339';
  if (number > 1e11) return 'epoch_ms';
  return number > 1e8 ? 'epoch_seconds' : 'delta_seconds';
}

/** The first number of a header: `100, 100;w=60` has been sent by some. */
function count(text: string | undefined): number | undefined {
  const match = /^\s*(\d+)/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]);
}

function header(headers: Headers, name: string | undefined): string | undefined {
  return name === undefined ? undefined : headers[name.toLowerCase()]?.trim();
}

function serverNowMs(headers: Headers, nowMs: number): number {
  const date = Date.parse(headers.date ?? '');
  return Number.isNaN(date) ? nowMs : date;
}
