import type { TagToken } from 'liqe';
import { InvalidLogQueryError } from './errors.ts';
import type { Pattern, TextTest } from './filter.ts';

type Literal = Extract<TagToken['expression'], { type: 'LiteralExpression' }>;

const MAX_WILDCARDS = 5;
const MIN_LITERAL_CHARS = 2;

/** A value as it was written: the parser alone would make 12 of `00012`. */
export interface WrittenText {
  readonly text: string;
  readonly quoted: boolean;
  readonly position: number;
}

export function writtenText(query: string, { quoted, location, value }: Literal): WrittenText {
  if (quoted) return { text: value.replace(/\\(["'\\])/g, '$1'), quoted, position: location.start };
  return { text: query.slice(location.start, location.end), quoted, position: location.start };
}

/** The number that was written, quoted or not; null when it is none. */
export function numberOf({ text }: WrittenText): number | null {
  return /^-?\d{1,30}(\.\d{1,30})?$/.test(text) ? Number(text) : null;
}

/** @throws InvalidLogQueryError for a pattern that would match nearly everything */
export function textTest(query: string, written: WrittenText): TextTest {
  const { text, quoted } = written;
  if (quoted || !/[*?]/.test(text)) return { kind: 'equals', text };
  if (text === '*') return { kind: 'exists' };
  return { kind: 'pattern', parts: patternOf(query, written) };
}

/**
 * The pieces of a text with `*` and `?`; of a quoted text, that text alone.
 * @throws InvalidLogQueryError for a pattern that would match nearly everything
 */
export function patternOf(query: string, { text, quoted, position }: WrittenText): Pattern {
  if (quoted) return text === '' ? [] : [text];
  const parts = text.split(/([*?])/).filter((part) => part !== '');
  const wildcards = parts.filter((part) => part === '*' || part === '?').length;
  const literalChars = text.length - wildcards;
  if (wildcards > 0 && literalChars < MIN_LITERAL_CHARS)
    throw new InvalidLogQueryError(
      query,
      position,
      'the wildcard has next to nothing beside it.',
      `Write at least ${MIN_LITERAL_CHARS} other characters, as in time*; "*" alone goes only with a field, as in trace:*.`,
    );
  if (wildcards > MAX_WILDCARDS)
    throw new InvalidLogQueryError(query, position, `it has ${wildcards} wildcards.`, `Use at most ${MAX_WILDCARDS}.`);
  return parts.map((part) =>
    part === '*' ? ({ wildcard: 'any' } as const) : part === '?' ? ({ wildcard: 'one' } as const) : part,
  );
}
