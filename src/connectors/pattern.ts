import { LRUCache } from 'lru-cache';
import { RE2JS } from 're2js';

/** Longest text that a pattern is tried on; callers cut or refuse what is longer. */
export const MAX_MATCHED_CHARS = 2048;
/** A match takes at most this many steps for each character. */
const MAX_STEPS = 1000;
const LOOK_AROUND = /\(\?(?:[=!]|<[=!])/;
const BACK_REFERENCE = /\\(?:[1-9]|k<)/;

const compiled = new LRUCache<string, RE2JS>({ max: 200 });

/**
 * Whether the text holds what the pattern describes. Patterns come with connectors, so they are matched in time
 * linear to the text (RE2), whatever they look like.
 * @throws SyntaxError with what is wrong with the pattern
 */
export function matches(pattern: string, text: string, options: { readonly ignoreCase?: boolean } = {}): boolean {
  const flags = options.ignoreCase === true ? RE2JS.CASE_INSENSITIVE : 0;
  return compile(pattern, flags).test(text.slice(0, MAX_MATCHED_CHARS));
}

/** What is wrong with a pattern, or null. */
export function patternFault(pattern: string): string | null {
  try {
    compile(pattern, 0);
    return null;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

function compile(pattern: string, flags: number): RE2JS {
  const key = `${flags}:${pattern}`;
  let result = compiled.get(key);
  if (result === undefined) {
    result = parse(pattern, flags);
    if (result.programSize() > MAX_STEPS)
      throw new SyntaxError('is too large a regular expression; ask for fewer repetitions.');
    compiled.set(key, result);
  }
  return result;
}

function parse(pattern: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error).replace('error parsing regexp: ', '');
    if (LOOK_AROUND.test(pattern) || BACK_REFERENCE.test(pattern))
      throw new SyntaxError(
        `takes a regular expression without look-around and back-references, which could take exponential time: ${reason}.`,
      );
    throw new SyntaxError(`is not a regular expression: ${reason}.`);
  }
}
