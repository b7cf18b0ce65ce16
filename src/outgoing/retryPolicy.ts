import type { Outcome, RetryPolicy } from './types.ts';

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 4,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 120_000,
};

export interface FailedAttempt {
  readonly outcome: Outcome;
  readonly retryable: boolean;
  /** False only with a proof that the provider has not seen the request. */
  readonly sent: boolean;
  readonly retryAfterMs?: number;
}

export type RetryDecision =
  | { readonly retry: true; readonly delayMs: number; readonly spendsRetryBudget: boolean }
  | { readonly retry: false };

/**
 * Whether and when a failed attempt is made again.
 *
 * The wait is drawn evenly from 0 to `baseDelayMs * 2^(attempt - 1)`, at most `maxDelayMs` (exponential back-off
 * with full jitter). A wait that the provider asked for is kept in full, with up to `baseDelayMs` on top so that
 * not everybody comes back at the same moment. What may have taken effect is not sent again unless it is idempotent.
 */
export function decideRetry(
  policy: RetryPolicy,
  attempt: number,
  { retryable, sent, outcome, retryAfterMs }: FailedAttempt,
  idempotent: boolean,
  random: () => number,
): RetryDecision {
  if (!retryable || attempt >= policy.maxAttempts || (sent && !idempotent)) return { retry: false };
  if (retryAfterMs === undefined) {
    const ceilingMs = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
    return { retry: true, delayMs: random() * ceilingMs, spendsRetryBudget: true };
  }
  if (retryAfterMs > policy.maxRetryAfterMs) return { retry: false };
  // Coming back when told to is no storm, so it does not cost what is kept against storms.
  const spendsRetryBudget = outcome !== 'rate_limited';
  return { retry: true, delayMs: retryAfterMs + random() * policy.baseDelayMs, spendsRetryBudget };
}
