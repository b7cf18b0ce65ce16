import { LRUCache } from 'lru-cache';
import { suggestion } from '../core/input.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { scalarText, TEMPLATE_FILTERS } from './templateFilters.ts';

/** What a template may refer to: a value, `true` for an object with any fields, or the list of its fields. */
export type TemplateNames = Readonly<Record<string, 'value' | true | readonly string[]>>;

/** The values it is rendered with. */
export type TemplateScope = Readonly<Record<string, JsonValue | undefined>>;

type Operand = { readonly literal: JsonValue } | { readonly path: readonly string[] };

interface Expression {
  readonly source: string;
  readonly operand: Operand;
  readonly filters: readonly { readonly name: string; readonly args: readonly Operand[] }[];
}

export type Template = readonly (string | Expression)[];

const NAME = /^[A-Za-z_][\w-]*/;
const MAX_EXPRESSIONS = 50;

/**
 * Parses `text with {{ name.field | filter('argument') }}`. There are no operators, loops or calls: a template can
 * only look a value up and pass it through filters.
 * @throws SyntaxError with what is wrong and what is taken
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Expression)[] = [];
  let position = 0;
  for (;;) {
    const open = text.indexOf('{{', position);
    if (open === -1) break;
    if (open > position) parts.push(text.slice(position, open));
    const close = closingBraces(text, open + 2);
    if (close === -1) throw new SyntaxError(`has a "{{" without its "}}" in ${quoted(text)}.`);
    parts.push(parseExpression(text.slice(open + 2, close).trim()));
    if (parts.length > MAX_EXPRESSIONS) throw new SyntaxError(`has more than ${MAX_EXPRESSIONS} parts.`);
    position = close + 2;
  }
  if (position < text.length || parts.length === 0) parts.push(text.slice(position));
  return parts;
}

/** Braces inside quotes belong to the text they stand in. */
function closingBraces(text: string, from: number): number {
  let quote = '';
  for (let index = from; index < text.length; index++) {
    const char = text[index]!;
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === "'" || char === '"') quote = char;
    else if (char === '}' && text[index + 1] === '}') return index;
  }
  return -1;
}

function parseExpression(source: string): Expression {
  if (source === '') throw new SyntaxError('has an empty "{{ }}".');
  let rest = source;
  const take = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(rest)?.[0];
    if (found !== undefined) rest = rest.slice(found.length).trimStart();
    return found;
  };
  const fail = (): never => {
    throw new SyntaxError(
      `cannot be read: {{ ${source} }} at ${quoted(rest === '' ? 'its end' : rest)}. An expression is a name such as config.shop, then filters such as | default('x').`,
    );
  };
  const literal = (): JsonValue | undefined => {
    const text = take(/^(?:'[^']*'|"[^"]*")/);
    if (text !== undefined) return text.slice(1, -1);
    const number = take(/^-?\d+(?:\.\d+)?/);
    if (number !== undefined) return Number(number);
    const word = take(/^(?:true|false)\b(?![.\w-])/);
    return word === undefined ? undefined : word === 'true';
  };
  const operand = (): Operand => {
    const value = literal();
    if (value !== undefined) return { literal: value };
    const path = [take(NAME) ?? fail()];
    while (rest.startsWith('.')) {
      rest = rest.slice(1);
      path.push(take(/^(?:[A-Za-z_][\w-]*|\d+)/) ?? fail());
    }
    return { path };
  };

  const first = operand();
  const filters: { name: string; args: Operand[] }[] = [];
  while (take(/^\|(?!\|)/) !== undefined) {
    const name = take(NAME) ?? fail();
    const args: Operand[] = [];
    if (take(/^\(/) !== undefined && take(/^\)/) === undefined) {
      do args.push(operand());
      while (take(/^,/) !== undefined);
      if (take(/^\)/) === undefined) fail();
    }
    filters.push({ name, args });
  }
  if (rest !== '') fail();
  return { source, operand: first, filters };
}

