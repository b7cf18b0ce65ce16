import { decodeCredentials, encodeCredentials } from './credentialValue.ts';
import type { CryptoBackend, KeyMaterial } from './cryptoBackend.ts';
import { type Bytes, utf8 } from './encoding.ts';
import type { Envelope, KdfParameters } from './envelopeFormat.ts';
import { CredentialsUnreadableError } from './errors.ts';
import { BOX_BYTES, openBox, randomBytes, type SealedBox, sealBox } from './sealedBox.ts';

/** What the credentials are bound to: opened with any other value of these, they are refused. */
export interface EnvelopeContext {
  readonly owner: string;
  readonly integrationId: string;
  readonly field: string;
  /** The version of the record that holds the envelope, where it has one. Default 0. */
  readonly recordVersion?: number;
}

/** A key that wraps data keys: derived from a secret (`kdf` says how), or an installation's own (`kdf` null). */
export interface WrappingKey {
  readonly keyId: string;
  readonly kdf: KdfParameters | null;
  readonly material: KeyMaterial;
}

/**
 * Encrypts a JSON value under a data key of its own and wraps that key.
 *
 * The wrapping key comes of the installation's key *and* the user key, so a user key that is no secret, such as a
 * user's id, is never the only protection.
 * @throws InvalidInputError when `value` is not JSON or too large.
 */
export async function sealEnvelope(
  backend: CryptoBackend,
  key: WrappingKey,
  userKey: string,
  context: EnvelopeContext,
  value: unknown,
): Promise<Envelope> {
  const plaintext = encodeCredentials(value);
  const dataKey = randomBytes(BOX_BYTES.key);
  try {
    const material = await backend.importKeyMaterial(dataKey);
    const data = await sealBox(backend, material, 'credentials', dataContext(context), plaintext);
    return await wrap(backend, key, userKey, dataKey, data);
  } finally {
    dataKey.fill(0);
    plaintext.fill(0);
  }
}

/** @throws CredentialsUnreadableError, the same one for every cause. */
export async function openEnvelope(
  backend: CryptoBackend,
  key: WrappingKey,
  userKey: string,
  context: EnvelopeContext,
  envelope: Envelope,
): Promise<unknown> {
  const dataKey = await unwrap(backend, key, userKey, envelope);
  const material = await backend.importKeyMaterial(dataKey);
  dataKey.fill(0);
  const plaintext = await openBox(backend, material, 'credentials', dataContext(context), envelope.data);
  if (plaintext === null) throw new CredentialsUnreadableError();
  try {
    return decodeCredentials(plaintext);
  } catch {
    throw new CredentialsUnreadableError();
  } finally {
    plaintext.fill(0);
  }
}

/**
 * The same envelope with its data key wrapped by another key; the credentials stay encrypted and are not opened.
 * @throws CredentialsUnreadableError when `from` and `userKey` do not open the data key.
 */
export async function rewrapEnvelope(
  backend: CryptoBackend,
  from: WrappingKey,
  to: WrappingKey,
  userKey: string,
  envelope: Envelope,
): Promise<Envelope> {
  const dataKey = await unwrap(backend, from, userKey, envelope);
  try {
    return await wrap(backend, to, userKey, dataKey, envelope.data);
  } finally {
    dataKey.fill(0);
  }
}

async function wrap(
  backend: CryptoBackend,
  { keyId, kdf, material }: WrappingKey,
  userKey: string,
  dataKey: Bytes,
  data: SealedBox,
): Promise<Envelope> {
  const context = await keyContext(backend, keyId, kdf, userKey);
  return { keyId, kdf, key: await sealBox(backend, material, 'data-key', context, dataKey), data };
}

async function unwrap(
  backend: CryptoBackend,
  { material }: WrappingKey,
  userKey: string,
  { keyId, kdf, key: box }: Envelope,
): Promise<Bytes> {
  const context = await keyContext(backend, keyId, kdf, userKey);
  const dataKey = await openBox(backend, material, 'data-key', context, box);
  if (dataKey === null) throw new CredentialsUnreadableError();
  return dataKey;
}

/** The whole header, and the user key: as HKDF's info holds a hash of all this, both enter the wrapping key too. */
async function keyContext(
  backend: CryptoBackend,
  keyId: string,
  kdf: KdfParameters | null,
  userKey: string,
): Promise<(string | Bytes)[]> {
  return [keyId, String(kdf?.iterations ?? 0), kdf?.salt ?? '', await backend.sha256(utf8(userKey))];
}

/** Without the key's id, because the data stays as it is when another key wraps the data key. */
function dataContext({ owner, integrationId, field, recordVersion = 0 }: EnvelopeContext): string[] {
  return [owner, integrationId, field, String(recordVersion)];
}
