import type { Clock } from '../core/clock.ts';
import { alignedStart, usedInWindow, windowStart } from './fixedWindow.ts';
import { KeySlots, SLOT } from './keySlots.ts';
import { type Limit, type LimitRule, ROUNDING, type TakeAnswer } from './limitRule.ts';
import { SlidingWindow } from './slidingWindow.ts';
import { bucketWaitMs, fillMs, missingTokens } from './tokenBucket.ts';

/** Keys with a slot of their own; about 150 MB when all are used. */
const DEFAULT_MAX_KEYS = 1_000_000;
const KINDS = { fixed_window: 1, sliding_window: 2, token_bucket: 3 } as const;

/** Faster than looking up a name. */
function kindOf({ strategy }: LimitRule): number {
  if (strategy === 'token_bucket') return KINDS.token_bucket;
  return strategy === 'sliding_window' ? KINDS.sliding_window : KINDS.fixed_window;
}

/**
 * Limits counted in this process. Its time is that of the monotonic clock, so setting the machine's clock changes
 * nothing. A key keeps what was used when the rule it is asked with changes, also to another strategy.
 */
export class MemoryLimitStore {
  readonly #clock: Clock;
  readonly #slots: KeySlots;
  /** Makes the monotonic clock agree with the wall clock, so that minutes begin on the minute. */
  readonly #originMs: number;
  /** Of keys with admissions at more than one moment; the others need no log. */
  readonly #logs = new Map<number, SlidingWindow>();

  /** Slots of the limits of the call at hand. */
  readonly #asked: number[] = [];

  constructor(options: { clock: Clock; maxKeys?: number }) {
    this.#clock = options.clock;
    this.#slots = new KeySlots(options.maxKeys ?? DEFAULT_MAX_KEYS, (slot) => this.#logs.delete(slot));
    this.#originMs = options.clock.now() - options.clock.monotonicMs();
  }

  /** Keys remembered now. */
  get size(): number {
    return this.#slots.size;
  }

  /** Times that a key had to share the slot of others, because there were too many. */
  get shared(): number {
    return this.#slots.shared;
  }

