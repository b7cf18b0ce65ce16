import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { AloneLimits } from './aloneLimits.ts';
import { Leases } from './leases.ts';
import type { Limiter } from './limiter.ts';
import type { LimitPlan } from './limitPlan.ts';
import type { TakeAnswer } from './limitRule.ts';
import type { SharedLimitStore } from './sharedLimitStore.ts';
import type { RateLimitStoreState } from './types.ts';

const TICK_MS = 250;
/** Stores fail by themselves when they are silent; this is for what waits for its turn to be asked. */
const DEADLINE_MS = 5_000;

/**
 * Limits that replicas share. When the store is lost, each replica goes on with its part of every limit; when it is
 * back, what was allowed meanwhile is counted in it before it is asked again.
 */
export class SharedLimiter implements Limiter {
  readonly isShared = true;
  readonly #store: SharedLimitStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #replicas: () => number;
  readonly #leases: Leases;
  readonly #closing = new AbortController();
  #ticking: Promise<void> | undefined;
  #alone: AloneLimits | null = null;
  #lostSinceMs = 0;

  constructor(options: { store: SharedLimitStore; clock: Clock; log: Log; replicas: () => number }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#replicas = options.replicas;
    this.#leases = new Leases({
      store: options.store,
      replicas: options.replicas,
      nowMs: () => options.clock.monotonicMs(),
    });
  }

  take(plan: LimitPlan, cost: number): TakeAnswer | Promise<TakeAnswer> {
    this.#ticking ??= this.#tick();
    // What is held may be used also while the store is lost: it is counted there.
    const leased = this.#leases.takeLeased(plan, cost);
    if (leased !== null) return leased;
    return this.#alone === null ? this.#ask(plan, cost) : this.#takeAlone(this.#alone, plan, cost);
  }

  async release(planId: string): Promise<void> {
    // What cannot be given back in time is lost until it leaves its window.
    if (this.#alone === null) await this.#inTime(this.#leases.release(planId)).catch(() => {});
  }

  state(): RateLimitStoreState {
    const lost = this.#alone !== null;
    return {
      name: this.#store.name,
      state: lost ? 'lost' : 'ok',
      lostSince: lost ? new Date(this.#lostSinceMs).toISOString() : null,
      replicas: this.#replicas(),
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ticking;
    if (this.#alone === null) await this.#inTime(this.#leases.close()).catch(() => {});
    await this.#store.close();
  }

  async #ask(plan: LimitPlan, cost: number): Promise<TakeAnswer> {
    try {
      return await this.#inTime(this.#leases.take(plan, cost));
    } catch (error) {
      return this.#takeAlone(this.#lose(error), plan, cost);
    }
  }

  #takeAlone(alone: AloneLimits, plan: LimitPlan, cost: number): TakeAnswer {
    return alone.take(plan, cost, this.#leases.lastAnswer(plan));
  }

  #lose(error: unknown): AloneLimits {
    if (this.#alone !== null) return this.#alone;
    const replicas = this.#replicas();
    this.#alone = new AloneLimits({ clock: this.#clock, replicas });
    this.#lostSinceMs = this.#clock.now();
    this.#log.warn('The store of rate limits is lost; every replica allows its part of each limit', {
      store: this.#store.name,
      replicas,
      reason: errorMessage(error),
    });
    return this.#alone;
  }

  async #tick(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await this.#clock.sleep(TICK_MS, signal, { keepAlive: false }).catch(() => {});
      if (signal.aborted) return;
      if (this.#alone === null) await this.#inTime(this.#leases.tidy()).catch(() => {});
      else await this.#reconcile(this.#alone);
    }
  }

  async #reconcile(alone: AloneLimits): Promise<void> {
    let counted = 0;
    try {
      await this.#inTime(this.#store.ping());
      for (const { limit, cost } of alone.spent()) {
        await this.#inTime(this.#store.charge([limit], cost));
        counted += cost;
      }
    } catch {
      // Still lost. What was being counted may be counted or not; what follows is told the next time.
      return;
    }
    this.#alone = null;
    this.#log.info('The store of rate limits is back', {
      store: this.#store.name,
      lostForMs: this.#clock.now() - this.#lostSinceMs,
      counted,
    });
  }

  /** Rejects when the store is silent for too long; its answer is then still taken in when it comes. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`No answer within ${DEADLINE_MS} ms.`)), DEADLINE_MS);
    });
    answer.catch(() => {});
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
