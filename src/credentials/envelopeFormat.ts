import { LIMITS } from '../core/limits.ts';
import { type Bytes, fromBase64url, toBase64url } from './encoding.ts';
import { isAllowedIterations } from './policy.ts';
import { BOX_BYTES, type SealedBox, SUITE } from './sealedBox.ts';

const ENVELOPE_VERSION = 1;

const KDF_NAME = 'PBKDF2-HMAC-SHA256';
const DATA_KEY_BYTES = BOX_BYTES.key;

/** Encrypted credentials: plain JSON, to be stored and sent as it is. Every binary field is base64url without padding. */
export interface EncryptedCredentials {
  /** Of this format. */
  readonly version: typeof ENVELOPE_VERSION;
  /** The algorithms both boxes are made with. */
  readonly suite: typeof SUITE;
  /** Names the key that wraps the data key: an installation key's id, or `secret` when `kdf` says how to derive it. */
  readonly keyId: string;
  /** How the wrapping secret is derived from ENCRYPTION_SECRET; null when an installation key wraps. */
  readonly kdf: KdfJson | null;
  /** The data key of this envelope alone, wrapped for the user key. */
  readonly key: SealedBoxJson;
  /** The credentials, encrypted under the data key. */
  readonly data: SealedBoxJson;
}

interface KdfJson {
  readonly name: typeof KDF_NAME;
  readonly iterations: number;
  /** 32 random bytes. */
  readonly salt: string;
}

/** {@link SealedBox} as JSON. */
export type SealedBoxJson = { readonly [Field in keyof SealedBox]: string };

/** PBKDF2's parameters, decoded. */
export interface KdfParameters {
  readonly iterations: number;
  readonly salt: Bytes;
}

/** An envelope whose form was checked and whose fields are decoded. */
export interface Envelope {
  readonly keyId: string;
  readonly kdf: KdfParameters | null;
  readonly key: SealedBox;
  readonly data: SealedBox;
}

/**
 * Checks the form and the policy (version, suite, iterations, lengths) of a value of unknown origin and decodes it.
 * Every property is read once, and none but the documented ones may be there.
 * @returns null when it is not an envelope that may be opened. Never throws.
 */
export function parseEnvelope(value: unknown): Envelope | null {
  try {
    const fields = readFields(value, ['version', 'suite', 'keyId', 'kdf', 'key', 'data']);
    if (fields === null || fields.version !== ENVELOPE_VERSION || fields.suite !== SUITE) return null;
    if (typeof fields.keyId !== 'string' || !/^[\w-]{1,64}$/.test(fields.keyId)) return null;
    const kdf = fields.kdf === null ? null : parseKdf(fields.kdf);
    const key = parseBox(fields.key, DATA_KEY_BYTES);
    const data = parseBox(fields.data, LIMITS.credentialsBytes);
    if (kdf === undefined || key === null || data === null) return null;
    return { keyId: fields.keyId, kdf, key, data };
  } catch {
    // A getter or a proxy of the value threw.
    return null;
  }
}

export function writeEnvelope({ keyId, kdf, key, data }: Envelope): EncryptedCredentials {
  return {
    version: ENVELOPE_VERSION,
    suite: SUITE,
    keyId,
    kdf: kdf && { name: KDF_NAME, iterations: kdf.iterations, salt: toBase64url(kdf.salt) },
    key: writeBox(key),
    data: writeBox(data),
  };
}

/** Null when `value` is not exactly a box whose plaintext has at most `maxPlaintextBytes`. */
export function parseBox(value: unknown, maxPlaintextBytes: number): SealedBox | null {
  const fields = readFields(value, ['salt', 'iv', 'commitment', 'ciphertext']);
  if (fields === null) return null;
  const salt = parseBytes(fields.salt, BOX_BYTES.salt);
  const iv = parseBytes(fields.iv, BOX_BYTES.iv);
  const commitment = parseBytes(fields.commitment, BOX_BYTES.commitment);
  const ciphertext = parseBytes(fields.ciphertext, BOX_BYTES.tag, maxPlaintextBytes + BOX_BYTES.tag);
  return salt && iv && commitment && ciphertext && { salt, iv, commitment, ciphertext };
}

export function writeBox(box: SealedBox): SealedBoxJson {
  return {
    salt: toBase64url(box.salt),
    iv: toBase64url(box.iv),
    commitment: toBase64url(box.commitment),
    ciphertext: toBase64url(box.ciphertext),
  };
}

function parseKdf(value: unknown): KdfParameters | undefined {
  const fields = readFields(value, ['name', 'iterations', 'salt']);
  if (fields === null || fields.name !== KDF_NAME || !isAllowedIterations(fields.iterations)) return undefined;
  const salt = parseBytes(fields.salt, BOX_BYTES.salt);
  return salt === null ? undefined : { iterations: fields.iterations, salt };
}

function parseBytes(value: unknown, minBytes: number, maxBytes = minBytes): Bytes | null {
  if (typeof value !== 'string' || value.length > Math.ceil((maxBytes * 4) / 3)) return null;
  const bytes = fromBase64url(value);
  return bytes !== null && bytes.length >= minBytes ? bytes : null;
}

/** The values of an object that has exactly these keys, each read once; else null. */
function readFields<Name extends string>(value: unknown, names: readonly Name[]): Record<Name, unknown> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const keys = Object.keys(value);
  if (keys.length !== names.length || !names.every((name) => keys.includes(name))) return null;
  const read = names.map((name) => [name, (value as Record<string, unknown>)[name]]);
  return Object.fromEntries(read) as Record<Name, unknown>;
}
