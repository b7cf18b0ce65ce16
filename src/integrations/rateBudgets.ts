import type { Budget } from '../rateLimits/budgets.ts';
import type { ConfiguredRateLimits } from './types.ts';

const WINDOWS_MS = {
  requestsPerSecond: 1_000,
  requestsPerMinute: 60_000,
  requestsPerHour: 3_600_000,
  requestsPerDay: 86_400_000,
} as const satisfies Record<keyof ConfiguredRateLimits, number>;

/** The budgets a person configured, or undefined when there are none. */
export function configuredBudgets(limits: ConfiguredRateLimits | undefined): Budget[] | undefined {
  const budgets = Object.entries(WINDOWS_MS).flatMap(([name, windowMs]) => {
    const maxRequests = limits?.[name as keyof ConfiguredRateLimits];
    return maxRequests === undefined ? [] : [{ maxRequests, windowMs }];
  });
  return budgets.length === 0 ? undefined : budgets;
}
