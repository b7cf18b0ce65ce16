import type { CryptoBackend, KeyMaterial } from './cryptoBackend.ts';
import { type Bytes, equalInConstantTime, lengthPrefixed } from './encoding.ts';

/** Enters every derivation and every AAD, so that nothing of another product or version of the format fits. */
export const FORMAT = 'integration-services/credentials/1';
/** What a box is made with. Another set of algorithms gets another name. */
export const SUITE = 'HKDF-SHA256.AES-256-GCM.COMMIT';

/** What a box holds. */
export type BoxPurpose = 'credentials' | 'data-key' | 'installation-key';

/** Lengths in bytes. */
export const BOX_BYTES = { key: 32, salt: 32, iv: 12, commitment: 32, tag: 16 } as const;

/** One authenticated ciphertext. */
export interface SealedBox {
  /** HKDF's salt, random, so that every box has keys of its own. */
  readonly salt: Bytes;
  /** 96 random bits. */
  readonly iv: Bytes;
  /** Derived beside the key: AES-GCM alone lets one ciphertext be built that opens under two keys; this does not. */
  readonly commitment: Bytes;
  /** The ciphertext, then the 128-bit tag. */
  readonly ciphertext: Bytes;
}

/** Begins the AAD and HKDF's info, so that no box passes for one of another kind. */
const HEADERS: Readonly<Record<BoxPurpose, Bytes>> = {
  credentials: header('credentials'),
  'data-key': header('data-key'),
  'installation-key': header('installation-key'),
};

/** Seals `plaintext` under a key that is derived for this box, this purpose and this context alone. */
export async function sealBox(
  backend: CryptoBackend,
  material: KeyMaterial,
  purpose: BoxPurpose,
  context: readonly (string | Uint8Array)[],
  plaintext: Bytes,
): Promise<SealedBox> {
  const salt = randomBytes(BOX_BYTES.salt);
  const iv = randomBytes(BOX_BYTES.iv);
  const aad = lengthPrefixed(HEADERS[purpose], context);
  const { key, commitment } = await derive(backend, material, purpose, salt, aad);
  const ciphertext = await backend.sealAesGcm(key, iv, aad, plaintext);
  key.fill(0);
  return { salt, iv, commitment, ciphertext };
}

/** The plaintext, or null for whatever reason it cannot be opened. The caller overwrites it after use. */
export async function openBox(
  backend: CryptoBackend,
  material: KeyMaterial,
  purpose: BoxPurpose,
  context: readonly (string | Uint8Array)[],
  box: SealedBox,
): Promise<Bytes | null> {
  const aad = lengthPrefixed(HEADERS[purpose], context);
  const { key, commitment } = await derive(backend, material, purpose, box.salt, aad);
  // Before decryption: a ciphertext made to open under two keys must not be decrypted at all.
  const plaintext = equalInConstantTime(commitment, box.commitment)
    ? await backend.openAesGcm(key, box.iv, aad, box.ciphertext)
    : null;
  key.fill(0);
  return plaintext;
}

export function randomBytes(length: number): Bytes {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/** The key of one box and its commitment: nobody finds another key with the same commitment (it is a SHA-256 output). */
async function derive(
  backend: CryptoBackend,
  material: KeyMaterial,
  purpose: BoxPurpose,
  salt: Bytes,
  aad: Bytes,
): Promise<{ key: Bytes; commitment: Bytes }> {
  const info = lengthPrefixed(HEADERS[purpose], [await backend.sha256(aad)]);
  const derived = await material.derive(salt, info, BOX_BYTES.key + BOX_BYTES.commitment);
  return { key: derived.subarray(0, BOX_BYTES.key), commitment: derived.subarray(BOX_BYTES.key) };
}

function header(purpose: BoxPurpose): Bytes {
  return lengthPrefixed(new Uint8Array(), [FORMAT, SUITE, purpose]);
}
