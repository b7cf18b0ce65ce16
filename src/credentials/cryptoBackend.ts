import type { Bytes } from './encoding.ts';

type Awaitable<T> = T | Promise<T>;

/** A secret that further keys are derived from; there is no way to read it back. */
export interface KeyMaterial {
  /** HKDF-SHA256 (RFC 5869). */
  derive(salt: Bytes, info: Bytes, lengthBytes: number): Awaitable<Bytes>;
}

/**
 * The primitives the envelope is made of. Two implementations give the same bytes: `webBackend` (Web Crypto, runs
 * everywhere) and `nodeBackend` (node:crypto, several times faster for small data).
 */
export interface CryptoBackend {
  readonly name: 'web' | 'node';
  sha256(data: Bytes): Awaitable<Bytes>;
  /** Copies `secret`, which the caller may then overwrite. */
  importKeyMaterial(secret: Bytes): Awaitable<KeyMaterial>;
  /** PBKDF2-HMAC-SHA256 (RFC 8018), not on the calling thread. */
  pbkdf2(password: Bytes, salt: Bytes, iterations: number, lengthBytes: number): Promise<Bytes>;
  /** AES-GCM with a 96-bit IV and a 128-bit tag: the ciphertext, then the tag. */
  sealAesGcm(key: Bytes, iv: Bytes, aad: Bytes, plaintext: Bytes): Awaitable<Bytes>;
  /** The plaintext, or null when key, IV, AAD or ciphertext are not those it was sealed with. */
  openAesGcm(key: Bytes, iv: Bytes, aad: Bytes, sealed: Bytes): Awaitable<Bytes | null>;
}
