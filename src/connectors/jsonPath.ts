import type { JsonObject, JsonValue } from '../core/json.ts';

/** One step: a key, an index, or `*` for every element or value. */
type Step = { readonly key: string } | { readonly index: number } | { readonly every: true };

/** A parsed path; see `parsePath`. */
export type JsonPath = readonly Step[];

const STEP = /^(?:\.?([A-Za-z_$][\w$-]*|\*)|\[(\d+|\*)\]|\[(?:'([^']*)'|"([^"]*)")\])/;

/**
 * The subset of JSONPath that connectors use: `data.items`, `data[0].id`, `groups[*].users`, `['a.b'].c`, with an
 * optional leading `$`; `$` alone is the whole value.
 * @throws SyntaxError that names the place where it stops making sense
 */
export function parsePath(text: string): JsonPath {
  const steps: Step[] = [];
  let rest = text === '$' ? '' : text.replace(/^\$(?=[.[])/, '');
  while (rest !== '') {
    const match = STEP.exec(rest);
    if (match === null)
      throw new SyntaxError(
        `is not a path: cannot read ${JSON.stringify(rest.slice(0, 30))}. A path looks like "data.items", "items[0].id", "groups[*].users" or "['odd key']".`,
      );
    const [whole, name, index, single, double] = match;
    const key = name ?? single ?? double;
    if (name === '*' || index === '*') steps.push({ every: true });
    else if (index !== undefined) steps.push({ index: Number(index) });
    else if (key === '__proto__') throw new SyntaxError('is not a path: "__proto__" is not taken as a key.');
    else steps.push({ key: key! });
    rest = rest.slice(whole.length);
    if (rest !== '' && !rest.startsWith('.') && !rest.startsWith('['))
      throw new SyntaxError(`is not a path: cannot read ${JSON.stringify(rest.slice(0, 30))}.`);
  }
  return steps;
}

export function hasWildcard(path: JsonPath): boolean {
  return path.some((step) => 'every' in step);
}

/** The value at the path (the first one, with wildcards), or undefined when there is none. */
export function valueAt(value: JsonValue | undefined, path: JsonPath): JsonValue | undefined {
  let current = value;
  for (let position = 0; position < path.length; position++) {
    const step = path[position]!;
    if (current === null || typeof current !== 'object') return undefined;
    if ('every' in step) {
      const rest = path.slice(position + 1);
      for (const one of Object.values(current)) {
        const found = valueAt(one, rest);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    if ('index' in step) current = Array.isArray(current) ? current[step.index] : undefined;
    else current = !Array.isArray(current) && Object.hasOwn(current, step.key) ? current[step.key] : undefined;
  }
  return current;
}

/** Every value the path leads to, in order. Without a wildcard that is one or none. */
export function valuesAt(value: JsonValue, path: JsonPath): JsonValue[] {
  let current: JsonValue[] = [value];
  for (const step of path) {
    current = current.flatMap((one) => {
      if (one === null || typeof one !== 'object') return [];
      if ('every' in step) return Object.values(one);
      const found = valueAt(one, [step]);
      return found === undefined ? [] : [found];
    });
  }
  return current;
}

/** A copy of `record` with `value` at the path; objects on the way are made. Indexes and wildcards are not taken. */
export function withValue(record: JsonObject, path: JsonPath, value: JsonValue): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined || !('key' in step)) return record;
  if (rest.length === 0) return { ...record, [step.key]: value };
  const inner = record[step.key];
  const child = inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? inner : {};
  return { ...record, [step.key]: withValue(child, rest, value) };
}

/** A copy of `record` without what is at the path. */
export function withoutValue(record: JsonObject, path: JsonPath): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined || !('key' in step) || !Object.hasOwn(record, step.key)) return record;
  const { [step.key]: inner, ...others } = record;
  if (rest.length === 0) return others;
  if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return record;
  return { ...record, [step.key]: withoutValue(inner, rest) };
}
