import type { LimitRule } from './limitRule.ts';

/**
 * When the window that `nowMs` lies in began, given when the last one did. Windows are those of the clock (a minute
 * begins on the minute) and never overlap: time passes from the beginning of one to its end by `windowMs` at least,
 * also when the clock is set back, which makes the window begin anew without forgetting what was counted in it.
 */
export function windowStart({ windowMs }: LimitRule, lastStartMs: number, nowMs: number): number {
  if (nowMs < lastStartMs) return nowMs;
  if (nowMs < lastStartMs + windowMs) return lastStartMs;
  return Math.max(alignedStart(windowMs, nowMs), lastStartMs + windowMs);
}

/** When the clock's own window of this length began. */
export function alignedStart(windowMs: number, nowMs: number): number {
  return Math.floor(nowMs / windowMs) * windowMs;
}

/** What counts in the window of `nowMs`, of the cost `used` in the window that began at `lastStartMs`. */
export function usedInWindow({ windowMs }: LimitRule, used: number, lastStartMs: number, nowMs: number): number {
  return nowMs < lastStartMs + windowMs ? used : 0;
}
