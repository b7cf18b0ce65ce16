import type { Clock } from '../core/clock.ts';
import type { Limiter } from './limiter.ts';
import type { LimitPlan } from './limitPlan.ts';
import type { TakeAnswer } from './limitRule.ts';
import { MemoryLimitStore } from './memoryLimitStore.ts';
import type { RateLimitStoreState } from './types.ts';

const TIDY_MS = 1_000;
/** Of a million keys all are looked at within twenty seconds, for some milliseconds each second. */
const LOOKED_AT_ONCE = 50_000;

/** Limits of a process that is alone. */
export class MemoryLimiter implements Limiter {
  readonly isShared = false;
  readonly #clock: Clock;
  readonly #store: MemoryLimitStore;
  readonly #closing = new AbortController();
  #tidying: Promise<void> | undefined;

  constructor(options: { clock: Clock; maxKeys?: number }) {
    this.#clock = options.clock;
    this.#store = new MemoryLimitStore(options);
  }

  take(plan: LimitPlan, cost: number): TakeAnswer {
    this.#tidying ??= this.#tidy();
    return this.#store.take(plan.limits, cost);
  }

  async release(): Promise<void> {}

  state(): RateLimitStoreState {
    return { name: 'memory', state: 'ok', lostSince: null, replicas: 1 };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#tidying;
  }

  async #tidy(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await this.#clock.sleep(TIDY_MS, signal, { keepAlive: false }).catch(() => {});
      if (signal.aborted) return;
      this.#store.forgetIdle(LOOKED_AT_ONCE);
    }
  }
}
