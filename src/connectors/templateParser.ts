import type { JsonValue } from '../core/json.ts';

/** A value written down, or the name of one. */
export type Operand = { readonly literal: JsonValue } | { readonly path: readonly string[] };

/** What stands between `{{` and `}}`. */
export interface Expression {
  readonly source: string;
  readonly operand: Operand;
  readonly filters: readonly { readonly name: string; readonly args: readonly Operand[] }[];
}

/** Plain text and expressions, in order. */
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

/** Text for a message, shortened. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
