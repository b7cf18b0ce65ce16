import { canonicalJson } from '../core/canonicalJson.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { sha256 } from './merkleTree.ts';

interface Bounds {
  readonly textChars: number;
  readonly entries: number;
  readonly depth: number;
}

/** Tried one after the other until the result is small enough. */
const BOUNDS: readonly Bounds[] = [
  { textChars: 2_000, entries: 200, depth: 12 },
  { textChars: 200, entries: 30, depth: 6 },
  { textChars: 60, entries: 12, depth: 3 },
];
const MAX_NAME_CHARS = 100;
/** The name under which it is said that something was left out. */
const CUT = '[cut]';

/**
 * The object, cut where it is too large: long texts, many entries and deep nesting are shortened, with a mark that
 * says what is missing. What is still longer than `maxBytes` is only described: its size and its SHA-256.
 */
export function boundJson(object: JsonObject, maxBytes: number): JsonObject {
  for (const bounds of BOUNDS) {
    const bounded = boundObject(object, bounds, 0);
    if (Buffer.byteLength(canonicalJson(bounded).text) <= maxBytes) return bounded;
  }
  const text = JSON.stringify(object);
  return { [CUT]: `${Buffer.byteLength(text)} bytes of JSON, SHA-256 ${sha256(Buffer.from(text)).toString('hex')}` };
}

/** The text, at most so long, with a mark when something was cut off. */
export function cutText(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}…[cut: ${text.length} characters]`;
}

function bound(value: JsonValue, bounds: Bounds, depth: number): JsonValue {
  if (typeof value === 'string') return cutText(value, bounds.textChars);
  if (value === null || typeof value !== 'object') return value;
  if (depth >= bounds.depth) return `[cut: ${Array.isArray(value) ? 'an array' : 'an object'}]`;
  return Array.isArray(value) ? boundArray(value, bounds, depth) : boundObject(value, bounds, depth);
}

function boundArray(items: readonly JsonValue[], bounds: Bounds, depth: number): JsonValue[] {
  const kept = items.slice(0, bounds.entries).map((item) => bound(item, bounds, depth + 1));
  return items.length <= bounds.entries ? kept : [...kept, `[cut: ${items.length} entries]`];
}

function boundObject(object: JsonObject, bounds: Bounds, depth: number): JsonObject {
  const members = Object.entries(object);
  const kept = members
    .slice(0, bounds.entries)
    .map(([name, value]): [string, JsonValue] => [cutText(name, MAX_NAME_CHARS), bound(value, bounds, depth + 1)]);
  if (members.length > bounds.entries) kept.push([CUT, `${members.length} members`]);
  return Object.fromEntries(kept);
}
