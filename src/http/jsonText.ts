import type { JsonValue } from '../core/json.ts';
import { MalformedRequestError } from './errors.ts';

const MAX_DEPTH = 64;

/** The text of a body. @throws MalformedRequestError when it is not UTF-8 or holds U+0000. */
export function decodeText(bytes: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new MalformedRequestError('The body is not valid UTF-8. Encode it as UTF-8 and send it again.', { cause });
  }
  if (text.includes('\0')) throw new MalformedRequestError('The body holds U+0000, which cannot be stored. Remove it.');
  return text;
}

/**
 * JSON (RFC 8259) as strict as I-JSON (RFC 7493) asks: every name once in its object, no lone surrogates, no
 * number beyond a double; besides at most 64 levels, no U+0000 (PostgreSQL cannot store it) and no `__proto__`.
 * What another parser would read differently is refused instead of guessed. Messages say the line and column
 * and never quote the body, which may hold credentials.
 *
 * @throws MalformedRequestError
 */
export function parseJson(text: string): JsonValue {
  new Scanner(text).scan();
  return JSON.parse(text) as JsonValue;
}

/** Walks the text once, without recursion, so that depth costs no stack. */
class Scanner {
  readonly #text: string;
  #at = 0;
  /** Open containers: the names seen of an object, null for an array. */
  readonly #open: (Set<string> | null)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    do this.#value();
    while (this.#next());
  }

  /** Reads a scalar, or opens containers down to the first scalar or empty container. */
  #value(): void {
    for (;;) {
      this.#skipSpace();
      const char = this.#text[this.#at];
      if (char !== '{' && char !== '[') {
        this.#scalar(char);
        return;
      }
      if (this.#open.length === MAX_DEPTH) this.#fail(`is nested deeper than ${MAX_DEPTH} levels`);
      this.#at++;
      this.#open.push(char === '{' ? new Set() : null);
      this.#skipSpace();
      if (this.#text[this.#at] === (char === '{' ? '}' : ']')) {
        this.#at++;
        this.#open.pop();
        return;
      }
      if (char === '{') this.#name();
    }
  }

  /** After a value: closes what ends here; true when another value follows. */
  #next(): boolean {
    for (;;) {
      this.#skipSpace();
      const char = this.#text[this.#at];
      if (this.#open.length === 0) {
        if (char !== undefined) this.#fail('goes on after its end');
        return false;
      }
      const names = this.#open.at(-1);
      const closing = names === null ? ']' : '}';
      if (char === ',') {
        this.#at++;
        if (names !== null) this.#name();
        return true;
      }
      if (char !== closing) this.#fail(`needs a "," or "${closing}"`);
      this.#at++;
      this.#open.pop();
    }
  }

  #name(): void {
    this.#skipSpace();
    const start = this.#at;
    if (this.#text[start] !== '"') this.#fail('needs a name in double quotes');
    const name = this.#string();
    const names = this.#open.at(-1)!;
    if (names.has(name)) this.#fail('has the same name twice in one object', start);
    if (name === '__proto__') this.#fail('has the name "__proto__", which is not taken', start);
    names.add(name);
    this.#skipSpace();
    if (this.#text[this.#at] !== ':') this.#fail('needs a ":"');
    this.#at++;
  }

  #scalar(char: string | undefined): void {
    if (char === '"') {
      this.#string();
      return;
    }
    LITERAL.lastIndex = this.#at;
    const literal = LITERAL.exec(this.#text)?.[0];
    if (literal === undefined) this.#fail(char === undefined ? 'ends too early' : 'needs a value');
    if (!Number.isFinite(Number(literal)) && /\d/.test(literal)) this.#fail('has a number that is too large');
    this.#at += literal.length;
  }

  /** Reads a string and gives what it means. */
  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; ; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        break;
      }
      if (Number.isNaN(code)) this.#fail('has a text that does not end', start);
      if (code < 0x20) this.#fail('has a control character in a text; write it as an escape such as \\n', at);
      if (code === 0x5c) {
        escaped = true;
        ESCAPE.lastIndex = at;
        const sequence = ESCAPE.exec(text)?.[0];
        if (sequence === undefined) this.#fail('has an unknown escape', at);
        at += sequence.length - 1;
      }
    }
    if (!escaped) return text.slice(start + 1, this.#at - 1);
    const value = JSON.parse(text.slice(start, this.#at)) as string;
    if (value.includes('\0')) this.#fail('has a text with U+0000, which cannot be stored', start);
    if (!value.isWellFormed()) this.#fail('has half of a surrogate pair in a text', start);
    return value;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #fail(what: string, at: number = this.#at): never {
    const before = this.#text.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    throw new MalformedRequestError(`The JSON ${what} (line ${line}, column ${column}).`, {
      details: { line, column },
    });
  }
}

const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
