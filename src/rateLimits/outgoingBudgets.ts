import type { Clock } from '../core/clock.ts';
import { AbortedError } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import type { ObservedRateLimit } from '../outgoing/types.ts';
import type { CallFeedback, ShareChange } from './adaptiveShare.ts';
import type { Budget, BudgetState, RateBudgets, TakeOptions } from './budgets.ts';
import { RateBudgetExceededError } from './errors.ts';
import type { Learned } from './learnedLimits.ts';
import type { Limiter } from './limiter.ts';
import { type LimitPlan, outgoingPlanOf } from './limitPlan.ts';
import type { TakeAnswer } from './limitRule.ts';
import type { LimitSettings } from './limitSettings.ts';
import type { OutgoingKey } from './outgoingKey.ts';
import { OutgoingKeys } from './outgoingKeys.ts';
import { OUTGOING_ACTION, outgoingRules, shareOf } from './outgoingRules.ts';
import { answeredState, inLineState, pausedState } from './outgoingState.ts';
import type { OutgoingUse } from './types.ts';
import { exceeded, MAX_WAITERS, type Turn, WaitingLine } from './waitingLine.ts';

/** What other replicas hold and do not use comes back within a lease, so those in line ask once after this. */
const EARLY_LOOK_MS = 1_000;
/** A pause is told to others when it is this much longer than what they know. */
const TOLD_STEP_MS = 250;
/** How long budgets count that were looked up for a check. */
const LOOKED_UP_MS = 10_000;
const TAKEN: Turn = { waitMs: 0, lookInMs: 0 };

interface Dependencies {
  readonly limiter: Limiter;
  readonly settings: Pick<LimitSettings, 'open' | 'revision' | 'ruleOf' | 'generationOf'>;
  readonly defaultBudget: Budget;
  readonly clock: Clock;
  /** The budgets of an integration that has sent nothing yet; undefined: the default. */
  readonly budgetsOf?: (integrationId: string) => Promise<readonly Budget[] | undefined>;
  /** Is told of every change of the share of its budgets that an integration uses. */
  readonly changed?: (integrationId: string, change: ShareChange) => void;
  /** Lets other replicas know. */
  readonly tell?: (learned: Learned) => void;
}

/**
 * The budgets of what integrations send, counted where all limits are: shared by every replica, or in this process.
 * What was set for the action `api_call` takes the place of the budgets that callers name. In line, calls wait for
 * their turn in this process; replicas take what comes free as they find it.
 */
