import type { Clock } from '../core/clock.ts';
import type { LimitPlan } from './limitPlan.ts';
import type { Limit, LimitRule, TakeAnswer } from './limitRule.ts';
import { MemoryLimitStore } from './memoryLimitStore.ts';

/** Plans whose use is remembered for the store's return. */
const MAX_PLANS = 50_000;

/**
 * What a replica allows while the shared store does not answer: its part of every limit, the limit divided by the
 * replicas last seen. What the store was last known to have counted is divided likewise, and not allowed again.
 */
export class AloneLimits {
  readonly #store: MemoryLimitStore;
  readonly #replicas: number;
  readonly #spent = new Map<string, { readonly plan: LimitPlan; cost: number }>();

  constructor(options: { clock: Clock; replicas: number }) {
    this.#store = new MemoryLimitStore({ clock: options.clock });
    this.#replicas = options.replicas;
  }

  /** `known`: what the store said last, or null. */
  take(plan: LimitPlan, cost: number, known: TakeAnswer | null): TakeAnswer {
    const limits = plan.limits.map((limit) => partOf(limit, this.#replicas));
    let spent = this.#spent.get(plan.id);
    if (spent === undefined) {
      // Of several limits the answer tells only the tightest.
      if (known !== null && limits.length === 1) {
        const used = plan.limits[0]!.rule.capacity - known.remaining;
        if (used > 0) this.#store.charge(limits, Math.ceil(used / this.#replicas));
      }
      spent = { plan, cost: 0 };
      if (this.#spent.size < MAX_PLANS) this.#spent.set(plan.id, spent);
    }
    const answer = this.#store.take(limits, cost);
    spent.cost += answer.granted;
    return answer;
  }

  /** What was allowed of each limit and still counts; each is told once. */
  *spent(): Generator<{ readonly limit: Limit; readonly cost: number }> {
    for (const [planId, { plan, cost }] of this.#spent) {
      this.#spent.delete(planId);
      if (cost === 0) continue;
      for (const limit of plan.limits) {
        const counts = Math.min(cost, Math.ceil(this.#store.used(partOf(limit, this.#replicas))));
        if (counts > 0) yield { limit, cost: counts };
      }
    }
  }
}

/** A limit smaller than the number of replicas becomes one call in a window that is as much longer. */
function partOf({ key, rule }: Limit, replicas: number): Limit {
  return { key, rule: divided(rule, replicas) };
}

function divided(rule: LimitRule, replicas: number): LimitRule {
  if (replicas <= 1) return rule;
  const { limit, windowMs } = rule;
  const capacity = Math.max(1, Math.floor(rule.capacity / replicas));
  if (rule.strategy === 'token_bucket') return { ...rule, limit: limit / replicas, capacity };
  if (limit >= replicas) return { ...rule, limit: Math.floor(limit / replicas), capacity };
  return { ...rule, limit: 1, capacity: 1, windowMs: Math.ceil((windowMs * replicas) / limit) };
}
