import type { DeliveryResult } from '../channels/types.ts';

/** What fires is told again with the next flush, in its then state, so there is no point in trying for long. */
const MAX_ATTEMPTS = 8;
const BASE_DELAY_MS = 1_000;
const MAX_DELAY_MS = 300_000;
/** A longer wait than this is as good as a refusal: somebody else has to be told. */
const MAX_RETRY_AFTER_MS = 3_600_000;
/** What is over is not told again by anything else, so it is kept trying for a day. */
const RESOLVED_FOR_MS = 24 * 3_600_000;

export interface FailedDelivery {
  /** How many attempts there were, this one included. */
  readonly attempts: number;
  readonly ageMs: number;
  readonly firing: boolean;
  readonly hasFallback: boolean;
}

/**
 * After how long a failed delivery is tried again, in milliseconds; null: it is given up. Waits double from one second
 * to five minutes, each drawn from its upper half; what the receiver asks for with Retry-After is kept in full.
 */
export function retryDelayMs(
  result: Pick<DeliveryResult, 'retryable' | 'retryAfterMs'>,
  { attempts, ageMs, firing, hasFallback }: FailedDelivery,
  random: () => number,
): number | null {
  if (!result.retryable) return null;
  if (result.retryAfterMs !== null && result.retryAfterMs > MAX_RETRY_AFTER_MS) return null;
  const insist = !firing && !hasFallback;
  if (insist ? ageMs > RESOLVED_FOR_MS : attempts >= MAX_ATTEMPTS) return null;
  const ceilingMs = Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** Math.min(attempts - 1, 20));
  const ownMs = ceilingMs / 2 + (random() * ceilingMs) / 2;
  return result.retryAfterMs === null ? ownMs : result.retryAfterMs + random() * BASE_DELAY_MS;
}
