import type { Clock } from '../core/clock.ts';
import { AbortedError } from '../core/errors.ts';
import type { ObservedRateLimit } from '../outgoing/types.ts';
import { AdaptiveShare, type CallFeedback, type ShareChange } from './adaptiveShare.ts';
import type { Budget, BudgetState, RateBudgets, TakeOptions } from './budgets.ts';
import { RateBudgetExceededError } from './errors.ts';
import { KeyBudget } from './keyBudget.ts';

/** Callers in line for one key; the next is refused at once. */
const MAX_WAITERS = 1_000;
/** Keys remembered at once; idle ones are forgotten all along, so this many are in use within their windows. */
const MAX_KEYS = 500_000;
/** A share that nothing has changed for this long may be forgotten. */
const SHARE_KEPT_MS = 600_000;
/** Longest single sleep: timers overflow at 2^31 ms. */
const MAX_SLEEP_MS = 3_600_000;

interface Waiter {
  readonly budgets: readonly Budget[];
  readonly isInteractive: boolean;
  /** Monotonic milliseconds after which it does not want to wait any longer. */
  readonly deadlineMs: number;
  readonly admit: () => void;
  readonly refuse: (waitMs: number) => void;
}

interface Entry {
  readonly used: KeyBudget;
  readonly share: AdaptiveShare;
  readonly line: Waiter[];
  /** A loop serves the line. */
  serving: boolean;
  /** Ends that loop's sleep. */
  wake: AbortController | null;
}

/**
 * Budgets kept in this process by an exact sliding log: no window of any length given ever sees more than its limit
 * *from this process*. Several processes that share a credential each have their own count.
 */
export class InProcessRateBudgets implements RateBudgets {
  readonly #clock: Clock;
  readonly #changed: (key: string, change: ShareChange) => void;
  readonly #entries = new Map<string, Entry>();
  #sweep = this.#entries.entries();

  /** `changed` is told of every change of the share of its budgets that a key uses. */
  constructor(options: { clock: Clock; changed?: (key: string, change: ShareChange) => void }) {
    this.#clock = options.clock;
    this.#changed = options.changed ?? (() => {});
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#entries.size;
  }

  async take(key: string, budgets: readonly Budget[], options: TakeOptions): Promise<{ waitedMs: number }> {
    throwIfAborted(options.signal);
    const startedMs = this.#clock.monotonicMs();
    const entry = this.#entry(key, startedMs);
    const isInteractive = options.priority === 'interactive';
    const ahead = isInteractive ? interactiveIn(entry.line) : entry.line.length;
    const waitMs = entry.used.waitMs(shareOf(entry, budgets), startedMs, ahead + 1);
    if (waitMs === 0 && entry.line.length === 0) {
      entry.used.record(startedMs);
      return { waitedMs: 0 };
    }
    if (waitMs > options.maxWaitMs || ahead >= MAX_WAITERS) throw exceeded(waitMs);
    if (entry.line.length >= MAX_WAITERS) entry.line.at(-1)!.refuse(waitMs);
    const deadlineMs = startedMs + options.maxWaitMs;
    await this.#stand(entry, { budgets, isInteractive, deadlineMs }, options.signal);
    return { waitedMs: this.#clock.monotonicMs() - startedMs };
  }

  check(key: string, budgets: readonly Budget[]): BudgetState {
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#entry(key, nowMs);
    const { used, line } = entry;
    const share = shareOf(entry, budgets);
    const retryAfterMs = Math.ceil(used.waitMs(share, nowMs, line.length + 1));
    const allowed = retryAfterMs === 0 && line.length === 0;
    if (allowed) used.record(nowMs);
    return { allowed, retryAfterMs, ...used.state(share, nowMs, this.#clock.now()) };
  }

  observe(key: string, observed: ObservedRateLimit): void {
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#entry(key, nowMs);
    entry.used.observe(observed, nowMs, this.#clock.now());
    // Those in line may now have to wait longer than they want to, and should hear it at once.
    entry.wake?.abort();
  }

  learn(key: string, feedback: CallFeedback): void {
    const nowMs = this.#clock.monotonicMs();
    const entry = this.#entry(key, nowMs);
    const change = entry.share.learn(feedback, nowMs);
    if (change === null) return;
    entry.wake?.abort();
    this.#changed(key, change);
  }

  /**
   * Waits in line, interactive calls before the others. Within these, first come, first served: a call that would fit
   * does not overtake one that does not.
   */
  #stand(
    entry: Entry,
    call: Pick<Waiter, 'budgets' | 'isInteractive' | 'deadlineMs'>,
    signal?: AbortSignal,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal?.removeEventListener('abort', aborted);
        const place = entry.line.indexOf(waiter);
        if (place >= 0) entry.line.splice(place, 1);
      };
      const aborted = () => {
        leave();
        entry.wake?.abort();
        reject(new AbortedError('The wait for the rate budget was cancelled.', { cause: signal?.reason }));
      };
      const waiter: Waiter = {
        ...call,
        admit: () => {
          leave();
          resolve();
        },
        refuse: (waitMs) => {
          leave();
          reject(exceeded(waitMs));
        },
      };
      signal?.addEventListener('abort', aborted, { once: true });
      const place = call.isInteractive ? interactiveIn(entry.line) : entry.line.length;
      entry.line.splice(place, 0, waiter);
      // The loop may be asleep until another one's turn.
      if (place === 0) entry.wake?.abort();
      if (!entry.serving) this.#serve(entry).catch(reject);
    });
  }

