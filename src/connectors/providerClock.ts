import type { Clock } from '../core/clock.ts';
import type { OutgoingResponse } from '../outgoing/types.ts';

/** How far our clock may be ahead of a provider that does not tell its own. */
const CLOCK_MARGIN_MS = 1000;

/**
 * When an answer was asked for, or a little before, in epoch milliseconds of the clock that dates the provider's
 * records: its `Date` header (RFC 9110, section 6.6.1) less the time the call took. Without such a header our own
 * clock has to do, less a margin.
 */
export function askedAt({ headers, latencyMs }: Pick<OutgoingResponse, 'headers' | 'latencyMs'>, clock: Clock): number {
  const toldMs = Date.parse(headers.date ?? '');
  return Math.floor((Number.isNaN(toldMs) ? clock.now() - CLOCK_MARGIN_MS : toldMs) - latencyMs);
}
