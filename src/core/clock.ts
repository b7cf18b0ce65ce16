import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Where time comes from; tests pass their own. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Never goes back; for durations, in milliseconds. */
  monotonicMs(): number;
  /**
   * Resolves after `ms`; rejects with the signal's reason when aborted. `keepAlive: false`: the process may end
   * meanwhile when nothing else is left to do. Default true.
   */
  sleep(ms: number, signal?: AbortSignal, options?: { readonly keepAlive?: boolean }): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal, { keepAlive = true } = {}) => delay(ms, undefined, { signal, ref: keepAlive }),
};
