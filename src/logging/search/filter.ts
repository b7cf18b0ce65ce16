import type { JsonValue } from '../../core/json.ts';

/** How a value stands to that of the filter. */
export type Comparison = '<' | '<=' | '=' | '>=' | '>';

/** Columns whose text is compared as a whole, with upper and lower case. */
export type TextField = 'integrationId' | 'eventName' | 'operationId' | 'requestId' | 'traceId' | 'spanId';

/**
 * What a text is held against: the same text; a pattern, in which null stands for any characters and 1 for one
 * character (a code point); or that there is one at all.
 */
export type TextTest =
  | { readonly kind: 'equals'; readonly text: string }
  | { readonly kind: 'pattern'; readonly parts: Pattern }
  | { readonly kind: 'exists' };

/** Literal pieces, `any` number of characters, `one` character. */
export type Pattern = readonly (string | { readonly wildcard: 'any' | 'one' })[];

/** What an attribute is held against; `equals` holds also for an array that has such an element. */
export type AttributeTest =
  | { readonly kind: 'equals'; readonly values: readonly JsonValue[] }
  | { readonly kind: 'compares'; readonly is: Comparison; readonly value: number }
  | Exclude<TextTest, { kind: 'equals' }>;

/**
 * A filter of log records, as data. The same one makes the SQL of history and the predicate of the tail, which agree on
 * every record; what a record does not have never matches, and `not` of it always does.
 */
export type LogFilter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly LogFilter[] }
  | { readonly kind: 'not'; readonly part: LogFilter }
  | { readonly kind: 'severity'; readonly is: Comparison; readonly value: number }
  | { readonly kind: 'seq'; readonly is: Comparison; readonly value: number }
  /** When it was observed, in milliseconds since the epoch. */
  | { readonly kind: 'time'; readonly is: Comparison; readonly value: number }
  | { readonly kind: 'text'; readonly field: TextField; readonly test: TextTest }
  /** The message holds it somewhere, whatever the case of A to Z. Literal pieces are in lower case. */
  | { readonly kind: 'message'; readonly contains: Pattern }
  /** Of the key that is the whole dotted name, else of nested objects. */
  | { readonly kind: 'attribute'; readonly name: string; readonly test: AttributeTest };

/** Matches everything. */
export const EVERYTHING: LogFilter = { kind: 'and', parts: [] };

/** The lower case of A to Z alone, which every version of PostgreSQL and every locale agrees on. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
