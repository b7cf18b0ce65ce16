const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** What `parseDuration` takes, to say so. */
export const DURATION_FORM = 'a number and a unit (s, m, h, d or w), such as 90s, 15m, 24h or 7d';

/** Milliseconds of `24h` and the like; null when it is not of that form. */
export function parseDuration(text: string): number | null {
  const [, number, unit] = /^(\d{1,6})(s|m|h|d|w)$/.exec(text.trim()) ?? [];
  return number === undefined ? null : Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS];
}
