import { UsageError } from './errors.ts';

/** Days as a whole number, or null for `never`. @throws UsageError */
export function parseDays(text: string): number | null {
  if (text === 'never') return null;
  const days = /^(\d{1,4})d?$/.exec(text)?.[1];
  if (days === undefined)
    throw new UsageError(`--expires takes a number of days or "never", not ${JSON.stringify(text)}.`);
  return Number(days);
}
