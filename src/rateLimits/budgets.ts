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