  async #serve(entry: Entry): Promise<void> {
    entry.serving = true;
    try {
      while (entry.line.length > 0) {
        const nowMs = this.#clock.monotonicMs();
        const head = entry.line[0]!;
        const waitMs = entry.used.waitMs(shareOf(entry, head.budgets), nowMs);
        if (waitMs === 0) {
          entry.used.record(nowMs);
          head.admit();
          continue;
        }
        // Nobody is served before the head, so whoever cannot wait that long need not wait at all.
        for (const waiter of [...entry.line]) if (waiter.deadlineMs < nowMs + waitMs) waiter.refuse(waitMs);
        if (entry.line.length > 0) await this.#sleep(entry, waitMs);
      }
    } finally {
      entry.serving = false;
    }
  }

  async #sleep(entry: Entry, waitMs: number): Promise<void> {
    const wake = new AbortController();
    entry.wake = wake;
    try {
      await this.#clock.sleep(Math.min(Math.ceil(waitMs), MAX_SLEEP_MS), wake.signal);
    } catch (error) {
      if (!wake.signal.aborted) throw error;
    } finally {
      entry.wake = null;
    }
  }

  #entry(key: string, nowMs: number): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    this.#forgetIdle(nowMs);
    const entry: Entry = { used: new KeyBudget(), share: new AdaptiveShare(), line: [], serving: false, wake: null };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Looks at two keys for every key added, each in its turn: no timer, and no pause to look at all. */
  #forgetIdle(nowMs: number): void {
    for (let looked = 0; looked < 2; looked++) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = this.#entries.entries();
        break;
      }
      const [key, entry] = next.value;
      const isSettled = entry.share.share === 1 || nowMs - entry.share.changedAtMs > SHARE_KEPT_MS;
      if (entry.line.length === 0 && isSettled && entry.used.isIdle(nowMs)) this.#entries.delete(key);
    }
    if (this.#entries.size >= MAX_KEYS) {
      throw new RateBudgetExceededError(`More than ${MAX_KEYS} keys are limited at once; try again later.`, 1_000);
    }
  }
}

/** Interactive calls stand first in line. */
function interactiveIn(line: readonly Waiter[]): number {
  const first = line.findIndex(({ isInteractive }) => !isInteractive);
  return first < 0 ? line.length : first;
}

/** The budgets, as much of them as the key uses now. One call is always left. */
function shareOf({ share: { share } }: Entry, budgets: readonly Budget[]): readonly Budget[] {
  if (share === 1) return budgets;
  return budgets.map(({ maxRequests, windowMs }) => ({
    maxRequests: Math.min(maxRequests, Math.max(1, Math.floor(maxRequests * share))),
    windowMs,
  }));
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError('The call was cancelled before it was sent.', { cause: signal.reason });
}

function exceeded(waitMs: number): RateBudgetExceededError {
  const seconds = Math.ceil(waitMs / 1000);
  return new RateBudgetExceededError(
    `The rate budget of this integration is used up; the next call fits in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    Math.ceil(waitMs),
  );
}
