import { LRUCache } from 'lru-cache';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { MAX_TEMPLATE_CHARS, scalarText, TEMPLATE_FILTERS } from './templateFilters.ts';
import { type Expression, type Operand, parseTemplate, type Template } from './templateParser.ts';

/** The values it is rendered with. */
export type TemplateScope = Readonly<Record<string, JsonValue | undefined>>;

/** Whether a template refers to this name, such as `state.cursor`, or to something below it. */
export function refersTo(text: string, name: string): boolean {
  const is = (operand: Operand): boolean => 'path' in operand && `${operand.path.join('.')}.`.startsWith(`${name}.`);
  return parsed(text).some(
    (part) => typeof part !== 'string' && [part.operand, ...part.filters.flatMap(({ args }) => args)].some(is),
  );
}

const cache = new LRUCache<string, Template>({ max: 5000 });

function parsed(text: string): Template {
  let template = cache.get(text);
  if (template === undefined) {
    try {
      template = parseTemplate(text);
    } catch {
      // Faults are told when a connector is checked. What was not checked may hold anything, so it is not quoted.
      throw new TypeError('a template cannot be read.');
    }
    cache.set(text, template);
  }
  return template;
}

/**
 * Fills a template in. A template that is one expression and nothing else keeps the value's type. `undefined` when
 * a value it needs is missing or null: the caller leaves the parameter, header or key out.
 * @param encode applied to every inserted value, for URLs
 * @throws TypeError when a filter or a text does not take the value; the value itself is not in the message
 */
export function render(text: string, scope: TemplateScope, encode?: (text: string) => string): JsonValue | undefined {
  if (!text.includes('{{')) return text;
  const template = parsed(text);
  const [only] = template;
  if (template.length === 1 && typeof only === 'object') {
    const value = evaluate(only, scope);
    return value === undefined || encode === undefined ? value : encoded(value, only, encode);
  }
  let result = '';
  for (const part of template) {
    if (typeof part === 'string') {
      result += part;
      continue;
    }
    const value = evaluate(part, scope);
    if (value === undefined) return undefined;
    result += encode === undefined ? insertable(value, part) : encoded(value, part, encode);
    if (result.length > MAX_TEMPLATE_CHARS)
      throw new TypeError(`a text would become longer than ${MAX_TEMPLATE_CHARS} characters at {{ ${part.source} }}.`);
  }
  return result;
}

/** What `path` and `urlencode` have encoded is not encoded again. */
function encoded(value: JsonValue, expression: Expression, encode: (text: string) => string): string {
  const last = expression.filters.at(-1)?.name;
  const text = insertable(value, expression);
  if (text.length > MAX_TEMPLATE_CHARS)
    throw new TypeError(`{{ ${expression.source} }} has more than ${MAX_TEMPLATE_CHARS} characters.`);
  return last === 'path' || last === 'urlencode' ? text : encode(text);
}

function insertable(value: JsonValue, { source }: Expression): string {
  try {
    return scalarText(value);
  } catch {
    throw new TypeError(
      `{{ ${source} }} is not a text, a number or true/false; take one field of it, or the filter join or json.`,
    );
  }
}

function evaluate({ operand, filters, source }: Expression, scope: TemplateScope): JsonValue | undefined {
  let value = operandValue(operand, scope);
  for (const { name, args } of filters) {
    const filter = TEMPLATE_FILTERS[name];
    if (filter === undefined) throw new TypeError(`{{ ${source} }}: there is no filter ${name}.`);
    if (value === undefined && name !== 'default') return undefined;
    try {
      const values = args.map((arg) => operandValue(arg, scope));
      const given = value;
      value = values.every((one) => one !== undefined) ? filter.apply(value ?? '', values) : value;
      if (typeof value === 'string' && value !== given && value.length > MAX_TEMPLATE_CHARS)
        throw new TypeError(`gives more than ${MAX_TEMPLATE_CHARS} characters`);
    } catch (error) {
      if (error instanceof TypeError)
        throw new TypeError(`{{ ${source} }}: the value given to "${name}" ${error.message}.`);
      throw error;
    }
  }
  return value;
}

function operandValue(operand: Operand, scope: TemplateScope): JsonValue | undefined {
  return 'literal' in operand ? operand.literal : lookUp(operand.path, scope);
}

function lookUp(path: readonly string[], scope: TemplateScope): JsonValue | undefined {
  let value: JsonValue | undefined = scope as JsonObject;
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
  }
  return value ?? undefined;
}

/** Fills in every text of a JSON value. Keys and elements whose template gives nothing are left out. */
export function renderJson(value: JsonValue, scope: TemplateScope): JsonValue | undefined {
  if (typeof value === 'string') return render(value, scope);
  if (Array.isArray(value)) return value.map((one) => renderJson(one, scope)).filter((one) => one !== undefined);
  if (value === null || typeof value !== 'object') return value;
  const rendered = Object.entries(value).flatMap(([key, one]) => {
    const filled = renderJson(one, scope);
    return filled === undefined ? [] : [[key, filled] as const];
  });
  return Object.fromEntries(rendered);
}
