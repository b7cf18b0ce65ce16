import { AdaptiveShare } from './adaptiveShare.ts';
import type { Budget } from './budgets.ts';
import type { CompleteRule, LimitPlan } from './limitPlan.ts';
import { OUTGOING_ACTION } from './outgoingRules.ts';
import { ProviderWord } from './providerWord.ts';
import type { OutgoingUse, RateLimitUse } from './types.ts';
import type { WaitingLine } from './waitingLine.ts';

/** A share that nothing has changed for this long may be forgotten. */
const SHARE_KEPT_MS = 600_000;

/** What this process knows of the outgoing calls of one integration. Times are monotonic unless they say epoch. */
export class OutgoingKey {
  readonly id: string;
  /** Made when something is learned, heard or waits: of most keys there are many, and nothing of these. */
  adaptive: AdaptiveShare | null = null;
  provider: ProviderWord | null = null;
  line: WaitingLine | null = null;
  /** Those named last, or looked up; null: none yet. */
  budgets: readonly Budget[] | null = null;
  /** Until when what was looked up counts. */
  budgetsUntilMs = Number.NEGATIVE_INFINITY;
  /** Made of these budgets, of that share of them, and as of that revision of what was set. */
  plan: LimitPlan | null = null;
  planBudgets: readonly Budget[] | null = null;
  planShare = 1;
  revision = -1;
  /** Without the share. */
  rules: readonly CompleteRule[] = [];
  adjusted = false;
  /** What was held under the plan before is going back. */
  releasing: Promise<void> | null = null;
  /** Until when other replicas know that nothing is left. */
  toldUntilMs = Number.NEGATIVE_INFINITY;
  /** When a call fits, and when the first in line asks again, as of the last refusal. */
  fitsAtMs = Number.NEGATIVE_INFINITY;
  looksAtMs = Number.NEGATIVE_INFINITY;
  /** It was asked again early since the last call that was taken. */
  hasLooked = false;
  usedAtMs = Number.NEGATIVE_INFINITY;
  allowed = 0;
  refused = 0;
  /** As of the last answer of the limiter. */
  remaining = 0;
  resetAtEpochMs = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Of its budgets, what it uses. */
  get share(): number {
    return this.adaptive === null ? 1 : this.adaptive.share;
  }

  /** Calls in line. */
  get waiting(): number {
    return this.line === null ? 0 : this.line.length;
  }

  /** Milliseconds until the provider lets a call through, by its own word; 0: now. */
  pausedMs(nowMs: number): number {
    return this.provider === null ? 0 : this.provider.waitMs(nowMs);
  }

  learning(): AdaptiveShare {
    this.adaptive ??= new AdaptiveShare();
    return this.adaptive;
  }

  said(): ProviderWord {
    this.provider ??= new ProviderWord();
    return this.provider;
  }

  /** Lists of the same budgets are the same. What a call named needs no looking up. */
  name(budgets: readonly Budget[], untilMs: number): void {
    if (this.budgets === null || !sameBudgets(this.budgets, budgets)) this.budgets = budgets;
    this.budgetsUntilMs = untilMs;
  }

  waitsUntil(fitsAtMs: number, looksAtMs: number): void {
    this.fitsAtMs = fitsAtMs;
    this.looksAtMs = looksAtMs;
  }

  /** Of its limits as they are used now. */
  get smallestLimit(): number {
    let smallest = Number.POSITIVE_INFINITY;
    for (const { rule } of this.plan!.limits) smallest = Math.min(smallest, rule.capacity);
    return smallest;
  }

  /** Milliseconds that lie, at least, between the first in line and the call with that many before it. */
  queueMs(ahead: number): number {
    let longestMs = 0;
    for (const { rule } of this.plan?.limits ?? []) {
      // In a sliding window a call and the one `limit` places before it are a window apart.
      if (rule.strategy !== 'sliding_window' || ahead < rule.limit) continue;
      longestMs = Math.max(longestMs, Math.floor(ahead / rule.limit) * rule.windowMs);
    }
    return longestMs;
  }

  /** Whether forgetting this key changes nothing. */
  isSettled(nowMs: number): boolean {
    const changedAtMs = this.adaptive?.changedAtMs ?? Number.NEGATIVE_INFINITY;
    const shareSettled = this.share === 1 || nowMs - changedAtMs > SHARE_KEPT_MS;
    return this.waiting === 0 && shareSettled && (this.provider?.isIdle(nowMs) ?? true);
  }

  use(): RateLimitUse {
    const { strategy, maxRequests, windowSize, burstLimit } = this.rules[0]!;
    return {
      integrationId: this.id,
      action: OUTGOING_ACTION,
      strategy,
      maxRequests,
      windowSize,
      burstLimit: burstLimit ?? null,
      adjusted: this.adjusted,
      remaining: this.remaining,
      resetAt: new Date(Math.ceil(this.resetAtEpochMs)).toISOString(),
      allowed: this.allowed,
      refused: this.refused,
    };
  }

  outgoingUse(nowMs: number, epochMs: number): OutgoingUse {
    const shutMs = this.pausedMs(nowMs);
    return {
      integrationId: this.id,
      share: this.share,
      waiting: this.waiting,
      budgets: this.rules.map(({ maxRequests, windowSize }) => ({ maxRequests, windowSize })),
      pausedUntil: shutMs === 0 ? null : new Date(Math.ceil(epochMs + shutMs)).toISOString(),
    };
  }
}

function sameBudgets(some: readonly Budget[], others: readonly Budget[]): boolean {
  if (some === others) return true;
  if (some.length !== others.length) return false;
  return some.every(({ maxRequests, windowMs }, index) => {
    const other = others[index]!;
    return maxRequests === other.maxRequests && windowMs === other.windowMs;
  });
}
