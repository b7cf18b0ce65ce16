import { stripVTControlCharacters } from 'node:util';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/**
 * One line of at most so many characters, without control characters and colours, and well-formed, so that it can
 * break no line of a log, steer no terminal and be stored by PostgreSQL.
 */
export function cleanText(text: string, maxChars: number): string {
  const short = text.length <= maxChars ? text : `${text.slice(0, maxChars)}…[cut: ${text.length} characters]`;
  const line = CONTROL.test(short) ? stripVTControlCharacters(short).replace(CONTROLS, ' ') : short;
  return line.isWellFormed() ? line : line.toWellFormed();
}
