import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';

const WINDOW_MS = 60_000;
const MAX_KEYS = 20_000;

interface Window {
  count: number;
  readonly untilMs: number;
}

/** How far a key has used its limit up. */
export interface LimitState {
  readonly allowed: boolean;
  readonly limit: number;
  /** Requests left in this window. */
  readonly remaining: number;
  /** Seconds until a new window begins, at least 1. */
  readonly resetSeconds: number;
}

/**
 * Counts requests by key in windows of a minute that begin with a key's first request. Kept in this process and
 * bounded: the keys that asked longest ago are forgotten first. Around the turn of a window a key may make twice its
 * number; the limit keeps a flood cheap, it meters nothing.
 */
export class RequestLimit {
  readonly #clock: Clock;
  readonly #windows: LRUCache<string, Window>;

  constructor(clock: Clock, maxKeys: number = MAX_KEYS) {
    this.#clock = clock;
    this.#windows = new LRUCache({ max: maxKeys });
  }

  /** Counts a request of the key, also one that is too many. */
  take(key: string, limit: number): LimitState {
    const nowMs = this.#clock.monotonicMs();
    let window = this.#windows.get(key);
    if (window === undefined || window.untilMs <= nowMs) {
      window = { count: 0, untilMs: nowMs + WINDOW_MS };
      this.#windows.set(key, window);
    }
    window.count++;
    return {
      allowed: window.count <= limit,
      limit,
      remaining: Math.max(0, limit - window.count),
      resetSeconds: Math.max(1, Math.ceil((window.untilMs - nowMs) / 1000)),
    };
  }
}

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-10: what the policies are, and what is left of them.
 * @param states by the name of their policy
 */
export function rateLimitHeaders(states: Readonly<Record<string, LimitState>>): Record<string, string> {
  const entries = Object.entries(states);
  return {
    'ratelimit-policy': entries.map(([name, { limit }]) => `"${name}";q=${limit};w=${WINDOW_MS / 1000}`).join(', '),
    ratelimit: entries
      .map(([name, { remaining, resetSeconds }]) => `"${name}";r=${remaining};t=${resetSeconds}`)
      .join(', '),
  };
}
