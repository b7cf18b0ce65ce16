import { EVERY_SCOPE } from './logRecorder.ts';
import type { RetentionRule } from './logSettings.ts';
import { LOG_LEVELS, type LogLevel, SEVERITIES } from './types.ts';

/** What of a day is past its time. */
export interface Expiry {
  /** Nothing of the day is kept any longer. */
  readonly whole: boolean;
  /** Severities that are past their time in scopes without rules of their own. */
  readonly severities: readonly number[];
  /** Scopes with rules of their own, and of them the severities that are past their time. */
  readonly scopes: readonly { readonly scope: string; readonly severities: readonly number[] }[];
}

/**
 * What of a day that ended `ageDays` ago is past its time. The closest rule counts: of the scope and the level, of the
 * scope, of the level for all, for all, and then the default.
 */
export function expiryOf(
  ageDays: number,
  rules: readonly RetentionRule[],
  defaults: Readonly<Record<LogLevel, number>>,
): Expiry {
  const days = new Map(rules.map(({ scope, level, keepDays }) => [keyOf(scope, level), keepDays]));
  const keepDays = (scope: string, level: LogLevel): number =>
    days.get(keyOf(scope, level)) ??
    days.get(keyOf(scope, null)) ??
    days.get(keyOf(EVERY_SCOPE, level)) ??
    days.get(keyOf(EVERY_SCOPE, null)) ??
    defaults[level];
  const expired = (scope: string): number[] =>
    LOG_LEVELS.filter((level) => keepDays(scope, level) <= ageDays).map((level) => SEVERITIES[level]);
  const severities = expired(EVERY_SCOPE);
  const named = new Set(rules.map(({ scope }) => scope).filter((scope) => scope !== EVERY_SCOPE));
  const scopes = [...named].map((scope) => ({ scope, severities: expired(scope) }));
  const all = (some: readonly number[]): boolean => some.length === LOG_LEVELS.length;
  return { whole: all(severities) && scopes.every((one) => all(one.severities)), severities, scopes };
}

function keyOf(scope: string, level: LogLevel | null): string {
  return `${scope}\n${level ?? ''}`;
}
