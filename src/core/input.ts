import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { type InputProblem, InvalidInputError } from './errors.ts';

/** What is longer is no misspelt word, and comparing it takes long. */
const MAX_WORD_CHARS = 200;

/** The known word that `word` was probably meant to be, or undefined when none is near. */
function didYouMean(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || word.length > MAX_WORD_CHARS) return undefined;
  const nearest = closest(word.toLowerCase(), [...known]);
  return distance(word.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, Math.floor(word.length / 3))
    ? nearest
    : undefined;
}

/** " Did you mean …?" or "", to end a message with. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = didYouMean(word, known);
  return meant === undefined ? '' : ` Did you mean ${JSON.stringify(meant)}?`;
}

/**
 * Checks an input against its schema.
 * @throws InvalidInputError that lists every problem: where it is, what came, what is taken.
 */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown, what: string): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) => toProblems(issue, input, schema));
  throw invalidInput(what, problems);
}

/** The error for problems found by hand or by a schema; its message names each of them. */
export function invalidInput(what: string, problems: readonly InputProblem[]): InvalidInputError {
  const lines = problems.map(({ pointer, detail }) =>
    pointer === ''
      ? `${/^takes /.test(detail) ? 'It ' : ''}${detail}`
      : `${pointer.slice(1).replaceAll('/', '.')}: ${detail}`,
  );
  return new InvalidInputError(`${what} is not valid. ${lines.join(' ')}`, problems);
}

function toProblems(issue: z.core.$ZodIssue, input: unknown, schema: z.ZodType): InputProblem[] {
  const pointer = toPointer(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => ({
      pointer: toPointer([...issue.path, key]),
      detail: `is not known here.${suggestion(key, known) || (known.length > 0 ? ` Known are: ${known.join(', ')}.` : '')}`,
    }));
  }
  const value = valueAt(input, issue.path);
  if (value === undefined && issue.code === 'invalid_type')
    return [{ pointer, detail: `is required (${issue.expected}).` }];
  return [{ pointer, detail: `${sentence(issue)} Got ${describeType(value)}.` }];
}

/** What people call the formats that schemas use without words of their own. */
const FORMATS: Readonly<Record<string, string>> = {
  datetime: 'a time such as 2026-01-31T12:00:00Z',
  date: 'a day such as 2026-01-31',
  email: 'an e-mail address',
  url: 'an address such as https://example.com/path',
};

function sentence(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `takes ${article(issue.expected)}.`;
    case 'too_small':
      return issue.message.startsWith('takes')
        ? `${issue.message}.`
        : `takes at least ${issue.minimum}${unit(issue.origin, issue.minimum)}.`;
    case 'too_big':
      return `takes at most ${issue.maximum}${unit(issue.origin, issue.maximum)}.`;
    case 'invalid_union':
      // Of kinds that are told apart by one member; zod's own words name the library.
      return 'options' in issue && issue.options !== undefined
        ? `takes one of ${issue.options.map((value) => JSON.stringify(value)).join(', ')}.`
        : `takes another form (${issue.message}).`;
    case 'invalid_format':
      return issue.message.startsWith('takes')
        ? `${issue.message}.`
        : `takes ${FORMATS[issue.format] ?? `another form (${issue.message})`}.`;
    case 'invalid_value':
      if (issue.values.length === 1) return `takes ${JSON.stringify(issue.values[0])}.`;
      return `takes one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}.`;
    default:
      return issue.message.startsWith('takes') ? `${issue.message}.` : `takes another form (${issue.message}).`;
  }
}

function unit(origin: string, count: number | bigint): string {
  const one = Number(count) === 1;
  if (origin === 'string') return one ? ' character' : ' characters';
  if (origin === 'array') return one ? ' entry' : ' entries';
  return '';
}

function article(expected: string): string {
  if (expected === 'int') return 'a whole number';
  if (expected === 'boolean') return 'true or false';
  return /^[aeio]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

/** The kind of a value, not the value: it may be a secret. */
function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string')
    return value === '' ? 'an empty text' : `a text of ${value.length}${unit('string', value.length)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === undefined ? 'nothing' : `an ${typeof value}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key], input);
}

/** RFC 6901. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let node: unknown = schema;
  for (const key of path) node = (unwrap(node) as { shape?: Record<PropertyKey, unknown> } | undefined)?.shape?.[key];
  const shape = (unwrap(node) as { shape?: object } | undefined)?.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

function unwrap(node: unknown): unknown {
  let inner = node as { unwrap?: () => unknown; shape?: unknown } | undefined;
  while (inner !== undefined && inner.shape === undefined && typeof inner.unwrap === 'function')
    inner = inner.unwrap() as typeof inner;
  return inner;
}
