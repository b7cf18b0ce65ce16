import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhenResult,
} from 'cockatiel';
import { LRUCache } from 'lru-cache';
import type { Outcome } from './types.ts';

export type BreakerState = 'closed' | 'open' | 'half_open';

/** Failures in a row that open the circuit. */
const FAILURES_TO_OPEN = 5;
/** First pause; doubled each time the probe fails too. */
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;
const MAX_INTEGRATIONS = 10_000;

/** The provider, or the way to it, is broken. A refusal (4xx) shows that it works. */
const FAILURES: ReadonlySet<Outcome> = new Set(['provider_error', 'timeout', 'unreachable', 'tls_error', 'dns_error']);
/** Decided on our side: says nothing about the provider. */
const UNDECIDED: ReadonlySet<Outcome> = new Set(['aborted', 'blocked']);

/** Calls are paused: nothing was sent. */
export class CircuitOpenError extends Error {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('the circuit is open');
    this.retryAfterMs = retryAfterMs;
  }
}

interface Breaker {
  readonly policy: CircuitBreakerPolicy;
  /** Wall clock, as cockatiel uses: when the next probe is let through. */
  probeAtMs: number;
}

/** How an attempt ended, carried through cockatiel: `finish` gives its result or throws its error. */
interface Settled<T> {
  readonly verdict: 'works' | 'fails' | 'undecided';
  readonly finish: () => T;
}

/** Thrown through cockatiel, which counts it neither as success nor as failure. */
class Undecided extends Error {
  readonly settled: Settled<never>;

  constructor(settled: Settled<unknown>) {
    super('undecided');
    this.settled = settled as Settled<never>;
  }
}

/**
 * A circuit breaker for each integration. After five failures in a row its calls are refused for 10 seconds;
 * then one call goes through as a probe. Its success closes the circuit, its failure doubles the pause
 * (at most 5 minutes). The 10,000 integrations used last are remembered.
 */
export class CircuitBreakers {
  readonly #breakers = new LRUCache<string, Breaker>({ max: MAX_INTEGRATIONS });

  state(integrationId: string): BreakerState {
    const state = this.#breakers.peek(integrationId)?.policy.state ?? CircuitState.Closed;
    return state === CircuitState.Closed ? 'closed' : state === CircuitState.HalfOpen ? 'half_open' : 'open';
  }

  /** How many of the remembered integrations are in each state. */
  counts(): Record<BreakerState, number> {
    const counts = { closed: 0, open: 0, half_open: 0 };
    for (const integrationId of this.#breakers.keys()) counts[this.state(integrationId)] += 1;
    return counts;
  }

  /** Closes the circuit: what was learnt is about an address or a credential that has changed. */
  forget(integrationId: string): void {
    this.#breakers.delete(integrationId);
  }

  /**
   * Refuses at once when the circuit is open, or when another call is its probe.
   * @throws CircuitOpenError
   */
  check(integrationId: string): void {
    const breaker = this.#breakers.get(integrationId);
    if (breaker === undefined || breaker.policy.state === CircuitState.Closed) return;
    const waitMs = breaker.probeAtMs - Date.now();
    if (breaker.policy.state === CircuitState.HalfOpen || waitMs > 0) throw new CircuitOpenError(Math.max(0, waitMs));
  }

  /**
   * Runs one attempt and learns from its outcome. With `insist` (a person asks whether it works now) it is run
   * although the circuit is open, and closes it if it works.
   * @throws CircuitOpenError as `check` does, and whatever the attempt throws
   */
  async run<T extends { readonly outcome: Outcome }>(
    integrationId: string,
    attempt: () => Promise<T>,
    insist = false,
  ): Promise<T> {
    if (insist && this.state(integrationId) !== 'closed') {
      const settled = await settle(attempt);
      if (settled.verdict === 'works') this.forget(integrationId);
      return settled.finish();
    }
    this.check(integrationId);
    const { policy } = this.#breaker(integrationId);
    const settled = await policy
      .execute(async () => {
        const probing = policy.state === CircuitState.HalfOpen;
        const settled = await settle(attempt);
        // A probe that found nothing out leaves the circuit open; any other call leaves everything as it was.
        if (settled.verdict === 'undecided' && !probing) throw new Undecided(settled);
        return settled;
      })
      .catch((error: unknown) => {
        if (error instanceof Undecided) return error.settled;
        // By a millisecond between two looks at the clock.
        if (error instanceof BrokenCircuitError) throw new CircuitOpenError(1);
        throw error;
      });
    return settled.finish();
  }

  #breaker(integrationId: string): Breaker {
    const known = this.#breakers.get(integrationId);
    if (known !== undefined) return known;
    const breaker: Breaker = {
      probeAtMs: 0,
      policy: circuitBreaker(
        handleWhenResult((settled) => (settled as Settled<unknown>).verdict !== 'works'),
        {
          breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
          halfOpenAfter: new DelegateBackoff(({ attempt }) => {
            const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
            breaker.probeAtMs = Date.now() + pauseMs;
            return pauseMs;
          }),
        },
      ),
    };
    this.#breakers.set(integrationId, breaker);
    return breaker;
  }
}

async function settle<T extends { readonly outcome: Outcome }>(attempt: () => Promise<T>): Promise<Settled<T>> {
  try {
    const result = await attempt();
    const { outcome } = result;
    const verdict = FAILURES.has(outcome) ? 'fails' : UNDECIDED.has(outcome) ? 'undecided' : 'works';
    return { verdict, finish: () => result };
  } catch (error) {
    return {
      verdict: 'undecided',
      finish: () => {
        throw error;
      },
    };
  }
}
