import type { CallSecrets } from './callSecrets.ts';
import { parseRetryAfter } from './retryAfter.ts';
import type { Classification, Outcome, OutgoingResponse, ResponseClassifier } from './types.ts';

/** 408, 429 and the errors of a server that may be over by the next attempt; 501 and 505 stay. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 529]);

/** What a status means when nothing more is known about the provider. */
export const classifyByStatus: ResponseClassifier = ({ status }) => ({
  outcome: outcomeOf(status),
  retryable: RETRYABLE.has(status),
});

function outcomeOf(status: number): Outcome {
  // 304 is the answer that a conditional request hopes for.
  if ((status >= 200 && status < 300) || status === 304) return 'success';
  if (status < 400) return 'bad_response';
  if (status >= 500) return 'provider_error';
  switch (status) {
    case 401:
      return 'wrong_credentials';
    case 403:
      return 'missing_scope';
    case 404:
    case 410:
      return 'not_found';
    case 408:
      return 'timeout';
    case 429:
      return 'rate_limited';
    default:
      return 'invalid_request';
  }
}

/**
 * Judges an answer by the call's own classifier. Where that names no wait, the Retry-After header does. What the
 * provider said comes out without the call's secrets.
 */
export function judge(
  response: OutgoingResponse,
  classify: ResponseClassifier,
  nowMs: number,
  secrets: CallSecrets,
): Classification {
  try {
    const judged = describe(classify(response), secrets);
    if (judged.outcome === 'success' || judged.retryAfterMs !== undefined) return judged;
    return { ...judged, retryAfterMs: parseRetryAfter(response.headers['retry-after'], nowMs) };
  } catch {
    // Its message could quote the body. The attempt was made all the same, and is recorded.
    return { outcome: 'bad_response', retryable: false };
  }
}

function describe(judged: Classification, secrets: CallSecrets): Classification {
  const { providerCode, providerMessage } = judged;
  return {
    ...judged,
    providerCode: providerCode === undefined ? undefined : secrets.redact(providerCode),
    providerMessage: providerMessage === undefined ? undefined : secrets.redact(providerMessage),
  };
}
