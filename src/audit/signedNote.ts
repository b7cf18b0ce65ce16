import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { InvalidAuditFileError } from './errors.ts';
import { sha256 } from './merkleTree.ts';

// The text format of C2SP signed-note, with its Ed25519 signatures (type 0x01).

const ED25519_TYPE = 0x01;
const KEY_ID_BYTES = 4;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** What precedes the 32 bytes of the key in its DER forms (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Who verifies a note: the name and public key of one signer. */
export interface VerifierKey {
  readonly name: string;
  /** The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key): tells signers of one name apart. */
  readonly keyId: Buffer;
  readonly publicKey: KeyObject;
}

/** A verifier key with the private half. */
export interface SignerKey extends VerifierKey {
  readonly privateKey: KeyObject;
}

/** A key with this name, of the 32 random bytes that an Ed25519 key is made of (RFC 8032). */
export function makeSigner(name: string, seed: Uint8Array): SignerKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  return { name, keyId: keyIdOf(name, rawKey(publicKey)), publicKey, privateKey };
}

/** `name+hex key id+base64 of type and key`, as it is handed to who verifies. */
export function formatVerifierKey({ name, keyId, publicKey }: VerifierKey): string {
  const encoded = Buffer.concat([Buffer.of(ED25519_TYPE), rawKey(publicKey)]).toString('base64');
  return `${name}+${keyId.toString('hex')}+${encoded}`;
}

/** @throws InvalidAuditFileError */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim()) ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  if (name === undefined || bytes[0] !== ED25519_TYPE || bytes.length !== 1 + KEY_BYTES)
    throw new InvalidAuditFileError('The public key is none. It has the form name+hex+base64; "audit key" prints it.');
  const raw = bytes.subarray(1);
  const keyId = keyIdOf(name, raw);
  if (keyId.toString('hex') !== id)
    throw new InvalidAuditFileError('The public key was changed: its id does not belong to it.');
  return {
    name,
    keyId,
    publicKey: createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' }),
  };
}

/** The note: the text, an empty line and the signature. The text ends with a line feed. */
export function signNote(text: string, signer: SignerKey): string {
  const signature = Buffer.concat([signer.keyId, sign(null, Buffer.from(text), signer.privateKey)]);
  return `${text}\n— ${signer.name} ${signature.toString('base64')}\n`;
}

/** The text of a note when this key has signed it; null otherwise. Signatures of others are passed over. */
export function openNote(note: string, key: VerifierKey): string | null {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return null;
  const text = note.slice(0, end + 1);
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = Buffer.from(encoded ?? '', 'base64');
    if (name !== key.name || bytes.length !== KEY_ID_BYTES + SIGNATURE_BYTES) continue;
    if (!bytes.subarray(0, KEY_ID_BYTES).equals(key.keyId)) continue;
    return verify(null, Buffer.from(text), key.publicKey, bytes.subarray(KEY_ID_BYTES)) ? text : null;
  }
  return null;
}

function rawKey(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

function keyIdOf(name: string, raw: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519_TYPE), raw])).subarray(0, KEY_ID_BYTES);
}
