import type { LimitRule } from '../../../src/rateLimits/limitRule.ts';

/** One admitted call: when, on a clock that only goes forward, and what it cost. */
export interface Admitted {
  readonly atMs: number;
  readonly cost: number;
}

/** The most cost in any window (t - windowMs, t]; the extreme ones end at an admission. */
function mostInAnyWindow(log: readonly Admitted[], windowMs: number): number {
  let [most, sum, first] = [0, 0, 0];
  for (const { atMs, cost } of log) {
    sum += cost;
    while (log[first]!.atMs + windowMs <= atMs) sum -= log[first++]!.cost;
    most = Math.max(most, sum);
  }
  return most;
}

/** By how much any stretch of the log passes what the rule's strategy promises; at most 0 when it keeps it. */
export function excess(log: readonly Admitted[], rule: LimitRule): number {
  if (rule.strategy === 'sliding_window') return mostInAnyWindow(log, rule.windowMs) - rule.limit;
  if (rule.strategy === 'fixed_window') return mostInAnyWindow(log, rule.windowMs) - 2 * rule.limit;
  let most = Number.NEGATIVE_INFINITY;
  for (let first = 0; first < log.length; first++) {
    let sum = 0;
    for (let last = first; last < log.length; last++) {
      sum += log[last]!.cost;
      const gainedMs = log[last]!.atMs - log[first]!.atMs;
      most = Math.max(most, sum - rule.capacity - (gainedMs * rule.limit) / rule.windowMs);
    }
  }
  // Floating-point drains; far below one call.
  return most - 1e-6;
}
