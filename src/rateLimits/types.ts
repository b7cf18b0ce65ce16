import type { RateLimitStrategy } from './limitRule.ts';

/** Fields that are not given are those of `adjustRateLimit`, else the defaults (`DEFAULT_RATE_LIMIT`, `RATE_LIMIT_WINDOW`). */
export interface RateLimitRule {
  /** Default `sliding_window`. */
  strategy?: RateLimitStrategy;
  /** Calls in a window; of a bucket, what it gains in one. */
  maxRequests?: number;
  /** Milliseconds. */
  windowSize?: number;
  /**
   * Of a bucket, what it holds at most (default `maxRequests`). Of a window, the most calls in any second
   * (default: no such limit).
   */
  burstLimit?: number;
}

export interface RateLimitConfig extends RateLimitRule {
  /** What the call weighs. Default 1. */
  cost?: number;
  /** Gives every user a limit of their own. */
  userId?: string;
  /** Further limits, all of which have to allow the call; it counts against all of them or none. */
  limits?: readonly AdditionalRateLimit[];
}

export interface AdditionalRateLimit extends RateLimitRule {
  maxRequests: number;
  windowSize: number;
  /** Whose calls share it: all of the integration, those of the action, or those of the user. Default `action`. */
  per?: 'integration' | 'action' | 'user';
}

export interface RateLimitResult {
  readonly allowed: boolean;
  /** `maxRequests` of the call's own limit. */
  readonly limit: number;
  /** Calls that would be allowed now, under the tightest of the limits. */
  readonly remaining: number;
  /** ISO 8601: when nothing used so far counts any more, if nothing more is used. */
  readonly resetAt: string;
  /** Seconds until the same call is allowed; 0 when it is. */
  readonly retryAfter: number;
  readonly strategy: RateLimitStrategy;
  /** Why the call is refused; null when it is allowed. */
  readonly reason: string | null;
}

/** Where limits are counted, and whether that works. */
export interface RateLimitStoreState {
  readonly name: 'memory' | 'redis' | 'postgresql';
  /** `lost`: it does not answer, and every replica allows its part of each limit. */
  readonly state: 'ok' | 'lost';
  /** ISO 8601: since when it is lost. */
  readonly lostSince: string | null;
  /** Processes that count limits, this one included, as of the last time they were seen. */
  readonly replicas: number;
}

/** One limit as this process sees it. */
export interface RateLimitUse {
  readonly integrationId: string;
  readonly action: string;
  readonly strategy: RateLimitStrategy;
  readonly maxRequests: number;
  readonly windowSize: number;
  readonly burstLimit: number | null;
  /** Whether `adjustRateLimit` set any of it. */
  readonly adjusted: boolean;
  /** As the last check found it. */
  readonly remaining: number;
  readonly resetAt: string;
  readonly allowed: number;
  readonly refused: number;
}

/** The outgoing calls of one integration as this process sees them. */
export interface OutgoingUse {
  readonly integrationId: string;
  /** Of its budgets, what it uses: between 0.1 and 1, learned from the provider's answers. */
  readonly share: number;
  /** Calls in line. */
  readonly waiting: number;
  /** In force: those that were set, else the integration's. */
  readonly budgets: readonly { readonly maxRequests: number; readonly windowSize: number }[];
  /** ISO 8601: until when the provider says that nothing is left; null when it does not. */
  readonly pausedUntil: string | null;
}

/** A change of the share of its budgets that an integration's outgoing calls use, between 0.1 and 1. */
export interface RateLimitChange {
  readonly integrationId: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Counted by this process since it started. */
export interface RateLimitStats {
  readonly store: RateLimitStoreState;
  readonly totalChecks: number;
  readonly allowed: number;
  readonly refused: number;
  /** Integrations and actions that were checked; the latest 1,000 at most are in `limits`. */
  readonly activeLimits: number;
  readonly limits: readonly RateLimitUse[];
  /** Calls that wait in line for a budget. */
  readonly waiting: number;
  /** Of integrations that sent something; the latest 1,000 at most. Their counts are in `limits`, as `api_call`. */
  readonly outgoing: readonly OutgoingUse[];
  /** What was learned from the answers of providers, the latest 100 last. */
  readonly changes: readonly RateLimitChange[];
}
