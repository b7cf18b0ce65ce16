import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import type { Log } from '../core/log.ts';
import type { BudgetState } from './budgets.ts';
import type { Limiter } from './limiter.ts';
import {
  type CompleteRule,
  type LimitPlan,
  parseAdjustment,
  parseConfig,
  parseNames,
  planOf,
  refusalOf,
} from './limitPlan.ts';
import type { TakeAnswer } from './limitRule.ts';
import type { LimitSettings } from './limitSettings.ts';
import { LimitTallies, statsOf, type Tally } from './limitTallies.ts';
import type { OutgoingBudgets } from './outgoingBudgets.ts';
import { OUTGOING_ACTION } from './outgoingRules.ts';
import type { ShareChanges } from './shareChanges.ts';
import type { RateLimitConfig, RateLimitResult, RateLimitRule, RateLimitStats, RateLimitStoreState } from './types.ts';

/** Said of a call that costs more than its limit, however long it waits. */
const NO_TIME_MS = Number.POSITIVE_INFINITY;

interface Dependencies {
  readonly limiter: Limiter;
  readonly settings: LimitSettings;
  readonly outgoing: OutgoingBudgets;
  readonly defaultBudget: { readonly maxRequests: number; readonly windowMs: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly shareChanges: ShareChanges;
}

/**
 * Limits of calls, for each integration, action and user. What is used is counted in memory, or shared by all replicas
 * in Redis or PostgreSQL. What each strategy promises is in docs/rate-limits.md.
 */
export class RateLimitingService {
  readonly #deps: Dependencies;
  readonly #tallies: LimitTallies;
  readonly #open: () => Promise<void>;
  #isOpen = false;
  #writtenMs = Number.NaN;
  #written = '';
  /** Where the store is shared, checks wait until what was cleared is cleared. */
  #clearing: Promise<void> | null = null;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#tallies = new LimitTallies(deps.clock);
    this.#open = lazy(async () => {
      await deps.settings.open();
      this.#isOpen = true;
    });
  }

  /**
   * Takes one call from its limits when all of them allow it; a refused call takes nothing. Fields that `adjustRateLimit`
   * set win over those of `config`, and these over the defaults. The action `api_call` without a `config` is the budget of
   * the integration's own outgoing calls.
   * @throws InvalidInputError with every problem of the names and the config
   */
  async checkRateLimit(integrationId: string, action: string, config?: RateLimitConfig): Promise<RateLimitResult> {
    if (!this.#isOpen) await this.#open();
    if (this.#clearing !== null) await this.#clearing;
    if (action === OUTGOING_ACTION && config === undefined) {
      const state = this.#checkOutgoing(integrationId);
      return this.#outgoingResult(state instanceof Promise ? await state : state);
    }
    const tally = this.#tallies.find(integrationId, action) ?? this.#begin(integrationId, action);
    const known = config === undefined && tally.revision === this.#deps.settings.revision ? tally.plan : null;
    const plan = known ?? (await this.#plan(tally, config));
    const asked = this.#deps.limiter.take(plan, config?.cost ?? 1);
    const answer = asked instanceof Promise ? await asked : asked;
    this.#tallies.count(tally, answer);
    return this.#result(tally.rule, plan, answer, config?.cost ?? 1);
  }

  /**
   * Sets the fields given, for good; for `api_call` they rule what the integration sends. Counts here when it resolves and on every other replica within a second; what was
   * used stays used.
   * @throws InvalidInputError with every problem; nothing was changed
   */
  async adjustRateLimit(integrationId: string, action: string, newConfig: Partial<RateLimitRule>): Promise<void> {
    parseNames(integrationId, action);
    const rule = parseAdjustment(newConfig);
    await this.#open();
    await this.#deps.settings.adjust(integrationId, action, rule);
  }

  /**
   * Forgets what was used by an integration, or by all, and their counts in the statistics. What was set by
   * `adjustRateLimit` stays. Other replicas hear of it within a second.
   */
  clearRateLimits(integrationId?: string): void {
    if (integrationId !== undefined) parseNames(integrationId, 'clear');
    this.#tallies.clear(integrationId);
    this.#deps.outgoing.keys.clearCounts(integrationId);
    const before = this.#clearing;
    const clearing = (async () => {
      await before;
      await this.#open();
      await this.#deps.settings.startGeneration(integrationId);
    })()
      .catch((error: unknown) => {
        this.#deps.log.error('Rate limits could not be cleared', { integrationId, reason: errorMessage(error) });
      })
      .finally(() => {
        if (this.#clearing === clearing) this.#clearing = null;
      });
    this.#clearing = clearing;
  }

  /** What this process has counted since it started, of one integration or of all. */
  getRateLimitStats(integrationId?: string): RateLimitStats {
    const { outgoing, shareChanges } = this.#deps;
    const limits = [...this.#tallies.uses(integrationId), ...outgoing.keys.uses(integrationId)];
    const sent = this.#deps.outgoing.uses(integrationId);
    const stats = statsOf(limits, sent);
    const changes = shareChanges.of(integrationId);
    if (integrationId !== undefined) return { store: this.storeState(), ...stats, changes };
    // Also of those that made room.
    const allowed = this.#tallies.allowed + outgoing.keys.allowed;
    const refused = this.#tallies.refused + outgoing.keys.refused;
    return { store: this.storeState(), ...stats, totalChecks: allowed + refused, allowed, refused, changes };
  }

  /** Where limits are counted, and whether that works. */
  storeState(): RateLimitStoreState {
    return this.#deps.limiter.state();
  }

  async close(): Promise<void> {
    await this.#clearing;
  }

  #checkOutgoing(integrationId: string): BudgetState | Promise<BudgetState> {
    const { outgoing } = this.#deps;
    if (outgoing.keys.find(integrationId) === undefined) parseNames(integrationId, OUTGOING_ACTION);
    return outgoing.checkKnown(integrationId);
  }

  #outgoingResult(state: BudgetState): RateLimitResult {
    const { allowed, limit, remaining, resetAtMs, retryAfterMs, strategy, reason } = state;
    const retryAfter = Math.ceil(retryAfterMs / 1_000);
    return { allowed, limit, remaining, resetAt: this.#isoTime(resetAtMs), retryAfter, strategy, reason };
  }

  #begin(integrationId: string, action: string): Tally {
    parseNames(integrationId, action);
    const rule = this.#completeRule(integrationId, action, {});
    return this.#tallies.add(integrationId, action, rule);
  }

  /** The plan of a call. That without a config is remembered until something is set. */
  async #plan(tally: Tally, config: RateLimitConfig | undefined): Promise<LimitPlan> {
    const { settings, limiter } = this.#deps;
    const { integrationId, action } = tally;
    const parsed = config === undefined ? {} : parseConfig(config);
    const rule = this.#completeRule(integrationId, action, parsed);
    const plan = planOf({
      integrationId,
      action,
      generation: settings.generationOf(integrationId),
      rule,
      config: parsed,
    });
    tally.rule = rule;
    tally.adjusted = settings.ruleOf(integrationId, action) !== undefined;
    if (config !== undefined) return plan;
    const before = tally.plan;
    tally.plan = plan;
    tally.revision = settings.revision;
    // What is held under the old limits is free under the new ones.
    if (before !== null && before.id !== plan.id) await limiter.release(before.id);
    return plan;
  }

  #completeRule(integrationId: string, action: string, config: RateLimitRule): CompleteRule {
    const { settings, defaultBudget } = this.#deps;
    const set = settings.ruleOf(integrationId, action);
    return {
      strategy: set?.strategy ?? config.strategy ?? 'sliding_window',
      maxRequests: set?.maxRequests ?? config.maxRequests ?? defaultBudget.maxRequests,
      windowSize: set?.windowSize ?? config.windowSize ?? defaultBudget.windowMs,
      burstLimit: set?.burstLimit ?? config.burstLimit,
    };
  }

  /** Writing a time takes longer than a check; busy callers ask within the same millisecond. */
  #isoTime(atMs: number): string {
    if (atMs !== this.#writtenMs) {
      this.#writtenMs = atMs;
      this.#written = new Date(atMs).toISOString();
    }
    return this.#written;
  }

  #result(rule: CompleteRule, plan: LimitPlan, answer: TakeAnswer, cost: number): RateLimitResult {
    const { granted, remaining, resetInMs, waitMs } = answer;
    const allowed = granted > 0;
    const never = waitMs === NO_TIME_MS;
    return {
      allowed,
      limit: rule.maxRequests,
      remaining: allowed ? remaining : Math.min(remaining, cost - 1),
      resetAt: this.#isoTime(Math.ceil(this.#deps.clock.now() + resetInMs)),
      retryAfter: allowed ? 0 : Math.max(1, Math.ceil((never ? rule.windowSize : waitMs) / 1_000)),
      strategy: rule.strategy,
      reason: allowed ? null : refusalOf(plan, answer, cost),
    };
  }
}
