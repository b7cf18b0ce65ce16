import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { namedId, newId } from '../../core/ids.ts';

const PREFIX = 'isk';
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_BYTES = 32;
/** 62^43 > 2^256. */
const SECRET_CHARS = 43;
/** 62^6 > 2^32. */
const CHECKSUM_CHARS = 6;
/** As secret scanners may look for it; the checksum then tells a key from what only looks like one. */
const FORM = /^isk_([0-9a-hjkmnp-tv-z]{26})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/;

/** A key taken apart. */
export interface PresentedKey {
  /** `ak_…` */
  readonly id: string;
  readonly secretHash: Buffer;
}

/**
 * A new key: `isk_<name of its id>_<256 random bits in base62>_<CRC-32 of all before it in base62>`.
 * `id`: of a key that exists already and gets a new secret.
 */
export function makeKey(id: string = newId('apiKey')): PresentedKey & { readonly text: string } {
  const secret = base62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_CHARS);
  const body = `${PREFIX}_${id.slice(id.indexOf('_') + 1)}_${secret}`;
  return { id, secretHash: hashSecret(secret), text: `${body}_${checksum(body)}` };
}

/** Null for what is no key of ours, mistyped or cut off: that is known without asking the database. */
export function parseKey(text: string): PresentedKey | null {
  const [, name, secret, sum] = FORM.exec(text) ?? [];
  if (name === undefined || secret === undefined || sum !== checksum(text.slice(0, -CHECKSUM_CHARS - 1))) return null;
  return { id: namedId('apiKey', name), secretHash: hashSecret(secret) };
}

function checksum(text: string): string {
  return base62(BigInt(crc32(text)), CHECKSUM_CHARS);
}

/** SHA-256 is enough: a secret of 256 random bits cannot be guessed, however fast the hash is. */
function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function base62(value: bigint, chars: number): string {
  let text = '';
  for (let rest = value; text.length < chars; rest /= 62n) text = BASE62[Number(rest % 62n)] + text;
  return text;
}
