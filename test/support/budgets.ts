import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { ShareChange } from '../../src/rateLimits/adaptiveShare.ts';
import { MemoryLimiter } from '../../src/rateLimits/memoryLimiter.ts';
import { OutgoingBudgets } from '../../src/rateLimits/outgoingBudgets.ts';

/** Budgets of a process that is alone, for which nothing was set. */
export function aloneBudgets(options: {
  clock: Clock;
  changed?: (key: string, change: ShareChange) => void;
}): OutgoingBudgets {
  const { clock } = options;
  // Its tidying sleeps truly: on a clock whose sleeps pass at once it would never stop.
  const sleep = systemClock.sleep;
  const limiterClock = { now: () => clock.now(), monotonicMs: () => clock.monotonicMs(), sleep };
  return new OutgoingBudgets({
    ...options,
    limiter: new MemoryLimiter({ clock: limiterClock }),
    settings: { open: async () => {}, revision: 0, ruleOf: () => undefined, generationOf: () => 0 },
    defaultBudget: { maxRequests: 100_000, windowMs: 1_000 },
  });
}
