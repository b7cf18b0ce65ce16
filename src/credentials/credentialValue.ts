import { InvalidInputError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { type Bytes, fromUtf8, utf8 } from './encoding.ts';

const MAX_DEPTH = 32;

/**
 * The bytes of a JSON value. What JSON would silently change or drop (a Map, a Buffer, a Date, NaN, a function) is
 * refused, because the loss would be noticed only when the credentials are needed.
 * @throws InvalidInputError that names the place, never the value.
 */
export function encodeCredentials(value: unknown): Bytes {
  checkJson(value, '', 0);
  const bytes = utf8(JSON.stringify(value));
  if (bytes.length > LIMITS.credentialsBytes) {
    bytes.fill(0);
    throw refused('', `take at most ${LIMITS.credentialsBytes} bytes as JSON. Got ${bytes.length}.`);
  }
  return bytes;
}

/** @throws SyntaxError or TypeError, whose message may show the content: never let it out. */
export function decodeCredentials(bytes: Bytes): unknown {
  return JSON.parse(fromUtf8(bytes));
}

function checkJson(value: unknown, pointer: string, depth: number): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return;
  if (depth >= MAX_DEPTH) throw refused(pointer, `take at most ${MAX_DEPTH} levels (or refer to themselves).`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) checkJson(value[index], `${pointer}/${index}`, depth + 1);
    return;
  }
  if (!isPlainObject(value)) throw refused(pointer, `take JSON values only. Got ${kindOf(value)}.`);
  for (const [name, member] of Object.entries(value)) {
    // As in JSON, a member that is undefined is one that is not there.
    if (member !== undefined) checkJson(member, `${pointer}/${name}`, depth + 1);
  }
}

/** Also for objects of another realm, such as a frame: their prototype is the end of a chain too. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return 'a number that is not finite';
  if (typeof value !== 'object' || value === null) return value === undefined ? 'nothing' : `a ${typeof value}`;
  return `an instance of ${value.constructor?.name || 'a class'}`;
}

function refused(pointer: string, detail: string): InvalidInputError {
  const place = pointer === '' ? 'The credentials' : `The credentials at ${pointer}`;
  return new InvalidInputError(`${place} ${detail}`, [{ pointer: `/credentials${pointer}`, detail }]);
}