  /** Takes `cost` of all limits, or nothing of any. */
  take(limits: readonly Limit[], cost: number): TakeAnswer {
    // Most calls have one limit.
    if (limits.length === 1) return this.#takeOne(limits[0]!, cost);
    const nowMs = this.#begin(limits);
    let [index, waitMs, remaining] = [0, 0, Number.MAX_SAFE_INTEGER];
    for (let each = 0; each < limits.length; each++) {
      const { rule } = limits[each]!;
      const slot = this.#asked[each]!;
      const used = this.#settle(slot, rule, nowMs);
      const limitWaitMs = this.#waitMs(slot, rule, used, cost, nowMs);
      if (limitWaitMs > waitMs) [index, waitMs] = [each, limitWaitMs];
      remaining = Math.min(remaining, rule.capacity - used);
    }
    const granted = waitMs === 0 ? cost : 0;
    this.#recordAll(limits, granted, nowMs);
    const resetInMs = Math.max(0, this.#slots.state[this.#asked[index]! + SLOT.idleAtMs]! - nowMs);
    const left = Math.max(0, Math.floor(remaining - granted + ROUNDING));
    return { granted, remaining: left, index, resetInMs, waitMs };
  }

  #takeOne({ key, rule }: Limit, cost: number): TakeAnswer {
    const nowMs = this.#nowMs();
    this.#slots.forgetSome(nowMs);
    const slot = this.#slots.of(key, rule, nowMs);
    if (rule.strategy === 'token_bucket' && this.#slots.state[slot + SLOT.kind] === KINDS.token_bucket)
      return this.#takeOfBucket(slot, rule, cost, nowMs);
    const used = this.#settle(slot, rule, nowMs);
    const waitMs = this.#waitMs(slot, rule, used, cost, nowMs);
    const granted = waitMs === 0 ? cost : 0;
    this.#record(slot, rule, granted, nowMs);
    const resetInMs = Math.max(0, this.#slots.state[slot + SLOT.idleAtMs]! - nowMs);
    const left = Math.max(0, Math.floor(rule.capacity - used - granted + ROUNDING));
    return { granted, remaining: left, index: 0, resetInMs, waitMs };
  }

  /** What settling, asking and recording come to for a bucket, in one step: half the time of the three. */
  #takeOfBucket(slot: number, rule: LimitRule, cost: number, nowMs: number): TakeAnswer {
    const { state } = this.#slots;
    const used = missingTokens(rule, state[slot + SLOT.used]!, state[slot + SLOT.atMs]!, nowMs);
    const waitMs = bucketWaitMs(rule, used, cost);
    const granted = waitMs === 0 ? cost : 0;
    const resetInMs = fillMs(rule, used + granted);
    state[slot + SLOT.used] = used + granted;
    state[slot + SLOT.atMs] = nowMs;
    state[slot + SLOT.idleAtMs] = nowMs + resetInMs;
    const remaining = Math.max(0, Math.floor(rule.capacity - used - granted + ROUNDING));
    return { granted, remaining, index: 0, resetInMs, waitMs };
  }

  /** Counts what was taken elsewhere, whatever the limits say. */
  charge(limits: readonly Limit[], cost: number): void {
    const nowMs = this.#begin(limits);
    for (let each = 0; each < limits.length; each++) this.#settle(this.#asked[each]!, limits[each]!.rule, nowMs);
    this.#recordAll(limits, cost, nowMs);
  }

  /** What counts as used now. */
  used(limit: Limit): number {
    const nowMs = this.#begin([limit]);
    return this.#settle(this.#asked[0]!, limit.rule, nowMs);
  }

  /** Looks at the next `count` keys and forgets those whose use no longer counts. */
  forgetIdle(count: number): void {
    this.#slots.forgetIdle(count, this.#nowMs());
  }

  /** Finds the slots of a call's limits. */
  #begin(limits: readonly Limit[]): number {
    const nowMs = this.#nowMs();
    this.#slots.forgetSome(nowMs);
    for (let each = 0; each < limits.length; each++) {
      this.#asked[each] = this.#slots.of(limits[each]!.key, limits[each]!.rule, nowMs);
    }
    return nowMs;
  }

