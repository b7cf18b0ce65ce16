import type { z } from 'zod';
import { suggestion } from '../core/input.ts';
import { type ConnectorProblem, MAX_PROBLEMS, MORE_PROBLEMS } from './errors.ts';

type Issue = z.core.$ZodIssue;
type Path = (string | number)[];

/** Checks a value against a schema; every problem says what came and what is taken. */
export function parseWithProblems<S extends z.ZodType>(
  schema: S,
  value: unknown,
): { data: z.output<S> } | { problems: ConnectorProblem[] } {
  // The issue names the keys that are unknown; which ones are known only the schema that raised it can say.
  const knownKeys = new WeakMap<object, string[]>();
  const result = schema.safeParse(value, {
    reportInput: true,
    error: (issue) => {
      const shape = (issue.inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
      if (issue.code === 'unrecognized_keys' && shape !== undefined) knownKeys.set(issue.keys, Object.keys(shape));
      return undefined;
    },
  });
  if (result.success) return { data: result.data };
  const issues = result.error.issues.slice(0, MAX_PROBLEMS + 1);
  const problems = issues.flatMap((issue) => toProblems(issue, knownKeys));
  if (problems.length <= MAX_PROBLEMS) return { problems };
  return { problems: [...problems.slice(0, MAX_PROBLEMS), { path: [], message: MORE_PROBLEMS }] };
}

function toProblems(issue: Issue, knownKeys: WeakMap<object, string[]>): ConnectorProblem[] {
  const path = issue.path as Path;
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = knownKeys.get(issue.keys) ?? [];
      return issue.keys.slice(0, MAX_PROBLEMS + 1).map((key) => ({
        path: [...path, key],
        message: `is not known here.${suggestion(key, known)} Known: ${known.join(', ')}.`,
      }));
    }
    case 'invalid_union': {
      const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
      if (options.length > 0) return [{ path, message: oneOf(options, discriminatorValue(issue)) }];
      // Of the alternatives, the one that got furthest is the one that was meant.
      const nearest = furthest(issue.errors);
      if (issue.message === 'Invalid input' && nearest !== undefined)
        return nearest.flatMap((inner) => toProblems({ ...inner, path: [...path, ...inner.path] } as Issue, knownKeys));
      if (issue.input === undefined)
        return [{ path, message: `is required (${issue.message.replace(/^takes /, '')}).` }];
      return [{ path, message: `${sentence(issue.message)} Got ${describe(issue.input)}.` }];
    }
    case 'invalid_key':
      return [{ path, message: `${sentence(issue.issues[0]?.message ?? 'is not taken as a name')}` }];
    case 'invalid_type':
      return [
        issue.input === undefined
          ? { path, message: `is required (${kind(issue.expected)}).` }
          : { path, message: `takes ${kind(issue.expected)}. Got ${describe(issue.input)}.` },
      ];
    case 'invalid_value':
      return [{ path, message: oneOf(issue.values.map(String), issue.input) }];
    case 'too_small':
      return [{ path, message: tooSmall(issue) }];
    case 'too_big':
      return [{ path, message: `takes at most ${issue.maximum}${unit(issue.origin)}. Got ${describe(issue.input)}.` }];
    case 'invalid_format':
      return [{ path, message: `${formatSentence(issue)} Got ${describe(issue.input)}.` }];
    default:
      return [{ path, message: `${sentence(issue.message)} Got ${describe(issue.input)}.` }];
  }
}

function furthest(alternatives: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const depth = (issues: readonly Issue[]): number => Math.max(...issues.map((issue) => issue.path.length));
  return [...alternatives].sort((a, b) => depth(b) - depth(a))[0];
}

function discriminatorValue(issue: Issue): unknown {
  const key = 'discriminator' in issue ? String(issue.discriminator) : undefined;
  const input = issue.input as Record<string, unknown> | null | undefined;
  return key !== undefined && typeof input === 'object' ? input?.[key] : input;
}

function oneOf(values: readonly string[], got: unknown): string {
  const list = values.map((value) => JSON.stringify(value)).join(', ');
  if (got === undefined) return `is required (one of ${list}).`;
  return `takes one of ${list}. Got ${describe(got)}.${typeof got === 'string' ? suggestion(got, values) : ''}`;
}

function tooSmall(issue: Issue & { code: 'too_small' }): string {
  if (issue.origin === 'array') return `needs at least ${issue.minimum} ${issue.minimum === 1 ? 'entry' : 'entries'}.`;
  if (issue.input === '') return 'may not be empty.';
  if (issue.origin === 'string') return `takes at least ${issue.minimum} characters. Got ${describe(issue.input)}.`;
  return `takes at least ${issue.minimum}. Got ${describe(issue.input)}.`;
}

function formatSentence(issue: Issue & { code: 'invalid_format' }): string {
  return issue.format === 'url' ? 'takes a web address such as "https://…".' : sentence(issue.message);
}

function sentence(message: string): string {
  return message.endsWith('.') ? message : `${message}.`;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
};

function kind(expected: string): string {
  return KINDS[expected] ?? expected;
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

/** A short value as it is, a long one by its kind. */
function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value !== null && typeof value === 'object') return 'a map';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 62 ? `a text of ${String(value).length} characters` : text;
}
