import type { ObservedRateLimit } from '../outgoing/types.ts';
import type { CallFeedback } from './adaptiveShare.ts';

/** At most `maxRequests` calls in any window of `windowMs`. */
export interface Budget {
  readonly maxRequests: number;
  readonly windowMs: number;
}

export interface BudgetState {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Epoch milliseconds when the whole budget is free again. */
  readonly resetAtMs: number;
  /** Milliseconds until a call is allowed; 0 when it is. */
  readonly retryAfterMs: number;
}

export interface TakeOptions {
  /** The longest wait; a take that cannot succeed within it is refused, at once where that is known. */
  readonly maxWaitMs: number;
  readonly signal?: AbortSignal;
  /** `interactive` calls, for which somebody waits, are served before `background` ones. Default `background`. */
  readonly priority?: 'interactive' | 'background';
}

/** Request budgets by key (an integration). A call fits all budgets given, or none is touched. */
export interface RateBudgets {
  /**
   * Waits in line until one call fits, and takes it.
   * @throws RateBudgetExceededError not within `maxWaitMs`; nothing was taken
   * @throws AbortedError the signal fired; nothing was taken
   */
  take(key: string, budgets: readonly Budget[], options: TakeOptions): Promise<{ waitedMs: number }>;
  /** Takes one call if it fits now. Speaks of the tightest budget. Never waits. */
  check(key: string, budgets: readonly Budget[]): BudgetState;
  /** What the provider itself says is left: no more than that is taken before its reset. */
  observe(key: string, observed: ObservedRateLimit): void;
  /** How a call was answered: the share of its budgets that the key uses follows from it. */
  learn(key: string, feedback: CallFeedback): void;
}
