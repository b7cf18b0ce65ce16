import { LIMITS } from '../core/limits.ts';
import { DEFAULT_RETRY } from './retryPolicy.ts';
import type { Deadlines, OutgoingCall, RetryPolicy } from './types.ts';

export const DEFAULT_DEADLINES: Deadlines = { connectMs: 10_000, headersMs: 30_000, bodyMs: 30_000, totalMs: 120_000 };
/** Longer than the window of the default rate budget, so that a sync at its limit waits instead of failing. */
const DEFAULT_MAX_WAIT_MS = 120_000;
/** Nothing goes on for ever, whatever a call asks for; and timers overflow at 2^31 ms. */
const MAX_DEADLINE_MS = 3_600_000;

/** What a call leaves open, filled in. */
export interface CallSettings {
  readonly retry: RetryPolicy;
  readonly deadlines: Deadlines;
  readonly maxWaitMs: number;
  readonly maxResponseBytes: number;
  readonly idempotent: boolean;
}

export function settingsOf(call: OutgoingCall): CallSettings {
  return {
    retry: fill(DEFAULT_RETRY, call.retry),
    deadlines: limit(fill(DEFAULT_DEADLINES, call.deadlines)),
    maxWaitMs: call.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
    maxResponseBytes: call.maxResponseBytes ?? LIMITS.responseBodyBytes,
    idempotent: call.idempotent ?? ['GET', 'HEAD'].includes(call.method.toUpperCase()),
  };
}

function limit({ connectMs, headersMs, bodyMs, totalMs }: Deadlines): Deadlines {
  const within = (ms: number) => Math.min(ms, MAX_DEADLINE_MS);
  return {
    connectMs: within(connectMs),
    headersMs: within(headersMs),
    bodyMs: within(bodyMs),
    totalMs: within(totalMs),
  };
}

/** Properties that are there but undefined do not count as set. */
function fill<T extends object>(defaults: T, given: Partial<T> | undefined): T {
  const set = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(set) };
}
