import { canonicalJson } from '../core/canonicalJson.ts';
import type { JsonObject } from '../core/json.ts';
import { Redactor } from '../redaction/redactor.ts';

/**
 * What changed, as an event tells it: of both sides the members that differ, without secrets. A secret that changed
 * is named and not shown. For something that was made give `before` as null, for something deleted `after`.
 *
 * @example trail.record(tx, { actor, action: 'integration.updated', outcome: 'success', ...describeChange(old, now) })
 */
export function describeChange(
  before: JsonObject | null,
  after: JsonObject | null,
): { before?: JsonObject; after?: JsonObject } {
  const redactor = new Redactor();
  const changed = (one: JsonObject, other: JsonObject | null): JsonObject =>
    redactor.object(
      Object.fromEntries(Object.entries(one).filter(([name, value]) => !isSame(value, other ?? {}, name))),
    );
  return {
    ...(before === null ? {} : { before: changed(before, after) }),
    ...(after === null ? {} : { after: changed(after, before) }),
  };
}

function isSame(value: JsonObject[string], other: JsonObject, name: string): boolean {
  if (!Object.hasOwn(other, name)) return value === undefined;
  return canonicalJson({ value }).text === canonicalJson({ value: other[name]! }).text;
}
