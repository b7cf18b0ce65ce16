import { AppError } from '../core/errors.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import { liveSecrets, REDACTED } from '../redaction/knownSecrets.ts';
import type { Redactor } from '../redaction/redactor.ts';
import { isSecretName } from '../redaction/secretNames.ts';
import { cleanText } from './cleanText.ts';
import { LOG_LIMITS } from './limits.ts';

/** Says under which something was left out. */
const CUT = '[cut]';
const MAX_WORDS = 2_000;

/**
 * Makes of whatever a caller gives as metadata what is stored of it: JSON within bounds, in one line each, without
 * secrets, in one walk over it. Never throws, whatever it is given: getters that throw, cycles, proxies.
 */
export class AttributeWriter {
  readonly #redactor: Redactor;
  /** Names and ids come again and again. Forgotten when a secret becomes known, which one of them may hold. */
  readonly #words = new Map<string, string>();
  #wordsKnew = 0;
  /** Characters that may still be written of the record at hand. */
  #leftChars = 0;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** @param skipped names of members that are columns of the record instead */
  write(metadata: Readonly<Record<string, unknown>>, skipped: ReadonlySet<string>): JsonObject {
    this.#leftChars = LOG_LIMITS.attributesChars;
    return this.#object(metadata, 0, skipped);
  }

  /** A text within bounds and without secrets. What is cut off is looked at too, so that no half of a secret stays. */
  text(text: string, maxChars: number): string {
    const bounded = text.length > maxChars * 2 ? text.slice(0, maxChars * 2) : text;
    return cleanText(this.#redactor.text(bounded), maxChars);
  }

  /** The same of a text that is likely to come again. */
  word(word: string, maxChars: number): string {
    if (this.#wordsKnew !== liveSecrets.revision || this.#words.size > MAX_WORDS) {
      this.#words.clear();
      this.#wordsKnew = liveSecrets.revision;
    }
    let written = this.#words.get(word);
    if (written === undefined) {
      written = this.text(word, maxChars);
      if (word.length <= LOG_LIMITS.nameChars) this.#words.set(word, written);
    }
    return written;
  }

  #object(object: object, depth: number, skipped?: ReadonlySet<string>): JsonObject {
    if (object instanceof Error) return this.#error(object, depth);
    const written: JsonObject = {};
    let entries = 0;
    for (const name of Object.keys(object)) {
      if (skipped?.has(name)) continue;
      if (++entries > LOG_LIMITS.entries || this.#leftChars <= 0) {
        written[CUT] = `${Object.keys(object).length} members`;
        break;
      }
      const value = this.#member(object, name, depth);
      if (value === undefined) continue;
      const key = this.word(name, LOG_LIMITS.nameChars);
      this.#leftChars -= key.length + 3;
      // It would set the prototype instead.
      if (key !== '__proto__') written[key] = value;
    }
    return written;
  }

  #member(object: object, name: string, depth: number): JsonValue | undefined {
    let value: unknown;
    try {
      value = (object as Record<string, unknown>)[name];
    } catch {
      return '[unreadable]';
    }
    // Whether it was set stays visible.
    if (isSecretName(name) && value !== null && value !== undefined && typeof value !== 'boolean') return REDACTED;
    return this.#value(value, depth);
  }

  #value(value: unknown, depth: number): JsonValue | undefined {
    switch (typeof value) {
      case 'string': {
        const text = this.text(value, Math.min(LOG_LIMITS.textChars, Math.max(this.#leftChars, 100)));
        this.#leftChars -= text.length + 3;
        return text;
      }
      case 'number':
        this.#leftChars -= 10;
        return Number.isFinite(value) ? value : String(value);
      case 'boolean':
        return value;
      case 'bigint':
        return this.#value(String(value), depth);
      case 'object':
        return value === null ? null : this.#nested(value, depth);
      default:
        return undefined;
    }
  }

  #nested(value: object, depth: number): JsonValue {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (depth >= LOG_LIMITS.depth || this.#leftChars <= 0)
      return `[cut: ${Array.isArray(value) ? 'an array' : 'an object'}]`;
    try {
      if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
      if (value instanceof URL) return this.#value(value.href, depth) ?? null;
      if (value instanceof Map) return this.#object(Object.fromEntries(value), depth + 1);
      if (value instanceof Set) return this.#array([...value], depth + 1);
      if (typeof Headers !== 'undefined' && value instanceof Headers)
        return this.#object(Object.fromEntries(value), depth + 1);
      return Array.isArray(value) ? this.#array(value, depth + 1) : this.#object(value, depth + 1);
    } catch {
      return '[unreadable]';
    }
  }

  #array(items: readonly unknown[], depth: number): JsonValue[] {
    const written: JsonValue[] = [];
    for (const item of items) {
      if (written.length >= LOG_LIMITS.entries || this.#leftChars <= 0) {
        written.push(`[cut: ${items.length} entries]`);
        break;
      }
      written.push(this.#value(item, depth) ?? null);
    }
    return written;
  }

  #error(error: Error, depth: number): JsonObject {
    const code: unknown = error instanceof AppError ? error.code : (error as { code?: unknown }).code;
    const lines = String(error.stack ?? '').split('\n');
    const first = lines.findIndex((line) => line.trimStart().startsWith('at '));
    const stack = first === -1 ? [] : lines.slice(first, first + LOG_LIMITS.stackLines).map((line) => line.trim());
    return {
      type: this.#value(error.name, depth) ?? null,
      message: this.#value(error.message, depth) ?? null,
      ...(typeof code === 'string' || typeof code === 'number' ? { code: this.#value(code, depth) ?? null } : {}),
      ...(error instanceof AppError && Object.keys(error.details).length > 0
        ? { details: this.#nested(error.details, depth) }
        : {}),
      ...(stack.length > 0 ? { stack: this.#array(stack, depth) } : {}),
      ...(error.cause === undefined ? {} : { cause: this.#value(error.cause, depth + 1) ?? null }),
    };
  }
}
