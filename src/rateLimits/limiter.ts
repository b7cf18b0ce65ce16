import type { LimitPlan } from './limitPlan.ts';
import type { TakeAnswer } from './limitRule.ts';
import type { RateLimitStoreState } from './types.ts';

/** Where the service asks; answers at once when it can. */
export interface Limiter {
  /** Whether other processes take from the same limits. */
  readonly isShared: boolean;
  take(plan: LimitPlan, cost: number): TakeAnswer | Promise<TakeAnswer>;
  /** The plan is not asked for again: what is held of it goes back. */
  release(planId: string): Promise<void>;
  state(): RateLimitStoreState;
  close(): Promise<void>;
}
