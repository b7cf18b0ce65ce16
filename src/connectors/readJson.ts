import type { JsonValue } from '../core/json.ts';
import type { OutgoingResponse } from '../outgoing/types.ts';

/** An answer is parsed once, though both its classification and its reader want its body. */
const parsedBodies = new WeakMap<OutgoingResponse, JsonValue | undefined>();

/** Sixteen digits in a row: there may be an integer that a double cannot hold. */
const LONG_DIGITS = /\d{16}/;

/** The body as JSON, or undefined when it is none that can be read. */
export function readJson(response: OutgoingResponse): JsonValue | undefined {
  if (parsedBodies.has(response)) return parsedBodies.get(response);
  const value = parseJson(response.body.toString('utf8'));
  parsedBodies.set(response, value);
  return value;
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return (LONG_DIGITS.test(text) ? JSON.parse(text, keepExactIntegers) : JSON.parse(text)) as JsonValue;
  } catch (error) {
    // Thousands of brackets inside each other end the stack.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Ids above 2^53 would be rounded, and two records become one; they are kept as text. */
function keepExactIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? source : value;
}

/** What came instead of JSON, for messages: never the body itself. */
export function describeBody({ body, headers }: OutgoingResponse): string {
  if (body.length === 0) return 'an empty body';
  const type = headers['content-type']?.split(';')[0]?.trim();
  return `${body.length} bytes of ${type === undefined || type === '' ? 'an unnamed type' : type.slice(0, 80)}`;
}
