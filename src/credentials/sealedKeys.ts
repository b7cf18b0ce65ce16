import type { Selectable, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { InstallationKeysTable } from '../store/tables/integrations.ts';
import type { CryptoBackend } from './cryptoBackend.ts';
import type { Bytes } from './encoding.ts';
import { type KdfParameters, parseBox, writeBox } from './envelopeFormat.ts';
import { EncryptionSecretMismatchError } from './errors.ts';
import { isAllowedIterations } from './policy.ts';
import type { RootKeys } from './rootKeys.ts';
import { BOX_BYTES, openBox, randomBytes, sealBox } from './sealedBox.ts';

/** An arbitrary constant; serializes the changes of installation_keys. */
const LOCK_KEY = 0x6b657973;

/** A row of installation_keys as far as sealing its key goes. */
type SealedKeyRow = Pick<Selectable<InstallationKeysTable>, 'id' | 'salt' | 'iterations' | 'sealed_key'>;

/** Until the transaction ends nobody else creates, retires or re-seals installation keys. */
export async function lockInstallationKeys(tx: Transaction<Schema>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(tx);
}

/** The columns that hold an installation key, sealed under the root that a new salt gives. */
export async function sealInstallationKey(
  backend: CryptoBackend,
  roots: RootKeys,
  id: string,
  iterations: number,
  key: Bytes,
): Promise<{ salt: Buffer; iterations: number; sealed_key: string }> {
  const kdf = { iterations, salt: randomBytes(BOX_BYTES.salt) };
  const box = await sealBox(backend, await roots.derive(kdf), 'installation-key', keyContext(id, kdf), key);
  return { salt: Buffer.from(kdf.salt), iterations, sealed_key: JSON.stringify(writeBox(box)) };
}

/** The key of a row, or null when another secret sealed it or the row was changed. */
export async function openInstallationKey(
  backend: CryptoBackend,
  roots: RootKeys,
  row: SealedKeyRow,
): Promise<Bytes | null> {
  const box = parseBox(row.sealed_key, BOX_BYTES.key);
  if (box === null || row.salt.length !== BOX_BYTES.salt || !isAllowedIterations(row.iterations)) return null;
  const kdf = { iterations: row.iterations, salt: new Uint8Array(row.salt) };
  return await openBox(backend, await roots.derive(kdf), 'installation-key', keyContext(row.id, kdf), box);
}

export function secretMismatch(keyId: string): EncryptionSecretMismatchError {
  return new EncryptionSecretMismatchError(
    `ENCRYPTION_SECRET is not the one that this database's credentials are encrypted with (installation key ${keyId}), ` +
      'or that key was damaged. Nothing was changed. Set the secret that was used before, or restore installation_keys; ' +
      'to change the secret, use "credentials rotate".',
    { details: { keyId } },
  );
}

function keyContext(id: string, { iterations, salt }: KdfParameters): (string | Bytes)[] {
  return [id, String(iterations), salt];
}
