import type { ObservedRateLimit } from '../outgoing/types.ts';
import type { Budget, BudgetState } from './budgets.ts';
import { SlidingWindow } from './slidingWindow.ts';

/** Longest time a provider's word keeps a key shut, in case it is nonsense. */
const MAX_OBSERVED_MS = 24 * 3_600_000;
/** Resets closer than this are the same one; the rest is the time between reading two clocks. */
const SAME_RESET_MS = 50;
/** Window lengths of one key, above which those that nobody uses are looked for. */
const MANY_WINDOWS = 16;

/** What one key has used of its budgets. Times are monotonic milliseconds unless they say epoch. */
export class KeyBudget {
  /** One log per window length, so that changing a limit does not forget what was used. */
  readonly #windows = new Map<number, SlidingWindow>();
  /** The provider's own count: what is left until its reset. */
  #observed: { remaining: number; resetAtMs: number } | null = null;
  /** The provider said that nothing is left until then; its word of another limit does not change that. */
  #shutUntilMs = 0;

  /** Milliseconds until the `position`th call in line fits all budgets; 0: now. */
  waitMs(budgets: readonly Budget[], nowMs: number, position = 1): number {
    this.#openWindows(budgets, nowMs);
    let waitMs = this.#observedWaitMs(nowMs);
    for (const { maxRequests, windowMs } of budgets) {
      waitMs = Math.max(waitMs, this.#windows.get(windowMs)!.waitMs(nowMs, maxRequests, position));
    }
    return waitMs;
  }

  /** Counts one call against everything that is known of this key, whatever budgets its caller named. */
  record(nowMs: number): void {
    for (const window of this.#windows.values()) window.record(nowMs);
    if (this.#observed !== null) this.#observed.remaining -= 1;
  }

  observe(observed: ObservedRateLimit, nowMs: number, epochMs: number): void {
    const inMs = Math.min(observed.resetAtMs - epochMs, MAX_OBSERVED_MS);
    if (!(inMs > 0)) return;
    const resetAtMs = nowMs + inMs;
    const { remaining } = observed;
    const before = this.#observed;
    if (remaining <= 0) this.#shutUntilMs = resetAtMs;
    else if (before !== null && Math.abs(before.resetAtMs - resetAtMs) < SAME_RESET_MS) {
      // Answers arrive out of order: until one reset the lowest count holds.
      before.remaining = Math.min(before.remaining, remaining);
    } else this.#observed = { remaining, resetAtMs };
  }

  state(budgets: readonly Budget[], nowMs: number, epochMs: number): Omit<BudgetState, 'allowed' | 'retryAfterMs'> {
    this.#openWindows(budgets, nowMs);
    let tightest = { limit: Number.MAX_SAFE_INTEGER, remaining: Number.MAX_SAFE_INTEGER, resetAtMs: epochMs };
    for (const { maxRequests, windowMs } of budgets) {
      const window = this.#windows.get(windowMs)!;
      const remaining = Math.max(0, maxRequests - window.count(nowMs));
      if (remaining < tightest.remaining) {
        tightest = { limit: maxRequests, remaining, resetAtMs: Math.ceil(epochMs + window.emptyInMs(nowMs)) };
      }
    }
    const shutMs = this.#observedWaitMs(nowMs);
    if (shutMs === 0) return tightest;
    return {
      limit: tightest.limit,
      remaining: 0,
      resetAtMs: Math.ceil(Math.max(tightest.resetAtMs, epochMs + shutMs)),
    };
  }

  /** Whether forgetting this key changes nothing. */
  isIdle(nowMs: number): boolean {
    if (Math.max(this.#shutUntilMs, this.#observed?.resetAtMs ?? 0) > nowMs) return false;
    for (const window of this.#windows.values()) if (window.count(nowMs) > 0) return false;
    return true;
  }

  #observedWaitMs(nowMs: number): number {
    const used = this.#observed !== null && this.#observed.remaining <= 0 ? this.#observed.resetAtMs : 0;
    return Math.max(0, this.#shutUntilMs - nowMs, used - nowMs);
  }

  /**
   * Makes a log for every window length that has none. It starts with what the longest of the others remembers;
   * of the time before that nothing is known, as nobody had asked for it.
   */
  #openWindows(budgets: readonly Budget[], nowMs: number): void {
    for (const { windowMs } of budgets) {
      if (this.#windows.has(windowMs)) continue;
      const window = new SlidingWindow(windowMs);
      const longest = this.#longest();
      if (longest !== undefined) window.seedFrom(longest, nowMs);
      this.#windows.set(windowMs, window);
      if (this.#windows.size > MANY_WINDOWS) this.#forgetWindows(budgets, nowMs);
    }
  }

  /** The longest stays: it holds what any other would need to start again. */
  #forgetWindows(inUse: readonly Budget[], nowMs: number): void {
    const longest = this.#longest();
    for (const [windowMs, window] of this.#windows) {
      const used = window === longest || inUse.some((budget) => budget.windowMs === windowMs);
      if (!used && window.count(nowMs) === 0) this.#windows.delete(windowMs);
    }
  }

  #longest(): SlidingWindow | undefined {
    return [...this.#windows.values()].sort((a, b) => b.windowMs - a.windowMs)[0];
  }
}
