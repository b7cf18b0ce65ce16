/** How calls are counted; what each promises is proven in docs/rate-limits.md. */
export type RateLimitStrategy = 'fixed_window' | 'sliding_window' | 'token_bucket';

export const STRATEGIES = ['fixed_window', 'sliding_window', 'token_bucket'] as const satisfies RateLimitStrategy[];

/** One limit, checked and complete. */
export interface LimitRule {
  readonly strategy: RateLimitStrategy;
  /** Cost admitted in a window; of a bucket, what it gains in one. */
  readonly limit: number;
  readonly windowMs: number;
  /** Of a bucket, what it holds when full. Otherwise the limit. */
  readonly capacity: number;
}

/** A rule and the key whose use it limits. */
export interface Limit {
  readonly key: string;
  readonly rule: LimitRule;
}

/** What became of asking for a cost under some limits. Times are durations by the clock of the store. */
export interface TakeAnswer {
  /** The cost taken; 0: refused, and nothing was taken of any limit. */
  readonly granted: number;
  /** What may still be taken now, under the tightest of the limits. */
  readonly remaining: number;
  /** Which of the limits `resetInMs` and `waitMs` speak of: the one that refuses longest, else the first. */
  readonly index: number;
  /** Until nothing taken so far counts any more. */
  readonly resetInMs: number;
  /** Until the same cost fits, if nobody else takes any; 0 when it was granted. */
  readonly waitMs: number;
}

/** How far floating-point drains may be off before a cost that fits is refused; no bound is passed by more. */
export const ROUNDING = 1e-9;
