import { AppError } from '../core/errors.ts';

/** The budget of a key has no room within the time the caller would wait. Nothing was taken. */
export class RateBudgetExceededError extends AppError {
  readonly code = 'RATE_BUDGET_EXCEEDED';
  /** Milliseconds after which the same call may fit. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message, { details: { retryAfterMs } });
    this.retryAfterMs = retryAfterMs;
  }
}
