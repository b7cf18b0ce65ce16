import type { ObservedRateLimit } from '../outgoing/types.ts';
import type { Budget, BudgetState } from './budgets.ts';
import { SlidingWindow } from './slidingWindow.ts';

/** Longest time a provider's word keeps a key shut, in case it is nonsense. */
const MAX_OBSERVED_MS = 24 * 3_600_000;
/** Resets closer than this are the same one; the rest is the time between reading two clocks. */
const SAME_RESET_MS = 50;

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
    let waitMs = this.#observedWaitMs(nowMs);
    for (const { maxRequests, windowMs } of budgets) {
      waitMs = Math.max(waitMs, this.#window(windowMs, nowMs).waitMs(nowMs, maxRequests, position));
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
    let tightest = { limit: Number.MAX_SAFE_INTEGER, remaining: Number.MAX_SAFE_INTEGER, resetAtMs: epochMs };
    for (const { maxRequests, windowMs } of budgets) {
      const window = this.#window(windowMs, nowMs);
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

  #window(windowMs: number, nowMs: number): SlidingWindow {
    const known = this.#windows.get(windowMs);
    if (known !== undefined) return known;
    const window = new SlidingWindow(windowMs);
    const longest = [...this.#windows.values()].sort((a, b) => b.windowMs - a.windowMs)[0];
    if (longest !== undefined) window.seedFrom(longest);
    // Lengths nobody used within their own window go, so that there are never more than are in use.
    for (const [other, log] of this.#windows) if (log.count(nowMs) === 0) this.#windows.delete(other);
    this.#windows.set(windowMs, window);
    return window;
  }
}
