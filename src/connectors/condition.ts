import type { JsonValue } from '../core/json.ts';
import type { Condition } from './format/parts.ts';
import { parsePath, valueAt } from './jsonPath.ts';

/** Longest text that a pattern of a connector is tried on. */
const MATCHED_CHARS = 2000;

/** Prepares a condition; `null` and a missing value count as not existing. */
export function compileCondition(condition: Condition): (value: JsonValue) => boolean {
  const path = parsePath(condition.path);
  const pattern = condition.matches === undefined ? undefined : new RegExp(condition.matches, 'u');
  return (value) => {
    const found = valueAt(value, path);
    const exists = found !== undefined && found !== null;
    if (condition.exists !== undefined && exists !== condition.exists) return false;
    if (condition.equals !== undefined && (found ?? null) !== condition.equals) return false;
    if (condition.notEquals !== undefined && (found ?? null) === condition.notEquals) return false;
    if (condition.in !== undefined && !condition.in.some((one) => one === found)) return false;
    return pattern === undefined || matches(pattern, found);
  };
}

export function compileConditions(conditions: readonly Condition[]): (value: JsonValue) => boolean {
  const compiled = conditions.map(compileCondition);
  return (value) => compiled.every((holds) => holds(value));
}

function matches(pattern: RegExp, value: JsonValue | undefined): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  return pattern.test(String(value).slice(0, MATCHED_CHARS));
}
