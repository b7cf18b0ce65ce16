import type { Clock } from '../core/clock.ts';
import { newId } from '../core/ids.ts';
import type { CallSecrets } from './callSecrets.ts';
import { classifyByStatus, judge } from './classification.ts';
import type { HttpClient } from './httpClient.ts';
import { isHome, prepareRequest } from './requestPreparation.ts';
import { assertCallable, type RequestTarget, redirectOf, shownUrl } from './requestTarget.ts';
import { type AttemptProgress, NOTHING_SENT, TransportFailure } from './transportFailure.ts';
import type { AttemptPhases, AttemptSink, Deadlines, Outcome, OutgoingCall, OutgoingResponse } from './types.ts';

const MAX_REDIRECTS = 5;
const MAX_PATH_CHARS = 2_000;
/** Failures without an answer that another attempt may not meet again. */
const PASSING: ReadonlySet<Outcome> = new Set(['timeout', 'unreachable', 'dns_error']);

/** How one attempt ended. */
export interface AttemptResult {
  readonly outcome: Outcome;
  readonly retryable: boolean;
  /** False only with a proof that the provider has not seen the request. */
  readonly sent: boolean;
  /** What happened, without secrets. */
  readonly reason: string;
  /** Where, without the query. */
  readonly url: string;
  /** The origin that answered is one that gets the credential. */
  readonly atHome: boolean;
  /** Set whenever a last answer came, whatever it says: not when a redirect was refused. */
  readonly response?: OutgoingResponse;
  readonly providerCode?: string;
  readonly providerMessage?: string;
  readonly retryAfterMs?: number;
}

type AttemptWaits = Pick<AttemptPhases, 'backoffMs' | 'rateLimitMs'>;

export interface AttemptSettings {
  /** 1 for the first. */
  readonly attempt: number;
  /** What it waited for before, for the record. */
  readonly waits: AttemptWaits;
  readonly deadlines: Deadlines;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal;
  readonly secrets: CallSecrets;
  /** False hands 3xx answers to the caller. */
  readonly followRedirects: boolean;
  /** Waits for the rate budget before a redirect is followed to the credential's own API; gives the wait in ms. */
  readonly beforeRedirect: () => Promise<number>;
}

interface AttemptDependencies {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly attempts: AttemptSink;
}

/**
 * Makes one attempt of a call: the request and the redirects it leads to, each judged, given the credential or not,
 * and recorded by itself. What the authenticator throws passes through; then nothing was sent.
 */
export async function makeAttempt(
  deps: AttemptDependencies,
  call: OutgoingCall,
  settings: AttemptSettings,
): Promise<AttemptResult> {
  let target: RequestTarget = { method: call.method.toUpperCase(), url: new URL(call.url), body: call.body };
  target.url.hash = '';
  let { waits } = settings;
  let leftMs = settings.deadlines.totalMs;
  for (let redirects = 0; ; redirects++) {
    const { result, next, durationMs } = await makeHop(deps, call, target, settings, waits, leftMs);
    if (next === null) return result;
    if (redirects === MAX_REDIRECTS) {
      const reason = `was redirected more than ${MAX_REDIRECTS} times`;
      return { ...result, outcome: 'bad_response', reason, response: undefined };
    }
    target = next;
    leftMs = Math.max(1, leftMs - durationMs);
    waits = { backoffMs: 0, rateLimitMs: isHome(target.url.origin, call) ? await settings.beforeRedirect() : 0 };
  }
}

interface Hop {
  readonly result: AttemptResult;
  /** Where a redirect leads; null when this was the last. */
  readonly next: RequestTarget | null;
  readonly durationMs: number;
}

