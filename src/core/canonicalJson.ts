import type { JsonObject, JsonValue } from './json.ts';

/** Deeper data is refused: neither we nor PostgreSQL should recurse without a bound. */
export const MAX_JSON_DEPTH = 500;

export class JsonTooDeepError extends Error {}

export interface CanonicalJson {
  readonly text: string;
  /** Whether something was replaced because PostgreSQL's jsonb, or JSON itself, cannot hold it. */
  readonly replaced: boolean;
}

/**
 * The RFC 8785 (JCS) form of a value: no white space, members sorted by their UTF-16 code units, numbers and
 * strings as ECMAScript writes them. Values that differ only in the order of members give the same text.
 *
 * What jsonb cannot hold is replaced: U+0000 and surrogates without their partner by U+FFFD, and numbers beyond
 * the double range, which JSON.parse reads as infinite, by null.
 *
 * Own code instead of the `canonicalize` package, to which a property test compares it: three times as fast, and
 * this is most of what a record costs us.
 *
 * @throws JsonTooDeepError beyond MAX_JSON_DEPTH levels.
 */
export function canonicalJson(value: JsonValue): CanonicalJson {
  const writer: Writer = { repairText: false, replaced: false };
  const text = write(writer, value, 0);
  // Both kinds of bad character, and hardly anything else, leave JSON.stringify as a \u escape.
  if (!text.includes('\\u')) return { text, replaced: writer.replaced };
  writer.repairText = true;
  return { text: write(writer, value, 0), replaced: writer.replaced };
}

/** `text` with every character that PostgreSQL cannot store replaced by U+FFFD. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD');
}

interface Writer {
  repairText: boolean;
  replaced: boolean;
}

function write(writer: Writer, value: JsonValue | undefined, depth: number): string {
  if (typeof value === 'string') return writeText(writer, value);
  if (typeof value === 'number') return writeNumber(writer, value);
  if (value === null || typeof value !== 'object') return value === undefined ? 'null' : String(value);
  if (depth >= MAX_JSON_DEPTH) throw new JsonTooDeepError();
  return Array.isArray(value) ? writeArray(writer, value, depth) : writeObject(writer, value, depth);
}

function writeText(writer: Writer, text: string): string {
  if (!writer.repairText) return JSON.stringify(text);
  const storable = storableText(text);
  writer.replaced ||= storable !== text;
  return JSON.stringify(storable);
}

function writeNumber(writer: Writer, number: number): string {
  writer.replaced ||= !Number.isFinite(number);
  return JSON.stringify(number);
}

function writeArray(writer: Writer, items: readonly JsonValue[], depth: number): string {
  let text = '[';
  for (let index = 0; index < items.length; index++) {
    if (index > 0) text += ',';
    text += write(writer, items[index], depth + 1);
  }
  return `${text}]`;
}

function writeObject(writer: Writer, object: JsonObject, depth: number): string {
  let text = '{';
  for (const name of Object.keys(object).sort()) {
    const value = object[name];
    if (value === undefined) continue;
    if (text.length > 1) text += ',';
    text += (writer.repairText ? `${writeText(writer, name)}:` : memberName(name)) + write(writer, value, depth + 1);
  }
  return `${text}}`;
}

/** Escaped names with their colon; an API repeats the same few names in every record. */
const memberNames = new Map<string, string>();
const MEMBER_NAMES_MAX = 10_000;
const MEMBER_NAME_MAX_CHARS = 100;

function memberName(name: string): string {
  let text = memberNames.get(name);
  if (text === undefined) {
    text = `${JSON.stringify(name)}:`;
    if (memberNames.size < MEMBER_NAMES_MAX && name.length <= MEMBER_NAME_MAX_CHARS) memberNames.set(name, text);
  }
  return text;
}
