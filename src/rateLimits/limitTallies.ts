import type { Clock } from '../core/clock.ts';
import type { CompleteRule, LimitPlan } from './limitPlan.ts';
import type { TakeAnswer } from './limitRule.ts';
import type { OutgoingUse, RateLimitStats, RateLimitUse } from './types.ts';

/** Integrations and actions whose calls are counted one by one; the one that came first makes room. */
const MAX_TALLIES = 100_000;
const MAX_SHOWN = 1_000;

/** What was asked for one action of one integration. */
export interface Tally {
  readonly integrationId: string;
  readonly action: string;
  /** As it was last asked with. */
  rule: CompleteRule;
  adjusted: boolean;
  /** Of calls without a config, as of that revision of what was set. */
  plan: LimitPlan | null;
  revision: number;
  allowed: number;
  refused: number;
  remaining: number;
  resetAtMs: number;
}

/** Of a process that has checked nothing yet. */
export function emptyStats(): RateLimitStats {
  const store = { name: 'memory', state: 'ok', lostSince: null, replicas: 1 } as const;
  return { store, ...statsOf([], []), changes: [] };
}

/** Counts checks, for the statistics; bounded. */
export class LimitTallies {
  readonly #clock: Clock;
  readonly #tallies = new Map<string, Map<string, Tally>>();
  #oldest = this.#tallies.keys();
  #size = 0;
  /** Also of those that made room. */
  allowed = 0;
  refused = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(integrationId: string, action: string): Tally | undefined {
    return this.#tallies.get(integrationId)?.get(action);
  }

  add(integrationId: string, action: string, rule: CompleteRule): Tally {
    while (this.#size >= MAX_TALLIES) this.#dropOldest();
    const tally: Tally = {
      integrationId,
      action,
      rule,
      adjusted: false,
      plan: null,
      revision: -1,
      allowed: 0,
      refused: 0,
      remaining: rule.maxRequests,
      resetAtMs: this.#clock.now(),
    };
    const actions = this.#tallies.get(integrationId) ?? new Map<string, Tally>();
    actions.set(action, tally);
    this.#tallies.set(integrationId, actions);
    this.#size += 1;
    return tally;
  }

  count(tally: Tally, { granted, remaining, resetInMs }: TakeAnswer): void {
    if (granted > 0) {
      tally.allowed += 1;
      this.allowed += 1;
    } else {
      tally.refused += 1;
      this.refused += 1;
    }
    tally.remaining = remaining;
    tally.resetAtMs = this.#clock.now() + resetInMs;
  }

  clear(integrationId?: string): void {
    const cleared = integrationId === undefined ? [...this.#tallies.keys()] : [integrationId];
    for (const id of cleared) {
      for (const { allowed, refused } of this.#tallies.get(id)?.values() ?? []) {
        this.allowed -= allowed;
        this.refused -= refused;
        this.#size -= 1;
      }
      this.#tallies.delete(id);
    }
    if (integrationId === undefined) [this.allowed, this.refused] = [0, 0];
  }

  /** Of those that are counted one by one. */
  uses(integrationId?: string): RateLimitUse[] {
    const chosen =
      integrationId === undefined ? [...this.#tallies.values()] : [this.#tallies.get(integrationId) ?? new Map()];
    return chosen.flatMap((actions) => [...actions.values()] as Tally[]).map(useOf);
  }

  /** The oldest integration's; plans are made again when they are asked for. */
  #dropOldest(): void {
    // One iterator for all: a new one would have to pass everything that was deleted.
    const id = this.#oldest.next().value;
    if (id === undefined) this.#oldest = this.#tallies.keys();
    else {
      this.#size -= this.#tallies.get(id)?.size ?? 0;
      this.#tallies.delete(id);
    }
  }
}

/** The sums of these, and the latest of them. */
export function statsOf(
  limits: readonly RateLimitUse[],
  outgoing: readonly OutgoingUse[],
): Omit<RateLimitStats, 'store' | 'changes'> {
  const allowed = limits.reduce((sum, limit) => sum + limit.allowed, 0);
  const refused = limits.reduce((sum, limit) => sum + limit.refused, 0);
  return {
    totalChecks: allowed + refused,
    allowed,
    refused,
    activeLimits: limits.length,
    limits: limits.slice(-MAX_SHOWN),
    waiting: outgoing.reduce((sum, { waiting }) => sum + waiting, 0),
    outgoing: outgoing.slice(-MAX_SHOWN),
  };
}

function useOf(tally: Tally): RateLimitUse {
  const { strategy, maxRequests, windowSize, burstLimit } = tally.rule;
  return {
    integrationId: tally.integrationId,
    action: tally.action,
    strategy,
    maxRequests,
    windowSize,
    burstLimit: burstLimit ?? null,
    adjusted: tally.adjusted,
    remaining: tally.remaining,
    resetAt: new Date(Math.ceil(tally.resetAtMs)).toISOString(),
    allowed: tally.allowed,
    refused: tally.refused,
  };
}
