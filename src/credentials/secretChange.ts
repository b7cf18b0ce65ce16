import { acting } from '../audit/acting.ts';
import type { AuditTrail } from '../audit/types.ts';
import type { Database } from '../store/database.ts';
import { nodeBackend } from './nodeBackend.ts';
import { checkIterations, checkSecret, MIN_KDF_ITERATIONS } from './policy.ts';
import { RootKeys } from './rootKeys.ts';
import { lockInstallationKeys, openInstallationKey, sealInstallationKey, secretMismatch } from './sealedKeys.ts';

export interface SecretChange {
  readonly oldSecret: string;
  readonly newSecret: string;
  /** PBKDF2-HMAC-SHA256 iterations from now on. Default 600,000. */
  readonly kdfIterations?: number;
  /** Is told of the change, in its transaction. */
  readonly audit?: AuditTrail;
}

/**
 * Seals the installation's keys under a new ENCRYPTION_SECRET, in one transaction; the keys stay the same, so
 * nothing else is touched. Running servers have the keys open and go on; give each the new secret and restart it
 * before the next key rotation. A second call with the same secrets changes nothing.
 *
 * What `CredentialEncryption.encrypt` returned to its callers is not stored here and needs the old secret still.
 * @returns how many keys were sealed anew.
 * @throws EncryptionSecretMismatchError when a key opens with neither secret; nothing is changed then.
 * @throws InvalidInputError when a secret or the iterations are outside the policy.
 */
export async function changeEncryptionSecret(database: Database, change: SecretChange): Promise<number> {
  const { oldSecret, newSecret, kdfIterations = MIN_KDF_ITERATIONS } = change;
  checkSecret(oldSecret, 'oldSecret');
  checkSecret(newSecret, 'newSecret');
  checkIterations(kdfIterations);
  const oldRoots = new RootKeys(oldSecret, nodeBackend);
  const newRoots = new RootKeys(newSecret, nodeBackend);
  return await database.transaction(async (tx) => {
    await lockInstallationKeys(tx);
    const rows = await tx.selectFrom('installation_keys').selectAll().orderBy('id').forUpdate().execute();
    let resealed = 0;
    for (const row of rows) {
      const key = await openInstallationKey(nodeBackend, oldRoots, row);
      if (key === null) {
        const done = await openInstallationKey(nodeBackend, newRoots, row);
        if (done === null) throw secretMismatch(row.id);
        done.fill(0);
        continue;
      }
      const sealed = await sealInstallationKey(nodeBackend, newRoots, row.id, kdfIterations, key);
      key.fill(0);
      await tx.updateTable('installation_keys').set(sealed).where('id', '=', row.id).execute();
      resealed += 1;
    }
    if (resealed > 0)
      await change.audit?.record(tx, {
        ...acting(),
        action: 'encryptionSecret.changed',
        outcome: 'success',
        target: { kind: 'installation', id: 'ENCRYPTION_SECRET' },
        details: { keys: resealed },
      });
    return resealed;
  });
}
