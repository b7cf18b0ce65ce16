import type { JsonValue } from '../core/json.ts';
import type { Condition } from './format/parts.ts';
import { parsePath, valueAt } from './jsonPath.ts';
import { matches } from './pattern.ts';

/** Prepares a condition; `null` and a missing value count as not existing. */
export function compileCondition(condition: Condition): (value: JsonValue) => boolean {
  const path = parsePath(condition.path);
  return (value) => {
    const found = valueAt(value, path);
    const exists = found !== undefined && found !== null;
    if (condition.exists !== undefined && exists !== condition.exists) return false;
    if (condition.equals !== undefined && (found ?? null) !== condition.equals) return false;
    if (condition.notEquals !== undefined && (found ?? null) === condition.notEquals) return false;
    if (condition.in !== undefined && !condition.in.some((one) => one === found)) return false;
    return condition.matches === undefined || fits(condition.matches, found);
  };
}

export function compileConditions(conditions: readonly Condition[]): (value: JsonValue) => boolean {
  const compiled = conditions.map(compileCondition);
  return (value) => compiled.every((holds) => holds(value));
}

function fits(pattern: string, value: JsonValue | undefined): boolean {
  return (typeof value === 'string' || typeof value === 'number') && matches(pattern, String(value));
}