/** Where the names are known that are not known everywhere. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  credentials: 'Credentials can be used under "auth" only.',
  state: 'A state is known in streams that have "incremental".',
  parent: 'A parent is known in streams that have "parent".',
  record: 'The record is known in transformations only.',
  token: 'A token is known in the headers of auth modes that are issued one.',
};

/** Everything in a template that cannot work: unknown names, unknown filters, wrong arguments. */
export function templateProblems(text: string, names: TemplateNames): string[] {
  let template: Template;
  try {
    template = parseTemplate(text);
  } catch (error) {
    if (error instanceof SyntaxError) return [error.message];
    throw error;
  }
  return template.flatMap((part) =>
    typeof part === 'string' ? [] : [...nameProblems(part, names), ...filterProblems(part)],
  );
}

function nameProblems({ operand, filters, source }: Expression, names: TemplateNames): string[] {
  return [operand, ...filters.flatMap(({ args }) => args)].flatMap((one) => operandProblems(one, names, source));
}

function operandProblems(operand: Operand, names: TemplateNames, source: string): string[] {
  if ('literal' in operand) return [];
  const [root, field, ...deeper] = operand.path;
  const taken = Object.hasOwn(names, root!) ? names[root!] : undefined;
  const known = Object.keys(names);
  if (taken === undefined) {
    const hint = ELSEWHERE[root!] ?? suggestion(root!, known).trim();
    return [
      `refers to ${quoted(root!)}, which is not known here. ${hint} Known here: ${known.join(', ')}.`.replace(
        '  ',
        ' ',
      ),
    ];
  }
  if (taken === 'value')
    return field === undefined ? [] : [`refers to ${quoted(source)}, but ${root} is a single value without fields.`];
  if (field === undefined)
    return [
      `refers to ${quoted(root!)} as a whole; name a field of it, such as ${root}.${taken === true ? 'id' : (taken[0] ?? 'field')}.`,
    ];
  if (taken === true) return [];
  if (!taken.includes(field)) {
    const list = taken.length === 0 ? `There are no ${root} fields here.` : `Known: ${taken.join(', ')}.`;
    return [`refers to ${root}.${field}, which does not exist.${suggestion(field, taken)} ${list}`];
  }
  return deeper.length === 0
    ? []
    : [`refers to ${quoted(operand.path.join('.'))}, but ${root}.${field} has no fields.`];
}

function filterProblems({ filters }: Expression): string[] {
  return filters.flatMap(({ name, args }) => {
    const filter = Object.hasOwn(TEMPLATE_FILTERS, name) ? TEMPLATE_FILTERS[name] : undefined;
    const known = Object.keys(TEMPLATE_FILTERS);
    if (filter === undefined)
      return [
        `uses the filter ${quoted(name)}, which does not exist.${suggestion(name, known)} Filters: ${known.join(', ')}.`,
      ];
    const [least, most] = filter.arity;
    if (args.length < least || args.length > most)
      return [
        `gives the filter ${quoted(name)} ${args.length} arguments; it takes ${least === most ? least : `${least} to ${most}`}.`,
      ];
    // What a value brings is seen when it is there.
    const literals = args.flatMap((arg) => ('literal' in arg ? [arg.literal] : []));
    const wrong = literals.length < args.length ? null : filter.check?.(literals);
    return typeof wrong === 'string'
      ? [`gives the filter ${quoted(name)} ${quoted(String(literals[0]))}; it ${wrong}.`]
      : [];
  });
}

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
    template = parseTemplate(text);
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
  }
  return result;
}

/** What `path` and `urlencode` have encoded is not encoded again. */
function encoded(value: JsonValue, expression: Expression, encode: (text: string) => string): string {
  const last = expression.filters.at(-1)?.name;
  const text = insertable(value, expression);
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
      value = values.every((one) => one !== undefined) ? filter.apply(value ?? '', values) : value;
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

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
