/** Calls of an integration in the window that was looked at. */
export interface Traffic {
  readonly calls: number;
  readonly failed: number;
  /** How most of the failed ones ended. */
  readonly outcome: string | null;
}

export interface IntegrationLook {
  readonly state: 'pass' | 'warn' | 'fail' | 'unknown';
  readonly source: 'traffic' | 'probe' | 'none';
  readonly outcome: string | null;
  readonly detail: string | null;
}

/** Fewer calls than these prove no failure. */
export const MIN_CALLS = 5;
const WARN_SHARE = 0.05;
export const FAIL_SHARE = 0.5;

const INTERVAL_MS = 5 * 60_000;
const LONGEST_INTERVAL_MS = 60 * 60_000;
const JITTER = 0.1;

/** What the calls themselves show; null when they are too few to tell, so that a probe has to. */
export function judgeTraffic({ calls, failed, outcome }: Traffic): IntegrationLook | null {
  const share = calls === 0 ? 1 : failed / calls;
  const detail = `${failed} of ${calls} calls failed in the last five minutes`;
  if (calls > 0 && failed === 0) return { state: 'pass', source: 'traffic', outcome: 'success', detail: null };
  if (calls < MIN_CALLS) return null;
  const state = share >= FAIL_SHARE ? 'fail' : share >= WARN_SHARE ? 'warn' : 'pass';
  return { state, source: 'traffic', outcome, detail };
}

/**
 * When to look again: every five minutes, after failures in a row every 10, 20, 40 and then 60; a tenth more or less,
 * so that integrations that were made together are not looked at together.
 */
export function nextCheckMs(failures: number, random: number): number {
  const interval = Math.min(LONGEST_INTERVAL_MS, INTERVAL_MS * 2 ** Math.min(failures, 5));
  return interval * (1 - JITTER + 2 * JITTER * random);
}
