import type { Limit, TakeAnswer } from './limitRule.ts';

/** How much is asked for, and until when it may be used. */
export interface TakeRequest {
  /** Less than this is refused. */
  readonly atLeast: number;
  /** More than this is not taken. */
  readonly atMost: number;
  /** Of what is left, the n-th part is given at most, so that others find something too; but never less than `atLeast`. */
  readonly share: number;
  /** What is taken may be used that long after the answer was asked for; 0: at once. At most 1,000. */
  readonly leaseMs: number;
}

export interface SharedAnswer extends TakeAnswer {
  /** By the clock of the store; what is given back names it. */
  readonly takenAtMs: number;
  /** What was granted may be used that long: `leaseMs`, or less when a fixed window ends before. */
  readonly validMs: number;
}

/**
 * Limits that several processes share. Every call is one statement, in which the store reads its own clock: all
 * limits are taken together, or none is.
 *
 * What is taken with a lease counts as used at the end of the lease, so whenever it is used until then, no window
 * sees more than its limit. Buckets that are leased from must be smaller by what they gain in a lease; the caller sees
 * to that.
 *
 * Each method throws when the store does not answer within its deadline; then it may have taken what was asked for.
 */
export interface SharedLimitStore {
  readonly name: 'redis' | 'postgresql';
  take(limits: readonly Limit[], request: TakeRequest): Promise<SharedAnswer>;
  /** Gives back what was taken with that lease at that time and was not used. Does nothing for what no longer counts. */
  giveBack(limits: readonly Limit[], cost: number, takenAtMs: number, leaseMs: number): Promise<void>;
  /** Counts what was used without asking, whatever the limits say. */
  charge(limits: readonly Limit[], cost: number): Promise<void>;
  /** Whether it answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