  #nowMs(): number {
    return this.#originMs + this.#clock.monotonicMs();
  }

  /** Cost 0 only sets when the keys are idle, which a changed rule changes too. */
  #recordAll(limits: readonly Limit[], cost: number, nowMs: number): void {
    for (let each = 0; each < limits.length; each++) this.#record(this.#asked[each]!, limits[each]!.rule, cost, nowMs);
  }

  /** Brings a slot up to now; gives what counts as used. */
  #settle(slot: number, rule: LimitRule, nowMs: number): number {
    const { state } = this.#slots;
    if (state[slot + SLOT.kind] !== kindOf(rule)) this.#convert(slot, rule, nowMs);
    if (rule.strategy === 'token_bucket') {
      state[slot + SLOT.used] = missingTokens(rule, state[slot + SLOT.used]!, state[slot + SLOT.atMs]!, nowMs);
      state[slot + SLOT.atMs] = nowMs;
    } else if (rule.strategy === 'fixed_window') {
      state[slot + SLOT.used] = usedInWindow(rule, state[slot + SLOT.used]!, state[slot + SLOT.atMs]!, nowMs);
      state[slot + SLOT.atMs] = windowStart(rule, state[slot + SLOT.atMs]!, nowMs);
    } else state[slot + SLOT.used] = this.#settleSliding(slot, rule, nowMs);
    return state[slot + SLOT.used]!;
  }

  #settleSliding(slot: number, rule: LimitRule, nowMs: number): number {
    const { state } = this.#slots;
    const log = this.#log(slot, rule, nowMs);
    if (log !== undefined) {
      const count = log.count(nowMs);
      if (count === 0) this.#logs.delete(slot);
      return count;
    }
    if (state[slot + SLOT.atMs]! > nowMs + 1) state[slot + SLOT.atMs] = Math.ceil(nowMs);
    return nowMs < state[slot + SLOT.atMs]! + rule.windowMs ? state[slot + SLOT.used]! : 0;
  }

  #waitMs(slot: number, rule: LimitRule, used: number, cost: number, nowMs: number): number {
    if (cost > rule.capacity) return Number.POSITIVE_INFINITY;
    if (rule.strategy === 'token_bucket') return bucketWaitMs(rule, used, cost);
    if (used + cost <= rule.limit) return 0;
    if (rule.strategy === 'fixed_window') return this.#slots.state[slot + SLOT.atMs]! + rule.windowMs - nowMs;
    return (
      this.#log(slot, rule, nowMs)?.waitMs(nowMs, rule.limit, cost) ??
      this.#slots.state[slot + SLOT.atMs]! + rule.windowMs - nowMs
    );
  }

  #record(slot: number, rule: LimitRule, cost: number, nowMs: number): void {
    const { state } = this.#slots;
    if (rule.strategy === 'token_bucket') {
      state[slot + SLOT.used]! += cost;
      state[slot + SLOT.idleAtMs] = nowMs + fillMs(rule, state[slot + SLOT.used]!);
      return;
    }
    if (cost > 0) {
      if (rule.strategy === 'sliding_window') this.#recordSliding(slot, rule, cost, nowMs);
      else state[slot + SLOT.used]! += cost;
    }
    // The last admission of a log is at `atMs` or, rounded, a little later.
    const lastMs = this.#logs.size === 0 ? undefined : this.#logs.get(slot)?.emptyInMs(nowMs);
    state[slot + SLOT.idleAtMs] = lastMs === undefined ? state[slot + SLOT.atMs]! + rule.windowMs : nowMs + lastMs;
  }

  #recordSliding(slot: number, rule: LimitRule, cost: number, nowMs: number): void {
    const { state } = this.#slots;
    let log = this.#log(slot, rule, nowMs);
    const timeMs = Math.ceil(nowMs);
    if (log === undefined && state[slot + SLOT.used]! > 0 && state[slot + SLOT.atMs]! < timeMs) {
      log = new SlidingWindow(rule.windowMs);
      log.record(state[slot + SLOT.atMs]!, state[slot + SLOT.used]!);
      this.#logs.set(slot, log);
    }
    log?.record(nowMs, cost);
    state[slot + SLOT.used]! += cost;
    state[slot + SLOT.atMs] = timeMs;
  }

  /** The log of a key, if it has one, for the window that the rule names now. */
  #log(slot: number, rule: LimitRule, nowMs: number): SlidingWindow | undefined {
    if (this.#logs.size === 0) return undefined;
    const log = this.#logs.get(slot);
    if (log === undefined || log.windowMs === rule.windowMs) return log;
    const changed = new SlidingWindow(rule.windowMs);
    changed.seedFrom(log, nowMs);
    this.#logs.set(slot, changed);
    return changed;
  }

  /** Makes the slot one of the rule's strategy: what counts as used until now counts as used at this moment. */
  #convert(slot: number, rule: LimitRule, nowMs: number): void {
    const { state } = this.#slots;
    const before = this.#logs.get(slot)?.count(nowMs) ?? state[slot + SLOT.used]!;
    this.#logs.delete(slot);
    state[slot + SLOT.used] =
      state[slot + SLOT.kind] !== 0 && state[slot + SLOT.idleAtMs]! > nowMs ? Math.ceil(before - ROUNDING) : 0;
    state[slot + SLOT.atMs] = rule.strategy === 'fixed_window' ? alignedStart(rule.windowMs, nowMs) : Math.ceil(nowMs);
    state[slot + SLOT.kind] = kindOf(rule);
  }
}
