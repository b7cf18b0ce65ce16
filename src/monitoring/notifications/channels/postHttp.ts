import { hideSecrets } from '../../../outgoing/hideSecrets.ts';
import type { HttpClient } from '../../../outgoing/httpClient.ts';
import { assertCallable } from '../../../outgoing/requestTarget.ts';
import { parseRetryAfter } from '../../../outgoing/retryAfter.ts';
import { TransportFailure } from '../../../outgoing/transportFailure.ts';
import type { Deadlines } from '../../../outgoing/types.ts';
import type { DeliveryResult, HttpPost } from './types.ts';

export const DEADLINES: Deadlines = { connectMs: 5_000, headersMs: 10_000, bodyMs: 5_000, totalMs: 15_000 };
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_QUOTED_CHARS = 200;
/** Nothing was sent and nothing will be: the address itself is at fault. */
const FINAL_OUTCOMES: ReadonlySet<string> = new Set(['blocked', 'response_too_large']);
const WORTH_ANOTHER_TRY: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * One attempt through the guarded connection. A status from 200 to 299 is a success; redirects are not followed, since
 * the address is who the message is meant for.
 */
export async function postHttp(
  http: HttpClient,
  post: HttpPost,
  options: { id: string; nowMs: number; secrets: readonly string[]; signal: AbortSignal },
): Promise<DeliveryResult> {
  const { id, nowMs, secrets, signal } = options;
  const url = new URL(post.url);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'integration-services',
    'accept-encoding': 'identity',
    // draft-ietf-httpapi-idempotency-key-header
    'idempotency-key': id,
    ...post.headers,
  };
  try {
    assertCallable(url);
    const answer = await http.exchange(
      { method: 'POST', url, headers, body: post.body },
      { deadlines: DEADLINES, maxResponseBytes: MAX_ANSWER_BYTES, signal },
    );
    return resultOf(answer, nowMs, secrets);
  } catch (error) {
    if (!(error instanceof TransportFailure)) throw error;
    const { outcome, reason, progress } = error;
    // An answer that is too long or broken was an answer all the same.
    if (progress.status !== null && progress.status >= 200 && progress.status < 300)
      return { ok: true, retryable: false, status: progress.status, retryAfterMs: null, detail: `Taken; ${reason}.` };
    const retryable = !FINAL_OUTCOMES.has(outcome);
    return {
      ok: false,
      retryable,
      status: progress.status,
      retryAfterMs: null,
      detail: `${url.origin}: ${reason}.${advice(outcome)}`,
    };
  }
}

function advice(outcome: string): string {
  return outcome === 'blocked' ? ' A private host that is meant can be added to ALLOWED_PRIVATE_HOSTS.' : '';
}

function resultOf(
  { status, headers, body }: { status: number; headers: Readonly<Record<string, string>>; body: Buffer },
  nowMs: number,
  secrets: readonly string[],
): DeliveryResult {
  if (status >= 200 && status < 300)
    return { ok: true, retryable: false, status, retryAfterMs: null, detail: `Answered with ${status}.` };
  const text = hideSecrets(body.subarray(0, 4_096).toString(), secrets)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const quoted = text === '' ? '' : ` ${text.slice(0, MAX_QUOTED_CHARS).toWellFormed()}`;
  return {
    ok: false,
    retryable: status >= 500 || WORTH_ANOTHER_TRY.has(status),
    status,
    retryAfterMs: parseRetryAfter(headers['retry-after'], nowMs) ?? null,
    detail: `Answered with ${status}.${quoted}`,
  };
}
