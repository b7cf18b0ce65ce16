import type { ObservedRateLimit } from '../outgoing/types.ts';

/** Longest time a provider's word keeps a key shut, in case it is nonsense. */
const MAX_OBSERVED_MS = 24 * 3_600_000;
/** Resets closer than this are the same one; the rest is the time between reading two clocks. */
const SAME_RESET_MS = 50;

/** What a provider's answers said about its own count for one key. Times are monotonic unless they say epoch. */
export class ProviderWord {
  /** What is left until a reset. */
  #observed: { remaining: number; resetAtMs: number } | null = null;
  /** Nothing is left until then; word of another limit does not change that. */
  #shutUntilMs = Number.NEGATIVE_INFINITY;

  /** Until when nothing is sent because nothing is left. */
  get shutUntilMs(): number {
    return this.#shutUntilMs;
  }

  /** Milliseconds until a call may be sent; 0: now. */
  waitMs(nowMs: number): number {
    const used = this.#observed !== null && this.#observed.remaining <= 0 ? this.#observed.resetAtMs : 0;
    return Math.max(0, this.#shutUntilMs - nowMs, used - nowMs);
  }

  /** Counts a call that is about to be sent. One that is then refused is taken back by adding it to what this gives. */
  count(): { remaining: number } | null {
    if (this.#observed !== null) this.#observed.remaining -= 1;
    return this.#observed;
  }

  observe({ remaining, resetAtMs: resetEpochMs }: ObservedRateLimit, nowMs: number, epochMs: number): void {
    const inMs = Math.min(resetEpochMs - epochMs, MAX_OBSERVED_MS);
    if (!(inMs > 0)) return;
    const resetAtMs = nowMs + inMs;
    const before = this.#observed;
    if (remaining <= 0) this.#shutUntilMs = resetAtMs;
    else if (before !== null && Math.abs(before.resetAtMs - resetAtMs) < SAME_RESET_MS) {
      // Answers arrive out of order: until one reset the lowest count holds.
      before.remaining = Math.min(before.remaining, remaining);
    } else this.#observed = { remaining, resetAtMs };
  }

  /** What another replica was told. */
  shut(untilMs: number): void {
    this.#shutUntilMs = Math.max(this.#shutUntilMs, untilMs);
  }

  /** Whether it says nothing any more. */
  isIdle(nowMs: number): boolean {
    return Math.max(this.#shutUntilMs, this.#observed?.resetAtMs ?? 0) <= nowMs;
  }
}
