import { createHash, randomBytes } from 'node:crypto';

const COUNT = 10;
/** Without letters that look like others. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CHARS = 16;

/** Ten new codes of 80 random bits, as `xxxx-xxxx-xxxx-xxxx`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: COUNT }, () => {
    const chars = [...randomBytes(CHARS)].map((byte) => ALPHABET[byte & 31]);
    return chars.join('').replaceAll(/(.{4})(?=.)/g, '$1-');
  });
}

/** What is stored of one: bound to its user. Null for what has not the form of a code. */
export function hashRecoveryCode(userId: string, code: string): Buffer | null {
  const bare = code.toLowerCase().replaceAll(/[\s-]/g, '');
  if (bare.length !== CHARS || [...bare].some((char) => !ALPHABET.includes(char))) return null;
  return createHash('sha256').update(`recovery code\n${userId}\n${bare}`).digest();
}
