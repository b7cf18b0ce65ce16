import { setMaxListeners } from 'node:events';
import type { Clock } from '../core/clock.ts';
import { type Log, silentLog } from '../core/log.ts';
import type { Budget, RateBudgets } from '../rateLimits/budgets.ts';
import { parseAllowList } from './addressPolicy.ts';
import { logAttempts } from './attemptLines.ts';
import { type BreakerState, CircuitBreakers } from './breaker.ts';
import { guardedConnect, type ResolveHost, systemResolve } from './guardedConnect.ts';
import { type FetchContext, guardedFetch } from './guardedFetch.ts';
import { HttpClient } from './httpClient.ts';
import { RetryBudget } from './retryBudget.ts';
import { sendCall } from './sendCall.ts';
import type { AttemptSink, SendOutgoing } from './types.ts';

/** A connection attempt that everybody has given up on is ended after this. */
const ABANDONED_CONNECT_MS = 30_000;

export interface OutgoingOptions {
  readonly clock: Clock;
  /** Hosts, addresses and ranges that may be called although they are private. */
  readonly allowedPrivateHosts: readonly string[];
  /** Of a call that names no budgets. */
  readonly defaultBudget: Budget;
  readonly attempts: AttemptSink;
  readonly budgets: RateBudgets;
  readonly log?: Log;
  /** How names are resolved; by default as the machine does it. */
  readonly resolve?: ResolveHost;
  /** Between 0 and 1, for the waits between attempts. */
  readonly random?: () => number;
  /** Root certificates (PEM) trusted beside the usual ones. */
  readonly extraCertificates?: readonly string[];
}

/** The one way out to third parties. */
export interface Outgoing {
  /** @throws OutgoingCallError for every outcome but success; and what the call's authenticator throws */
  readonly send: SendOutgoing;
  breakerState(integrationId: string): BreakerState;
  /** Closes the integration's circuit; for when its address or credentials have changed. */
  resetBreaker(integrationId: string): void;
  /** A guarded `fetch` for OAuth libraries, recorded as operation `token`. */
  fetchFor(context: FetchContext): typeof fetch;
  /** Ends what is under way; every later call fails as aborted. */
  close(): Promise<void>;
}

/** Opens the pipeline: rate budget → circuit breaker → credential → guarded connection → classification → record. */
export function createOutgoing(options: OutgoingOptions): Outgoing {
  const { clock, budgets, random = Math.random, log = silentLog } = options;
  const attempts = logAttempts(options.attempts, log);
  const connect = guardedConnect({
    allowed: parseAllowList(options.allowedPrivateHosts),
    resolve: options.resolve ?? systemResolve,
    timeoutMs: ABANDONED_CONNECT_MS,
    extraCertificates: options.extraCertificates,
  });
  const http = new HttpClient({ connect, clock });
  const breakers = new CircuitBreakers();
  const retryBudget = new RetryBudget(clock);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);

  const { defaultBudget } = options;
  const deps = { clock, budgets, attempts, random, http, breakers, retryBudget, defaultBudget, log };
  return {
    send: (call) =>
      sendCall(deps, call, call.signal === undefined ? closing.signal : AbortSignal.any([call.signal, closing.signal])),
    breakerState: (integrationId) => breakers.state(integrationId),
    resetBreaker: (integrationId) => breakers.forget(integrationId),
    fetchFor: (context) => guardedFetch({ http, clock, attempts }, context, closing.signal),
    close: async () => {
      closing.abort(new Error('closing'));
      await http.close();
    },
  };
}
