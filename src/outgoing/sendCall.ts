import type { Clock } from '../core/clock.ts';
import { AbortedError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Budget, RateBudgets } from '../rateLimits/budgets.ts';
import { RateBudgetExceededError } from '../rateLimits/errors.ts';
import { type AttemptResult, makeAttempt } from './attempt.ts';
import { type BreakerState, type CircuitBreakers, CircuitOpenError } from './breaker.ts';
import { CallSecrets } from './callSecrets.ts';
import { type CallSettings, settingsOf } from './callSettings.ts';
import { OutgoingCallError, type OutgoingFailure } from './errors.ts';
import type { HttpClient } from './httpClient.ts';
import { shownUrl } from './requestTarget.ts';
import type { RetryBudget } from './retryBudget.ts';
import { decideRetry } from './retryPolicy.ts';
import type { AttemptSink, OutgoingCall, OutgoingResponse } from './types.ts';

/** Methods that are about the connection or show the request's headers, and so the credential. */
const REFUSED_METHODS = /^(CONNECT|TRACE|TRACK)$/i;

export interface SendDependencies {
  readonly clock: Clock;
  readonly budgets: RateBudgets;
  readonly attempts: AttemptSink;
  readonly random: () => number;
  readonly http: HttpClient;
  readonly breakers: CircuitBreakers;
  readonly retryBudget: RetryBudget;
  readonly defaultBudget: Budget;
  readonly log: Log;
}

/**
 * One call, with as many attempts as it takes and may have.
 * @throws OutgoingCallError
 */
export async function sendCall(
  deps: SendDependencies,
  call: OutgoingCall,
  signal: AbortSignal,
): Promise<OutgoingResponse> {
  assertSendable(call);
  return new CallRun(deps, call, signal).run();
}

class CallRun {
  readonly #deps: SendDependencies;
  readonly #call: OutgoingCall;
  readonly #signal: AbortSignal;
  readonly #settings: CallSettings;
  readonly #secrets = new CallSecrets();
  /** Attempts made. */
  #made = 0;
  /** One of them only because the credential was fresh. */
  #refreshed = false;
  #last: AttemptResult | null = null;

  constructor(deps: SendDependencies, call: OutgoingCall, signal: AbortSignal) {
    this.#deps = deps;
    this.#call = call;
    this.#signal = signal;
    this.#settings = settingsOf(call);
    this.#secrets.learnFromCall(call);
  }

  async run(): Promise<OutgoingResponse> {
    try {
      this.#deps.retryBudget.deposit(this.#call.integrationId);
      for (let waitedMs = 0; ; ) {
        const result = await this.#attempt(waitedMs);
        this.#last = result;
        this.#observe(result);
        if (result.outcome === 'success' && result.response !== undefined) return result.response;
        waitedMs = (await this.#refresh(result)) ? 0 : await this.#backOff(result);
      }
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Token requests pay no budget and meet no breaker: they are made in the middle of the call that needs the token. */
  async #attempt(waitedMs: number): Promise<AttemptResult> {
    const { integrationId, operation } = this.#call;
    if (operation === 'token') return this.#makeAttempt(waitedMs);
    const insist = operation === 'check';
    if (!insist) this.#deps.breakers.check(integrationId);
    const budgetMs = await this.#takeBudget();
    const before = this.#deps.breakers.state(integrationId);
    try {
      return await this.#deps.breakers.run(integrationId, () => this.#makeAttempt(waitedMs + budgetMs), insist);
    } finally {
      this.#sayBreaker(before);
    }
  }

  /** This call opened the circuit, or closed it. */
  #sayBreaker(before: BreakerState): void {
    const { breakers, log } = this.#deps;
    const { integrationId, operationId } = this.#call;
    const after = breakers.state(integrationId);
    if (after === before) return;
    const fields = { integrationId, operationId, from: before, to: after };
    if (after === 'open') {
      log.warn('Calls are paused, because too many failed in a row', { eventName: 'breaker.opened', ...fields });
    } else if (after === 'closed') {
      log.info('Calls go through again', { eventName: 'breaker.closed', ...fields });
    }
  }

  #makeAttempt(waitedMs: number): Promise<AttemptResult> {
    this.#made += 1;
    const { deadlines, maxResponseBytes } = this.#settings;
    return makeAttempt(this.#deps, this.#call, {
      attempt: this.#made,
      waitedMs,
      deadlines,
      maxResponseBytes,
      signal: this.#signal,
      secrets: this.#secrets,
      followRedirects: true,
      beforeRedirect: () => (this.#call.operation === 'token' ? Promise.resolve(0) : this.#takeBudget()),
    });
  }

