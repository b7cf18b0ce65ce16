import type { Matcher } from '../monitoring/notifications/labelMatchers.ts';
import { UsageError } from './errors.ts';

const MATCHER = /^([A-Za-z_][A-Za-z0-9_]*)(=~|!~|!=|=)(.*)$/s;
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Such as `platform=shopify` or `alertname=~Slow.*`. @throws UsageError */
export function parseMatcher(text: string): Matcher {
  const [, label, op, value] = MATCHER.exec(text) ?? [];
  if (label === undefined)
    throw new UsageError(`${JSON.stringify(text)} is no matcher. It takes label=value, with =, !=, =~ or !~ between.`);
  return { label, op: op as Matcher['op'], value: value! };
}

/** Such as `30m`, `2h` or `7d`, in milliseconds. @throws UsageError */
export function parseDuration(option: string, text: string): number {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  if (count === undefined || Number(count) === 0)
    throw new UsageError(`${option} takes a time such as 30m, 2h or 7d, not ${JSON.stringify(text)}.`);
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** Of `rule/fingerprint`, as "alerts list" shows it. @throws UsageError */
export function parseAlert(text: string): { ruleId: string; fingerprint: string } {
  const [ruleId, fingerprint, ...rest] = text.split('/');
  if (!ruleId || !fingerprint || rest.length > 0)
    throw new UsageError(`${JSON.stringify(text)} names no alert. Take one that "alerts list" shows.`);
  return { ruleId, fingerprint };
}