/** One request and its answer, recorded. */
async function makeHop(
  deps: AttemptDependencies,
  call: OutgoingCall,
  target: RequestTarget,
  settings: AttemptSettings,
  waits: AttemptWaits,
  leftMs: number,
): Promise<Hop> {
  const { clock } = deps;
  const { secrets, signal } = settings;
  // Asked for late, when the credential, and so what is to be hidden, is known.
  const place = () => ({ url: secrets.hide(shownUrl(target.url)), atHome: isHome(target.url.origin, call) });
  let startedAt = new Date(clock.now());
  let startedMs = clock.monotonicMs();
  let queuedMs = 0;
  let progress: AttemptProgress = NOTHING_SENT;
  let hop: Omit<Hop, 'durationMs'>;
  try {
    assertCallable(target.url);
    const request = await prepareRequest(call, target, secrets, signal);
    startedAt = new Date(clock.now());
    startedMs = clock.monotonicMs();
    const deadlines = { ...settings.deadlines, totalMs: Math.min(settings.deadlines.totalMs, leftMs) };
    const answer = await deps.http.exchange(request, { ...settings, deadlines });
    queuedMs = answer.queuedMs;
    progress = { sent: true, ...answer };
    const { status, headers, body } = answer;
    const latencyMs = clock.monotonicMs() - startedMs - queuedMs;
    const response = { status, headers, body, url: target.url.href, latencyMs, attempts: settings.attempt };
    hop = understand(call, target, settings, response, place(), clock.now());
  } catch (error) {
    if (!(error instanceof TransportFailure)) throw error;
    const { outcome, reason } = error;
    progress = error.progress;
    const result = { outcome, retryable: PASSING.has(outcome), sent: progress.sent, reason, ...place() };
    hop = { result, next: null };
  }
  const durationMs = clock.monotonicMs() - startedMs - queuedMs;
  deps.attempts.record({
    id: newId('attempt'),
    operationId: call.operationId,
    integrationId: call.integrationId,
    platform: call.platform,
    operation: call.operation,
    attempt: settings.attempt,
    method: target.method,
    host: target.url.host,
    path: secrets.hide(target.url.pathname).slice(0, MAX_PATH_CHARS),
    status: progress.status,
    outcome: hop.result.outcome,
    startedAt,
    durationMs,
    waitMs: waits.backoffMs + waits.rateLimitMs + queuedMs,
    firstByteMs: progress.firstByteMs,
    phases: { ...waits, queueMs: queuedMs, ...phasesOf(progress, durationMs) },
    responseBytes: progress.receivedBytes,
    error: hop.result.outcome === 'success' ? null : errorText(hop.result),
  });
  return { ...hop, durationMs };
}

function phasesOf({ requestMs, firstByteMs }: AttemptProgress, durationMs: number) {
  const sinceRequest = (ms: number) => (requestMs === null ? null : ms - requestMs);
  return {
    connectMs: requestMs,
    firstByteMs: firstByteMs === null ? null : sinceRequest(firstByteMs),
    bodyMs: firstByteMs === null ? null : Math.max(0, durationMs - firstByteMs),
  };
}

/** What an answer means: a redirect to follow, one that is refused, or something for the classifier. */
function understand(
  call: OutgoingCall,
  target: RequestTarget,
  { followRedirects, secrets }: AttemptSettings,
  response: OutgoingResponse,
  place: { readonly url: string; readonly atHome: boolean },
  nowMs: number,
): Omit<Hop, 'durationMs'> {
  const { status, headers } = response;
  const answered = { sent: true, reason: `answered ${status}`, response, ...place };
  const redirect = redirectOf(target, status, followRedirects ? headers.location : undefined);
  switch (redirect.kind) {
    case 'follow':
      return { result: { ...answered, outcome: 'success', retryable: false }, next: redirect.target };
    case 'refused': {
      const { outcome, reason } = redirect;
      return { result: { ...answered, outcome, reason, response: undefined, retryable: false }, next: null };
    }
    case 'none': {
      const judged = judge(response, call.classify ?? classifyByStatus, nowMs, secrets);
      return { result: { ...answered, ...judged }, next: null };
    }
  }
}

function errorText({ reason, providerCode, providerMessage }: AttemptResult): string {
  const said = [providerCode, providerMessage].filter(Boolean).join(': ');
  return said === '' ? reason : `${reason} (${said})`;
}
