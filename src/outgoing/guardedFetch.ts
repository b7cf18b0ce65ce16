import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import { makeAttempt } from './attempt.ts';
import { CallSecrets } from './callSecrets.ts';
import { DEFAULT_DEADLINES } from './callSettings.ts';
import { OutgoingCallError } from './errors.ts';
import type { HttpClient } from './httpClient.ts';
import type { AttemptSink, OutgoingCall } from './types.ts';

/** Who a `fetch` is made for, as its attempts are recorded. */
export interface FetchContext {
  readonly integrationId: string;
  readonly operationId: string;
  /** A larger answer fails the call. Default: what every call may be answered with. */
  readonly maxResponseBytes?: number;
}

/** Statuses whose Response may have no body. */
const EMPTY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` as OAuth libraries want it, behind the same guard, deadlines and size limit as every call, and recorded
 * as operation `token`. One attempt, no rate budget, no breaker. Any answer resolves, as `fetch` does; where none
 * came it rejects with OutgoingCallError.
 */
export function guardedFetch(
  deps: { http: HttpClient; clock: Clock; attempts: AttemptSink },
  { maxResponseBytes = LIMITS.responseBodyBytes, ...context }: FetchContext,
  closing: AbortSignal,
): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    const { method, url } = request;
    const call: OutgoingCall = {
      ...context,
      operation: 'token',
      method,
      url,
      headers: Object.fromEntries(request.headers),
      body,
    };
    const secrets = new CallSecrets();
    secrets.learnFromCall(call);
    const result = await makeAttempt(deps, call, {
      attempt: 1,
      waits: { backoffMs: 0, rateLimitMs: 0 },
      deadlines: DEFAULT_DEADLINES,
      maxResponseBytes,
      signal: AbortSignal.any([request.signal, closing]),
      secrets,
      followRedirects: request.redirect === 'follow',
      beforeRedirect: () => Promise.resolve(0),
    });
    const { response, outcome, reason } = result;
    if (response === undefined) {
      throw new OutgoingCallError({ outcome, reason, method, url: result.url, attempts: 1 });
    }
    const { status, headers } = response;
    if (request.redirect === 'error' && status >= 300 && status < 400 && status !== 304) {
      throw new OutgoingCallError({
        outcome: 'bad_response',
        reason: 'was redirected',
        method,
        url: result.url,
        attempts: 1,
        status,
      });
    }
    return new Response(EMPTY_STATUSES.has(status) ? null : new Uint8Array(response.body), {
      status,
      headers: plain(headers),
    });
  };
}

/** The body is decoded already, so what described its coding no longer holds. */
function plain(headers: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(headers).filter(([name]) => name !== 'content-encoding' && name !== 'content-length');
}
