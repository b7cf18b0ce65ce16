import type { OperationKind, Outcome } from '../outgoing/types.ts';

/**
 * Parts of a call's time. `total` is the attempt itself, from its start to the end of its answer, and is made of
 * `connect`, `first_byte` and `body`. Before it the call may wait: after a failed attempt (`backoff`), for its rate
 * budget (`rate_limit`), for a slot of the host (`queue`). `write` is the storing of a page of records.
 */
export const PHASES = ['total', 'queue', 'rate_limit', 'backoff', 'connect', 'first_byte', 'body', 'write'] as const;
export type Phase = (typeof PHASES)[number];

/** Places in PHASES. */
export const PHASE_AT = Object.fromEntries(PHASES.map((phase, at) => [phase, at])) as Readonly<Record<Phase, number>>;

/** What is measured apart from each other. */
export interface SeriesKey {
  readonly integrationId: string;
  readonly operation: OperationKind;
  readonly outcome: Outcome;
}

/** Minutes are kept for 48 hours, hours as long as configured (30 days), days for 400. */
export type Resolution = 'minute' | 'hour' | 'day';

export const RESOLUTION_MS: Readonly<Record<Resolution, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** The UTC minute, hour or day that a moment is in, as its start. */
export function bucketStart(timeMs: number, resolution: Resolution): number {
  return Math.floor(timeMs / RESOLUTION_MS[resolution]) * RESOLUTION_MS[resolution];
}
