import { InvalidInputError } from '../core/errors.ts';

/** OWASP's minimum for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet). Nothing below it is made or opened. */
export const MIN_KDF_ITERATIONS = 600_000;
/** Bounds the work that data of unknown origin can ask for: a few seconds. */
const MAX_KDF_ITERATIONS = 10_000_000;

const MIN_SECRET_CHARS = 32;
const MAX_SECRET_CHARS = 4096;
const MAX_USER_KEY_CHARS = 4096;
const MAX_USER_ID_CHARS = 256;

export function isAllowedIterations(iterations: unknown): iterations is number {
  if (typeof iterations !== 'number' || !Number.isInteger(iterations)) return false;
  return iterations >= MIN_KDF_ITERATIONS && iterations <= MAX_KDF_ITERATIONS;
}

/** @throws InvalidInputError */
export function checkIterations(iterations: unknown): void {
  if (isAllowedIterations(iterations)) return;
  refuse('kdfIterations', `takes a whole number from ${MIN_KDF_ITERATIONS} to ${MAX_KDF_ITERATIONS}.`);
}

/** @throws InvalidInputError */
export function checkSecret(secret: unknown, name = 'secret'): void {
  checkText(secret, name, MIN_SECRET_CHARS, MAX_SECRET_CHARS);
}

/** @throws InvalidInputError */
export function checkUserKey(userKey: unknown, name = 'userKey'): void {
  checkText(userKey, name, 1, MAX_USER_KEY_CHARS);
}

/** @throws InvalidInputError */
export function checkUserId(userId: unknown): void {
  checkText(userId, 'userId', 1, MAX_USER_ID_CHARS);
}

/** The message never holds the text, which may be a secret. */
function checkText(text: unknown, name: string, minChars: number, maxChars: number): void {
  // Ill-formed text is refused because UTF-8 has no bytes for it: two such keys would count as one.
  if (typeof text === 'string' && text.length >= minChars && text.length <= maxChars && text.isWellFormed()) return;
  const got =
    typeof text !== 'string'
      ? `a value of type ${typeof text}`
      : text.isWellFormed()
        ? `${text.length} characters`
        : 'ill-formed Unicode';
  refuse(name, `takes a text of ${minChars} to ${maxChars} characters. Got ${got}.`);
}

function refuse(name: string, detail: string): never {
  throw new InvalidInputError(`${name} ${detail}`, [{ pointer: `/${name}`, detail }]);
}
