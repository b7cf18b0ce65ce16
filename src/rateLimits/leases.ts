import type { LimitPlan } from './limitPlan.ts';
import type { Limit, TakeAnswer } from './limitRule.ts';
import type { SharedLimitStore } from './sharedLimitStore.ts';

/** Plans with a lease at a time; those beyond ask the store for every call. */
const MAX_LEASES = 50_000;
const MAX_LEASE_MS = 1_000;
const MIN_LEASE_MS = 20;
/** A lease lasts the n-th part of a window at most: as much later does what was used in it leave the window. */
const LEASES_IN_WINDOW = 50;
/** Smaller buckets are not leased from: they would have to be made smaller by what they gain in a lease. */
const MIN_LEASED_CAPACITY = 1_000;
const LEASED_SHARE_OF_BUCKET = 0.01;
const MAX_BLOCK = 1_000_000;
/** The next block is at most this many times the last. */
const GROWTH = 4;
/** A refusal answers later calls for at most this long, as others may give back. */
const MAX_REFUSAL_MS = 100;
const FORGET_AFTER_MS = 10_000;

interface Lease {
  readonly plan: LimitPlan;
  readonly leaseMs: number;
  /** Plan's limits; of buckets, made smaller by what they gain in a lease. */
  readonly limits: readonly Limit[];
  /** Of the block taken last, what is not used yet. */
  left: number;
  block: number;
  blockMs: number;
  askedAtMs: number;
  validUntilMs: number;
  takenAtMs: number;
  answer: TakeAnswer;
  refusedUntilMs: number;
  refusedCost: number;
  asking: Promise<void> | null;
}

/**
 * Takes what a busy plan needs from a shared store in blocks, and answers most calls out of them without asking. A block
 * is as large as what was used lately in the time that a lease lasts. What is left of it goes back when it is not used,
 * and is lost, never used twice, when the process dies.
 */
export class Leases {
  readonly #store: SharedLimitStore;
  readonly #nowMs: () => number;
  readonly #replicas: () => number;
  readonly #leases = new Map<string, Lease>();

  /** `nowMs`: monotonic. */
  constructor(options: { store: SharedLimitStore; nowMs: () => number; replicas: () => number }) {
    this.#store = options.store;
    this.#nowMs = options.nowMs;
    this.#replicas = options.replicas;
  }

  /** Answers from what was leased, or null when the store has to be asked. */
  takeLeased(plan: LimitPlan, cost: number): TakeAnswer | null {
    const lease = this.#leases.get(plan.id);
    if (lease === undefined) return null;
    const nowMs = this.#nowMs();
    if (lease.left >= cost && nowMs < lease.validUntilMs) return this.#use(lease, cost, nowMs);
    if (nowMs < lease.refusedUntilMs && cost === lease.refusedCost) return refusal(lease, nowMs);
    return null;
  }

  /** Asks the store, together with whoever else asks for the same. Throws what the store throws. */
  async take(plan: LimitPlan, cost: number): Promise<TakeAnswer> {
    const lease = this.#leaseOf(plan);
    for (;;) {
      const answer = this.takeLeased(plan, cost);
      if (answer !== null) return answer;
      if (lease.asking === null) return this.#ask(lease, cost);
      await lease.asking;
    }
  }

  /** What the last answer said, or null: of a plan that was not asked for lately nothing is known. */
  lastAnswer(plan: LimitPlan): TakeAnswer | null {
    const lease = this.#leases.get(plan.id);
    return lease === undefined || lease.askedAtMs < 0 ? null : lease.answer;
  }

