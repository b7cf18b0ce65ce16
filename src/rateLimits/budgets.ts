import type { ObservedRateLimit } from '../outgoing/types.ts';
import type { CallFeedback } from './adaptiveShare.ts';
import type { RateLimitStrategy } from './limitRule.ts';

/** At most `maxRequests` calls in any window of `windowMs`. */
export interface Budget {
  readonly maxRequests: number;
  readonly windowMs: number;
}

export interface BudgetState {
  readonly allowed: boolean;
  /** Of the limit that refuses, else the smallest. */
  readonly limit: number;
  readonly remaining: number;
  /** Epoch milliseconds when the whole budget is free again. */
  readonly resetAtMs: number;
  /** Milliseconds until a call is allowed; 0 when it is. */
  readonly retryAfterMs: number;
  readonly strategy: RateLimitStrategy;
  /** Why it is refused; null when it is allowed. */
  readonly reason: string | null;
}

export interface TakeOptions {
  /** The longest wait; a take that cannot succeed within it is refused, at once where that is known. */
  readonly maxWaitMs: number;
  readonly signal?: AbortSignal;
  /** `interactive` calls, for which somebody waits, are served before `background` ones. Default `background`. */
  readonly priority?: 'interactive' | 'background';
}

/**
 * Request budgets by key (an integration). A call fits all budgets given (none given: the default), or none is touched.
 * The budgets named last are those of the key, also for calls that already wait.
 */
export interface RateBudgets {
  /**
   * Waits in line until one call fits, and takes it.
   * @throws RateBudgetExceededError not within `maxWaitMs`; nothing was taken
   * @throws AbortedError the signal fired; what was being taken at that moment is lost until it leaves its window
   */
  take(key: string, budgets: readonly Budget[], options: TakeOptions): Promise<{ waitedMs: number }>;
  /** Takes one call if it fits now and nobody waits. Never waits in line. */
  check(key: string, budgets: readonly Budget[]): Promise<BudgetState>;
  /** What the provider itself says is left: no more than that is taken before its reset. */
  observe(key: string, observed: ObservedRateLimit): void;
  /** How a call was answered: the share of its budgets that the key uses follows from it. */
  learn(key: string, feedback: CallFeedback): void;
}
