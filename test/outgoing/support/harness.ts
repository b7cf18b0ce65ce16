import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { OutgoingCallError } from '../../../src/outgoing/errors.ts';
import type { ResolveHost } from '../../../src/outgoing/guardedConnect.ts';
import { createOutgoing, type Outgoing, type OutgoingOptions } from '../../../src/outgoing/pipeline.ts';
import type { AttemptRecord, OutgoingCall } from '../../../src/outgoing/types.ts';
import { aloneBudgets } from '../../support/budgets.ts';

/** The real pipeline, with its records at hand. */
export interface Harness {
  readonly outgoing: Outgoing;
  readonly records: AttemptRecord[];
  /** The call with what most tests leave as it is. */
  call(url: string | URL, rest?: Partial<OutgoingCall>): OutgoingCall;
  get(url: string | URL, rest?: Partial<OutgoingCall>): ReturnType<Outgoing['send']>;
  /** Fails the test when the call succeeds. */
  fails(url: string | URL, rest?: Partial<OutgoingCall>): Promise<OutgoingCallError>;
}

export function makeHarness(options: Partial<OutgoingOptions> = {}): Harness {
  const clock: Clock = options.clock ?? systemClock;
  const records: AttemptRecord[] = [];
  const outgoing = createOutgoing({
    clock,
    allowedPrivateHosts: ['127.0.0.1', '::1'],
    defaultBudget: { maxRequests: 100_000, windowMs: 1_000 },
    attempts: { record: (attempt) => records.push(attempt) },
    budgets: aloneBudgets({ clock }),
    ...options,
  });
  const call = (url: string | URL, rest: Partial<OutgoingCall> = {}): OutgoingCall => ({
    integrationId: 'int_test',
    operationId: 'op_test',
    operation: 'sync',
    method: 'GET',
    url,
    retry: { maxAttempts: 1 },
    ...rest,
  });
  return {
    outgoing,
    records,
    call,
    get: (url, rest) => outgoing.send(call(url, rest)),
    fails: async (url, rest) => {
      const error = await outgoing.send(call(url, rest)).then(
        (response) => new Error(`expected a failure, got ${response.status}: ${response.body}`),
        (reason: unknown) => reason,
      );
      if (error instanceof OutgoingCallError) return error;
      throw error;
    },
  };
}

/** Names that stand for what the test says, and nothing else. */
export function resolveFrom(table: Record<string, readonly string[]>): ResolveHost {
  return async (hostname) => {
    const addresses = table[hostname];
    if (addresses === undefined) throw Object.assign(new Error(`ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
}

/** A clock whose sleeps pass at once, and are kept. */
export class InstantClock implements Clock {
  readonly sleptMs: number[] = [];
  #aheadMs = 0;

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  monotonicMs(): number {
    return performance.now() + this.#aheadMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleptMs.push(ms);
    this.#aheadMs += ms;
  }
}
