/** The part of its budgets that a key is down to at most. */
const FLOOR = 0.1;
const CEILING = 1;
/** After a refusal by the provider. */
const LIMITED_FACTOR = 0.5;
/** After answers became slow. */
const SLOW_FACTOR = 0.8;
/** Gained while all goes well. */
const STEP = 0.05;
const STEP_EVERY_MS = 10_000;
/** Calls that were under way together tell of one overload. */
const FALL_EVERY_MS = 1_000;
const SLOWER_EVERY_MS = 10_000;
/** Recent answers count as slow when they take this many times the usual, and longer than this. */
const SLOW_TIMES = 3;
const SLOW_MS = 1_000;
const LEARNED_AFTER = 20;

/** How one call was answered. */
export interface CallFeedback {
  /** The provider refused it because there were too many. */
  readonly limited: boolean;
  readonly latencyMs: number;
}

/** One step, and why it was made. */
export interface ShareChange {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989), of the share of its budgets that a key uses, between
 * a tenth and all: halved when the provider says that there are too many calls, a fifth less when its answers take three
 * times as long as usual, a twentieth more for every ten seconds that go well. Times are monotonic.
 */
export class AdaptiveShare {
  #share = CEILING;
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #usualMs = 0;
  #recentMs = 0;
  #samples = 0;

  get share(): number {
    return this.#share;
  }

  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** Takes a call in; what it changed, or null. */
  learn({ limited, latencyMs }: CallFeedback, nowMs: number): ShareChange | null {
    const sinceMs = nowMs - this.#changedAtMs;
    if (limited) {
      if (sinceMs < FALL_EVERY_MS) return null;
      return this.#set(this.#share * LIMITED_FACTOR, nowMs, 'The provider answered that there are too many calls.');
    }
    if (this.#isSlow(latencyMs) && sinceMs >= SLOWER_EVERY_MS) {
      const [recentMs, usualMs] = [Math.round(this.#recentMs), Math.round(this.#usualMs)];
      return this.#set(this.#share * SLOW_FACTOR, nowMs, `Answers take ${recentMs} ms instead of ${usualMs} ms.`);
    }
    if (this.#share === CEILING || sinceMs < STEP_EVERY_MS) return null;
    return this.#set(this.#share + STEP, nowMs, `All went well for ${STEP_EVERY_MS / 1_000} seconds.`);
  }

  /** Takes over what another replica learned of the same key. */
  adopt(share: number, nowMs: number, reason: string): ShareChange | null {
    return share === this.#share ? null : this.#set(share, nowMs, reason);
  }

  /** Compares a fast moving average with a slow one, which slow answers move less. */
  #isSlow(latencyMs: number): boolean {
    this.#samples += 1;
    if (this.#samples === 1) [this.#usualMs, this.#recentMs] = [latencyMs, latencyMs];
    this.#recentMs += 0.2 * (latencyMs - this.#recentMs);
    const slow = this.#recentMs > SLOW_MS && this.#recentMs > SLOW_TIMES * this.#usualMs;
    this.#usualMs += (slow ? 0.001 : 0.02) * (latencyMs - this.#usualMs);
    return slow && this.#samples > LEARNED_AFTER;
  }

  #set(share: number, nowMs: number, reason: string): ShareChange | null {
    const from = this.#share;
    this.#share = Math.round(Math.min(CEILING, Math.max(FLOOR, share)) * 1_000) / 1_000;
    this.#changedAtMs = nowMs;
    return this.#share === from ? null : { from, to: this.#share, reason };
  }
}
