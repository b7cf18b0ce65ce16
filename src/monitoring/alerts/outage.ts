import type { AlertRule } from './types.ts';

// The defaults of Prometheus' --rules.alert.for-outage-tolerance and --rules.alert.for-grace-period.
const OUTAGE_TOLERANCE_MS = 3_600_000;
const GRACE_PERIOD_MS = 600_000;
/** Evaluations left out without counting as an outage: as many as another replica needs to take over. */
const TOLERATED_INTERVALS = 3;
const TOLERATED_MS = 60_000;

/**
 * Since when a pending alert counts as pending after evaluations that did not take place, as Prometheus restores the
 * `for` state of its alerts after a restart. Nothing is known of that time, so it is not counted; and unless the alert
 * has waited for all of `for` already, at least the grace period is waited after the outage. One whose `for` is shorter
 * than the grace period, or an outage longer than is tolerated, lets it begin anew.
 *
 * @param activeSince since when it was pending; with the other times in milliseconds since the epoch
 * @param previousAt the last evaluation before this one; null when there was none
 */
export function pendingSince(
  { forMs, intervalMs }: Pick<AlertRule, 'forMs' | 'intervalMs'>,
  activeSince: number,
  previousAt: number | null,
  now: number,
): number {
  if (previousAt === null) return activeSince;
  const downMs = now - previousAt;
  if (downMs <= Math.max(TOLERATED_MS, TOLERATED_INTERVALS * intervalMs)) return activeSince;
  if (downMs > OUTAGE_TOLERANCE_MS || forMs < GRACE_PERIOD_MS) return now;
  const remainingMs = forMs - (previousAt - activeSince);
  if (remainingMs <= 0) return activeSince;
  return remainingMs < GRACE_PERIOD_MS ? now + GRACE_PERIOD_MS - forMs : activeSince + downMs;
}
