import type { BudgetState } from './budgets.ts';
import { refusalOf } from './limitPlan.ts';
import type { TakeAnswer } from './limitRule.ts';
import type { OutgoingKey } from './outgoingKey.ts';

/** What the limits answered. */
export function answeredState(key: OutgoingKey, answer: TakeAnswer): BudgetState {
  const { granted, remaining, index, waitMs } = answer;
  const plan = key.plan!;
  const allowed = granted > 0;
  return {
    allowed,
    limit: allowed ? key.smallestLimit : (plan.limits[index] ?? plan.limits[0]!).rule.limit,
    remaining: allowed ? remaining : 0,
    resetAtMs: Math.ceil(key.resetAtEpochMs),
    retryAfterMs: allowed ? 0 : Math.max(1, Math.ceil(waitMs)),
    strategy: key.rules[0]!.strategy,
    reason: allowed ? null : refusalOf(plan, answer, 1),
  };
}

/** Refused because others came before. */
export function inLineState(key: OutgoingKey, nowMs: number): BudgetState {
  const length = key.waiting;
  const retryAfterMs = Math.max(1, Math.ceil(key.fitsAtMs - nowMs + key.queueMs(length)));
  return refused(key, retryAfterMs, `${length} ${length === 1 ? 'call waits' : 'calls wait'} in line before it.`);
}

/** Refused because of what the provider said. */
export function pausedState(key: OutgoingKey, pausedMs: number, epochMs: number): BudgetState {
  const resetAtMs = Math.ceil(Math.max(key.resetAtEpochMs, epochMs + pausedMs));
  return { ...refused(key, Math.ceil(pausedMs), 'The provider says that nothing is left until then.'), resetAtMs };
}

function refused(key: OutgoingKey, retryAfterMs: number, reason: string): BudgetState {
  return {
    allowed: false,
    limit: key.smallestLimit,
    remaining: 0,
    resetAtMs: Math.ceil(key.resetAtEpochMs),
    retryAfterMs,
    strategy: key.rules[0]!.strategy,
    reason,
  };
}