export class OutgoingBudgets implements RateBudgets {
  readonly #deps: Dependencies;
  readonly #open: () => Promise<void>;
  #isOpen = false;
  readonly keys: OutgoingKeys;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.keys = new OutgoingKeys();
    this.#open = lazy(async () => {
      await deps.settings.open();
      this.#isOpen = true;
    });
  }

  async take(id: string, budgets: readonly Budget[], options: TakeOptions): Promise<{ waitedMs: number }> {
    const { clock } = this.#deps;
    throwIfAborted(options.signal);
    const startedMs = clock.monotonicMs();
    if (!this.#isOpen) await this.#open();
    const key = this.#named(id, budgets, startedMs);
    if (key.waiting === 0) {
      const asked = this.#take(key);
      const { waitMs } = asked instanceof Promise ? await asked : asked;
      throwIfAborted(options.signal);
      if (waitMs === 0) return { waitedMs: clock.monotonicMs() - startedMs };
    }
    const call = { isInteractive: options.priority === 'interactive', deadlineMs: startedMs + options.maxWaitMs };
    try {
      this.#refuseHopeless(key, call);
      key.line ??= new WaitingLine({ clock, take: () => this.#take(key) });
      await key.line.stand(call, options.signal);
    } catch (error) {
      if (error instanceof RateBudgetExceededError) this.keys.count(key, false);
      throw error;
    }
    return { waitedMs: clock.monotonicMs() - startedMs };
  }

  async check(id: string, budgets: readonly Budget[]): Promise<BudgetState> {
    if (!this.#isOpen) await this.#open();
    const nowMs = this.#deps.clock.monotonicMs();
    return this.#check(this.#named(id, budgets, nowMs), nowMs);
  }

  /** As `check`, with the budgets that the integration is known or found to have. */
  checkKnown(id: string): BudgetState | Promise<BudgetState> {
    const nowMs = this.#deps.clock.monotonicMs();
    if (!this.#isOpen) return this.#open().then(() => this.checkKnown(id));
    const key = this.keys.of(id, nowMs);
    return nowMs < key.budgetsUntilMs ? this.#check(key, nowMs) : this.#lookUp(key).then(() => this.#check(key, nowMs));
  }

  observe(id: string, observed: ObservedRateLimit): void {
    const { clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const key = this.keys.of(id, nowMs);
    const provider = key.said();
    provider.observe(observed, nowMs, clock.now());
    // Those in line may now have to wait longer than they want to, and should hear it at once.
    key.line?.wake();
    if (provider.shutUntilMs > Math.max(nowMs, key.toldUntilMs + TOLD_STEP_MS)) {
      this.#tell(key, 'The provider answered that nothing is left.');
    }
  }

  learn(id: string, feedback: CallFeedback): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const key = this.keys.of(id, nowMs);
    const change = key.learning().learn(feedback, nowMs);
    if (change === null) return;
    key.line?.wake();
    this.#deps.changed?.(id, change);
    this.#tell(key, change.reason);
  }

  /** Takes over what another replica learned. */
  hear({ integrationId, share, reason, shutForMs }: Learned): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const key = this.keys.of(integrationId, nowMs);
    if (shutForMs > 0) {
      key.said().shut(nowMs + shutForMs);
      key.toldUntilMs = Math.max(key.toldUntilMs, nowMs + shutForMs);
    }
    const change = key.learning().adopt(share, nowMs, `Another replica: ${reason}`);
    if (change !== null) this.#deps.changed?.(integrationId, change);
    key.line?.wake();
  }

  /** For the statistics. */
  uses(id?: string): OutgoingUse[] {
    const { clock } = this.#deps;
    return this.keys.outgoing(clock.monotonicMs(), clock.now(), id);
  }

  #tell(key: OutgoingKey, reason: string): void {
    const { clock, limiter, tell } = this.#deps;
    if (tell === undefined || !limiter.isShared) return;
    key.toldUntilMs = key.said().shutUntilMs;
    const shutForMs = Math.max(0, key.toldUntilMs - clock.monotonicMs());
    tell({ integrationId: key.id, share: key.share, reason, shutForMs });
  }

  #named(id: string, budgets: readonly Budget[], nowMs: number): OutgoingKey {
    const key = this.keys.of(id, nowMs);
    key.name(budgets.length === 0 ? [this.#deps.defaultBudget] : budgets, Number.POSITIVE_INFINITY);
    return key;
  }

  async #lookUp(key: OutgoingKey): Promise<void> {
    const { budgetsOf, clock, defaultBudget } = this.#deps;
    const found = (await budgetsOf?.(key.id)) ?? [];
    key.name(found.length === 0 ? [defaultBudget] : found, clock.monotonicMs() + LOOKED_UP_MS);
  }

  /** @throws RateBudgetExceededError for a call that can be known not to be served in time, or has no room in line */
  #refuseHopeless(key: OutgoingKey, call: { readonly isInteractive: boolean; readonly deadlineMs: number }): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const ahead = key.line?.ahead(call.isInteractive) ?? 0;
    const queueMs = key.queueMs(ahead);
    const soonestMs = Math.max(nowMs, key.looksAtMs) + queueMs;
    if (soonestMs > call.deadlineMs || ahead >= MAX_WAITERS)
      throw exceeded(Math.max(0, key.fitsAtMs - nowMs) + queueMs);
  }

  #take(key: OutgoingKey): Turn | Promise<Turn> {
    const nowMs = this.#deps.clock.monotonicMs();
    const pausedMs = key.pausedMs(nowMs);
    if (pausedMs > 0) {
      this.#planOf(key);
      key.waitsUntil(nowMs + pausedMs, nowMs + pausedMs);
      return { waitMs: pausedMs, lookInMs: pausedMs };
    }
    const asked = this.#ask(key);
    return asked instanceof Promise ? asked.then((answer) => this.#turnOf(key, answer)) : this.#turnOf(key, asked);
  }

  #turnOf(key: OutgoingKey, { granted, waitMs }: TakeAnswer): Turn {
    if (granted > 0) return TAKEN;
    const nowMs = this.#deps.clock.monotonicMs();
    // What is said to fit at this moment did not.
    const fitsInMs = Math.max(1, waitMs);
    const early = this.#deps.limiter.isShared && !key.hasLooked;
    key.hasLooked = true;
    const lookInMs = early ? Math.min(fitsInMs, EARLY_LOOK_MS) : fitsInMs;
    key.waitsUntil(nowMs + fitsInMs, nowMs + lookInMs);
    return { waitMs: fitsInMs, lookInMs };
  }

  #check(key: OutgoingKey, nowMs: number): BudgetState | Promise<BudgetState> {
    const pausedMs = key.pausedMs(nowMs);
    if (key.waiting > 0 || pausedMs > 0) {
      this.#planOf(key);
      this.keys.count(key, false);
      return key.waiting > 0 ? inLineState(key, nowMs) : pausedState(key, pausedMs, this.#deps.clock.now());
    }
    const asked = this.#ask(key);
    if (asked instanceof Promise) return asked.then((answer) => this.#checked(key, answer));
    return this.#checked(key, asked);
  }

  #checked(key: OutgoingKey, answer: TakeAnswer): BudgetState {
    if (answer.granted === 0) this.keys.count(key, false);
    return answeredState(key, answer);
  }

  /** Asks the limiter for one call, which then counts in everything that is known of the key. */
  #ask(key: OutgoingKey): TakeAnswer | Promise<TakeAnswer> {
    const plan = this.#planOf(key);
    // Counted before the answer, so that calls that are asked for together see each other.
    const counted = key.provider === null ? null : key.provider.count();
    const asked =
      key.releasing === null
        ? this.#deps.limiter.take(plan, 1)
        : key.releasing.then(() => this.#deps.limiter.take(plan, 1));
    if (asked instanceof Promise) return asked.then((answer) => this.#answered(key, answer, counted));
    return this.#answered(key, asked, counted);
  }

  #answered(key: OutgoingKey, answer: TakeAnswer, counted: { remaining: number } | null): TakeAnswer {
    if (answer.granted > 0) {
      key.hasLooked = false;
      this.keys.count(key, true);
    } else if (counted !== null) counted.remaining += 1;
    key.remaining = answer.remaining;
    key.resetAtEpochMs = this.#deps.clock.now() + answer.resetInMs;
    return answer;
  }

  #planOf(key: OutgoingKey): LimitPlan {
    const { settings, limiter } = this.#deps;
    const { share } = key;
    const before = key.plan;
    if (key.revision === settings.revision && key.planShare === share && key.planBudgets === key.budgets)
      return before!;
    const set = settings.ruleOf(key.id, OUTGOING_ACTION);
    key.rules = outgoingRules(key.budgets!, set);
    key.adjusted = set !== undefined;
    const rules = key.rules.map((rule) => shareOf(rule, share));
    key.plan = outgoingPlanOf({ integrationId: key.id, generation: settings.generationOf(key.id), rules });
    [key.revision, key.planShare, key.planBudgets] = [settings.revision, share, key.budgets];
    if (before !== null && before.id !== key.plan.id && limiter.isShared) this.#release(key, before);
    return key.plan;
  }

  /** What is held under the old limits is free under the new ones. */
  #release(key: OutgoingKey, { id }: LimitPlan): void {
    const releasing = this.#deps.limiter.release(id).finally(() => {
      if (key.releasing === releasing) key.releasing = null;
    });
    key.releasing = releasing;
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError('The call was cancelled before it was sent.', { cause: signal.reason });
}