  async #takeBudget(): Promise<number> {
    const { budgets, defaultBudget } = this.#deps;
    const { maxWaitMs } = this.#settings;
    // Nobody waits for a page of a sync; for the rest, somebody does.
    const priority = this.#call.operation === 'sync' ? 'background' : 'interactive';
    const options = { maxWaitMs, signal: this.#signal, priority } as const;
    const taken = await budgets.take(this.#call.integrationId, this.#call.budgets ?? [defaultBudget], options);
    return taken.waitedMs;
  }

  /** Lets every later call of the integration know what the provider said about its budget. */
  #observe({ response, outcome, retryAfterMs, atHome }: AttemptResult): void {
    const { integrationId, operation, observeRateLimit } = this.#call;
    if (response === undefined || !atHome || operation === 'token') return;
    const { budgets, clock } = this.#deps;
    // Other failures tell nothing about how many calls are too many.
    if (outcome === 'success' || outcome === 'rate_limited') {
      budgets.learn(integrationId, { limited: outcome === 'rate_limited', latencyMs: response.latencyMs });
    }
    try {
      const observed = observeRateLimit?.(response);
      if (observed !== undefined) budgets.observe(integrationId, observed);
    } catch {
      // Headers that the connector cannot read change nothing about the answer.
    }
    if (outcome === 'rate_limited' && retryAfterMs !== undefined) {
      budgets.observe(integrationId, { remaining: 0, resetAtMs: clock.now() + retryAfterMs });
    }
  }

  /** Whether a fresh credential is at hand after a refused one. Asked for once a call. */
  async #refresh({ outcome, atHome }: AttemptResult): Promise<boolean> {
    const { authenticator } = this.#call;
    if (outcome !== 'wrong_credentials' || !atHome || this.#refreshed) return false;
    this.#refreshed = (await authenticator?.refresh?.()) ?? false;
    // The old credential's refusal says nothing about the fresh one.
    if (this.#refreshed) this.#last = null;
    return this.#refreshed;
  }

  /** Waits until the next attempt is due, and gives that wait in milliseconds. */
  async #backOff(result: AttemptResult): Promise<number> {
    const { clock, random, retryBudget } = this.#deps;
    const { retry, idempotent } = this.#settings;
    const attempt = this.#refreshed ? this.#made - 1 : this.#made;
    const decision = decideRetry(retry, attempt, result, idempotent, random);
    if (!decision.retry) throw this.#failure(result);
    if (decision.spendsRetryBudget && !retryBudget.withdraw(this.#call.integrationId)) {
      const reason = `${result.reason}, and was not tried again because too many calls of the integration fail`;
      throw this.#failure({ ...result, reason });
    }
    const startedMs = clock.monotonicMs();
    await clock.sleep(decision.delayMs, this.#signal);
    return clock.monotonicMs() - startedMs;
  }

  #explain(error: unknown): unknown {
    // Its own failure, or that of a call made for the token.
    if (error instanceof OutgoingCallError) return error;
    if (this.#signal.aborted || error instanceof AbortedError) {
      return this.#failure({ outcome: 'aborted', reason: 'the call was cancelled' });
    }
    const refused = error instanceof CircuitOpenError || error instanceof RateBudgetExceededError;
    if (!refused) return error;
    // Refused a further attempt: what the last one met says more.
    if (this.#last !== null) return this.#failure(this.#last);
    const { retryAfterMs } = error;
    return error instanceof CircuitOpenError
      ? this.#failure({ outcome: 'circuit_open', reason: 'calls of this integration are paused', retryAfterMs })
      : this.#failure({
          outcome: 'rate_limited',
          reason: 'the rate budget of the integration is used up',
          retryAfterMs,
        });
  }

  #failure(result: Pick<OutgoingFailure, 'outcome' | 'reason'> & Partial<AttemptResult>): OutgoingCallError {
    const { outcome, reason, providerCode, providerMessage, retryAfterMs } = result;
    return new OutgoingCallError({
      outcome,
      reason,
      method: this.#call.method.toUpperCase(),
      url: result.url ?? this.#secrets.hide(shownUrl(new URL(this.#call.url))),
      attempts: this.#made,
      status: result.response?.status,
      providerCode,
      providerMessage,
      retryAfterMs,
    });
  }
}

function assertSendable({ url, method }: OutgoingCall): void {
  const fail = (shown: string, reason: string) => {
    throw new OutgoingCallError({ outcome: 'invalid_request', method, url: shown, reason, attempts: 0 });
  };
  if (!URL.canParse(String(url))) fail('(no address)', 'the address is not a complete URL');
  if (!/^[a-z]+$/i.test(method)) fail(shownUrl(new URL(url)), 'the method is not one of HTTP');
  if (REFUSED_METHODS.test(method)) fail(shownUrl(new URL(url)), 'the method is not sent to third parties');
}