  /** Gives back what is not used any more, and forgets plans that nobody asks for. */
  async tidy(): Promise<void> {
    const nowMs = this.#nowMs();
    const returned: Promise<void>[] = [];
    for (const lease of this.#leases.values()) {
      const halfMs = lease.validUntilMs - lease.leaseMs / 2;
      const slow = nowMs > halfMs && lease.left > lease.block / 2;
      if (lease.left > 0 && (slow || nowMs >= lease.validUntilMs)) returned.push(this.#giveBack(lease));
      if (lease.left === 0 && lease.asking === null && nowMs - lease.askedAtMs > FORGET_AFTER_MS) {
        this.#leases.delete(lease.plan.id);
      }
    }
    await Promise.all(returned);
  }

  /** Gives back what is left of a plan that is not asked for again. */
  async release(planId: string): Promise<void> {
    const lease = this.#leases.get(planId);
    if (lease === undefined) return;
    this.#leases.delete(planId);
    await lease.asking;
    if (lease.left > 0) await this.#giveBack(lease);
  }

  /** Gives everything back. */
  async close(): Promise<void> {
    const leases = [...this.#leases.values()].filter(({ left }) => left > 0);
    await Promise.all(leases.map((lease) => this.#giveBack(lease)));
  }

  #leaseOf(plan: LimitPlan): Lease {
    const known = this.#leases.get(plan.id);
    if (known !== undefined) return known;
    const leaseMs = this.#leases.size >= MAX_LEASES ? 0 : leaseMsOf(plan.limits);
    const lease: Lease = {
      plan,
      leaseMs,
      limits: leasedLimits(plan.limits, leaseMs),
      left: 0,
      block: 0,
      blockMs: leaseMs,
      askedAtMs: -1,
      validUntilMs: -1,
      takenAtMs: 0,
      answer: { granted: 0, remaining: 0, index: 0, resetInMs: 0, waitMs: 0 },
      refusedUntilMs: -1,
      refusedCost: 0,
      asking: null,
    };
    if (this.#leases.size < MAX_LEASES) this.#leases.set(plan.id, lease);
    return lease;
  }

  async #ask(lease: Lease, cost: number): Promise<TakeAnswer> {
    const { promise, resolve } = Promise.withResolvers<void>();
    lease.asking = promise;
    try {
      // Before asking: by the clock of the store the lease begins no earlier.
      const nowMs = this.#nowMs();
      if (lease.left > 0) void this.#giveBack(lease);
      const atMost = blockSize(lease, cost, nowMs);
      const leaseMs = atMost === cost ? 0 : lease.leaseMs;
      const answer = await this.#store.take(lease.limits, {
        atLeast: cost,
        atMost,
        share: 2 * this.#replicas(),
        leaseMs,
      });
      lease.answer = answer;
      if (answer.granted === 0) {
        lease.refusedCost = cost;
        lease.refusedUntilMs = nowMs + Math.min(answer.waitMs, MAX_REFUSAL_MS);
        lease.askedAtMs = nowMs;
        return answer;
      }
      lease.refusedUntilMs = -1;
      lease.block = answer.granted;
      lease.askedAtMs = nowMs;
      lease.takenAtMs = answer.takenAtMs;
      lease.validUntilMs = nowMs + answer.validMs;
      lease.left = answer.granted;
      return this.#use(lease, cost, nowMs);
    } finally {
      lease.asking = null;
      resolve();
    }
  }

  #use(lease: Lease, cost: number, nowMs: number): TakeAnswer {
    lease.left -= cost;
    const { remaining, index, resetInMs } = lease.answer;
    return {
      granted: cost,
      remaining: remaining + lease.left,
      index,
      resetInMs: Math.max(0, resetInMs - (nowMs - lease.askedAtMs)),
      waitMs: 0,
    };
  }

  /** What cannot be given back is lost until it leaves its window. */
  async #giveBack(lease: Lease): Promise<void> {
    const { left } = lease;
    lease.left = 0;
    // Half of it was enough.
    lease.block -= left;
    await this.#store.giveBack(lease.limits, left, lease.takenAtMs, lease.leaseMs).catch(() => {});
  }
}

function refusal(lease: Lease, nowMs: number): TakeAnswer {
  const passedMs = nowMs - lease.askedAtMs;
  const { index, resetInMs, waitMs, remaining } = lease.answer;
  return { granted: 0, remaining, index, resetInMs: Math.max(0, resetInMs - passedMs), waitMs: waitMs - passedMs };
}

/** As much as was used lately in the time of a lease, growing step by step; the cost itself when that is little. */
function blockSize(lease: Lease, cost: number, nowMs: number): number {
  if (lease.leaseMs === 0 || lease.block <= 0) return cost;
  const inMs = Math.max(1, nowMs - lease.askedAtMs);
  const needed = Math.ceil((lease.block * lease.leaseMs) / inMs);
  return Math.max(cost, Math.min(needed, lease.block * GROWTH, MAX_BLOCK));
}

/** How long a lease of these limits may last; 0: not at all. */
function leaseMsOf(limits: readonly Limit[]): number {
  let leaseMs = MAX_LEASE_MS;
  for (const { rule } of limits) {
    leaseMs = Math.min(leaseMs, Math.floor(rule.windowMs / LEASES_IN_WINDOW));
    if (rule.strategy !== 'token_bucket') continue;
    if (rule.capacity < MIN_LEASED_CAPACITY) return 0;
    leaseMs = Math.min(leaseMs, Math.floor((LEASED_SHARE_OF_BUCKET * rule.capacity * rule.windowMs) / rule.limit));
  }
  return leaseMs < MIN_LEASE_MS ? 0 : leaseMs;
}

/** What a bucket gains while a lease lasts is taken off its capacity, so that late use passes no bound. */
function leasedLimits(limits: readonly Limit[], leaseMs: number): readonly Limit[] {
  return limits.map(({ key, rule }) =>
    rule.strategy === 'token_bucket'
      ? { key, rule: { ...rule, capacity: rule.capacity - (rule.limit * leaseMs) / rule.windowMs } }
      : { key, rule },
  );
}
