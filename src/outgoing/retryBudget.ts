import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';

/** Retries an integration may have saved up; also what it starts with. */
const CAPACITY = 10;
/** Every call earns a tenth of a retry: with everything failing, at most a tenth more load. */
const PER_CALL = 0.1;
/** And time earns some, so that an integration with few calls still has its retries. */
const PER_SECOND = 0.1;
const MAX_INTEGRATIONS = 10_000;

/** Keeps retries from multiplying the load on a provider that is already in trouble. Per integration. */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #tokens = new LRUCache<string, { tokens: number; atMs: number }>({ max: MAX_INTEGRATIONS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A call was made (not a retry). */
  deposit(integrationId: string): void {
    const bucket = this.#bucket(integrationId);
    bucket.tokens = Math.min(CAPACITY, bucket.tokens + PER_CALL);
  }

  /** Whether one retry may be made; takes it when it may. */
  withdraw(integrationId: string): boolean {
    const bucket = this.#bucket(integrationId);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #bucket(integrationId: string): { tokens: number; atMs: number } {
    const nowMs = this.#clock.monotonicMs();
    let bucket = this.#tokens.get(integrationId);
    if (bucket === undefined) {
      bucket = { tokens: CAPACITY, atMs: nowMs };
      this.#tokens.set(integrationId, bucket);
    }
    bucket.tokens = Math.min(CAPACITY, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * PER_SECOND);
    bucket.atMs = nowMs;
    return bucket;
  }
}
