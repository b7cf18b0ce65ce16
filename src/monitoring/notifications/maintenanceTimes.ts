import { Cron } from 'croner';

/** When a maintenance window is open: once, or each time a cron expression names, for so long. */
export type WindowTimes =
  | { readonly startsAtMs: number; readonly endsAtMs: number }
  | { readonly cron: string; readonly timezone: string; readonly durationMs: number };

/** Whether it is open. It is open from its first moment on, and closed at its last. */
export function isOpen(times: WindowTimes, nowMs: number): boolean {
  if (!('cron' in times)) return times.startsAtMs <= nowMs && nowMs < times.endsAtMs;
  // The first beginning that is not over yet, or a later one.
  const beginning = nextBeginning(times, nowMs - times.durationMs);
  return beginning !== null && beginning <= nowMs;
}

/** When it next opens after `afterMs`; null when it never does. */
export function nextBeginning(times: WindowTimes, afterMs: number): number | null {
  if (!('cron' in times)) return times.startsAtMs > afterMs ? times.startsAtMs : null;
  return cronOf(times).nextRun(new Date(afterMs))?.getTime() ?? null;
}

/** What is wrong with the times of a recurring window, or null. */
export function cronFault(cron: string, timezone: string): string | null {
  if (cron.trim().split(/\s+/).length !== 5) return 'takes five fields: minute, hour, day, month, day of the week';
  try {
    if (cronOf({ cron, timezone }).nextRun() === null) return 'names no time that ever comes';
    return null;
  } catch {
    return 'takes a cron expression, such as "0 2 * * 7", with a time zone such as Europe/Berlin';
  }
}

function cronOf({ cron, timezone }: { cron: string; timezone: string }): Cron {
  return new Cron(cron, { timezone, paused: true });
}
