import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';
import { networkOf } from '../../core/network.ts';
import { TooManyFailedAttemptsError } from '../errors.ts';

const MAX_FAILURES = 30;
const WINDOW_MS = 60_000;
const MAX_NETWORKS = 10_000;

interface Failures {
  count: number;
  readonly untilMs: number;
}

/**
 * Counts failed authentications by network, 30 a minute; further ones get 429. A right credential is never locked
 * out: an address is shared by everybody behind a proxy, and keys are random and long, so the limit is there to keep
 * floods cheap and visible, not to stop guessing.
 */
export class FailedAttempts {
  readonly #clock: Clock;
  readonly #failures = new LRUCache<string, Failures>({ max: MAX_NETWORKS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws TooManyFailedAttemptsError instead of returning, when there were too many before */
  count(address: string): void {
    const nowMs = this.#clock.monotonicMs();
    const from = networkOf(address);
    let failures = this.#failures.get(from);
    if (failures === undefined || failures.untilMs <= nowMs) {
      failures = { count: 0, untilMs: nowMs + WINDOW_MS };
      this.#failures.set(from, failures);
    }
    if (++failures.count > MAX_FAILURES)
      throw new TooManyFailedAttemptsError(Math.ceil((failures.untilMs - nowMs) / 1000));
  }
}
