import type { Clock } from '../core/clock.ts';
import { AbortedError } from '../core/errors.ts';
import { RateBudgetExceededError } from './errors.ts';

/** Callers in line for one key; the next is refused at once. */
export const MAX_WAITERS = 1_000;
/** Longest single sleep: timers overflow at 2^31 ms. */
const MAX_SLEEP_MS = 3_600_000;

/** What became of asking for one call. */
export interface Turn {
  /** Milliseconds until a call fits, if nobody else takes any; 0: it was taken. */
  readonly waitMs: number;
  /** When to ask again, as it may fit before that; never later than `waitMs`. */
  readonly lookInMs: number;
}

interface Waiter {
  readonly isInteractive: boolean;
  /** Monotonic milliseconds after which it does not want to wait any longer. */
  readonly deadlineMs: number;
  readonly admit: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Those who wait for the budget of one key: interactive calls before the others, and within these first come, first
 * served. A call that cannot be served within its deadline is refused as soon as that is known.
 */
export class WaitingLine {
  readonly #clock: Clock;
  readonly #take: () => Turn | Promise<Turn>;
  readonly #line: Waiter[] = [];
  #serving = false;
  /** Ends the sleep of the loop that serves. */
  #wake: AbortController | null = null;

  /** `take` takes one call when it fits. */
  constructor(options: { clock: Clock; take: () => Turn | Promise<Turn> }) {
    this.#clock = options.clock;
    this.#take = options.take;
  }

  get length(): number {
    return this.#line.length;
  }

  /** How many are served before a call that comes now. */
  ahead(isInteractive: boolean): number {
    if (!isInteractive) return this.#line.length;
    const first = this.#line.findIndex((waiter) => !waiter.isInteractive);
    return first < 0 ? this.#line.length : first;
  }

  /** Resolves when a call was taken for this caller. A full line loses its last for one that goes before it. */
  stand(call: Pick<Waiter, 'isInteractive' | 'deadlineMs'>, signal?: AbortSignal): Promise<void> {
    if (this.#line.length >= MAX_WAITERS) this.#line.at(-1)!.refuse(exceeded(0));
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal?.removeEventListener('abort', aborted);
        const place = this.#line.indexOf(waiter);
        if (place >= 0) this.#line.splice(place, 1);
      };
      const aborted = () => {
        leave();
        this.wake();
        reject(new AbortedError('The wait for the rate budget was cancelled.', { cause: signal?.reason }));
      };
      const waiter: Waiter = {
        ...call,
        admit: () => {
          leave();
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      signal?.addEventListener('abort', aborted, { once: true });
      const place = this.ahead(call.isInteractive);
      this.#line.splice(place, 0, waiter);
      // The loop may be asleep until another one's turn.
      if (place === 0) this.wake();
      if (!this.#serving) void this.#serve();
    });
  }

  /** Asks anew at once: what is left, or allowed, has changed. */
  wake(): void {
    this.#wake?.abort();
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    try {
      while (this.#line.length > 0) {
        // Before asking, so that a change meanwhile is not slept over.
        this.#wake = new AbortController();
        const { waitMs, lookInMs } = await this.#take();
        if (waitMs === 0) {
          // Whoever is first now; when all have left meanwhile the call is lost, never sent twice.
          this.#line[0]?.admit();
          continue;
        }
        // Nobody is served before the head, so whoever cannot wait that long need not wait at all.
        const nowMs = this.#clock.monotonicMs();
        for (const waiter of [...this.#line]) if (waiter.deadlineMs < nowMs + lookInMs) waiter.refuse(exceeded(waitMs));
        if (this.#line.length > 0) await this.#sleep(this.#wake, lookInMs);
      }
    } catch (error) {
      for (const waiter of [...this.#line]) waiter.refuse(error);
    } finally {
      this.#serving = false;
      this.#wake = null;
    }
  }

  async #sleep(wake: AbortController, ms: number): Promise<void> {
    try {
      await this.#clock.sleep(Math.min(Math.ceil(ms), MAX_SLEEP_MS), wake.signal);
    } catch (error) {
      if (!wake.signal.aborted) throw error;
    }
  }
}

/** Nothing was taken. */
export function exceeded(waitMs: number): RateBudgetExceededError {
  const seconds = Math.ceil(waitMs / 1000);
  return new RateBudgetExceededError(
    `The rate budget of this integration is used up; the next call fits in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    Math.ceil(waitMs),
  );
}
