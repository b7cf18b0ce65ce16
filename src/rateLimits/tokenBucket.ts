import { type LimitRule, ROUNDING } from './limitRule.ts';

/**
 * What is missing in the bucket at `nowMs`, when `used` was missing at `atMs`: it fills by the limit in every window,
 * up to its capacity. A clock that was set back fills nothing.
 */
export function missingTokens({ limit, windowMs }: LimitRule, used: number, atMs: number, nowMs: number): number {
  const passedMs = nowMs - atMs;
  return passedMs > 0 ? Math.max(0, used - (passedMs * limit) / windowMs) : used;
}

/** Milliseconds until `cost` is in the bucket; 0 when it is. */
export function bucketWaitMs({ limit, windowMs, capacity }: LimitRule, missing: number, cost: number): number {
  if (cost > capacity) return Number.POSITIVE_INFINITY;
  const lacking = missing + cost - capacity;
  return lacking <= ROUNDING ? 0 : (lacking * windowMs) / limit;
}

/** Milliseconds until the bucket is full. */
export function fillMs({ limit, windowMs }: LimitRule, missing: number): number {
  return (missing * windowMs) / limit;
}
