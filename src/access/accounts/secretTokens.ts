import { createHash, randomBytes } from 'node:crypto';

/** A secret of 256 random bits for a link, as text without characters that addresses escape. */
export function newSecretToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of it; random, so one round of SHA-256 keeps it and looking it up by hash tells nothing by its time. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
