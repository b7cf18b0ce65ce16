import type { Budget } from './budgets.ts';
import type { CompleteRule } from './limitPlan.ts';
import type { RateLimitRule } from './types.ts';

/** The action under which `adjustRateLimit` and checks speak of what an integration sends to its provider. */
export const OUTGOING_ACTION = 'api_call';

/**
 * The rules of an integration's outgoing calls, that of the longest window first. A rule that was set for
 * `api_call` takes the place of all budgets; fields it leaves open are those of the longest.
 */
export function outgoingRules(budgets: readonly Budget[], set: RateLimitRule | undefined): CompleteRule[] {
  const rules = budgets
    .map(({ maxRequests, windowMs }) => ({ strategy: 'sliding_window', maxRequests, windowSize: windowMs }) as const)
    .sort((a, b) => b.windowSize - a.windowSize);
  return set === undefined ? rules : [{ ...rules[0]!, ...set }];
}

/** As much of a rule as is used now. One call is always left. */
export function shareOf(rule: CompleteRule, share: number): CompleteRule {
  if (share === 1) return rule;
  const part = (calls: number) => Math.min(calls, Math.max(1, Math.floor(calls * share)));
  return {
    ...rule,
    maxRequests: part(rule.maxRequests),
    burstLimit: rule.burstLimit === undefined ? undefined : part(rule.burstLimit),
  };
}
