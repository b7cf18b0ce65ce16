import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import { newId } from '../core/ids.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import { AUDIT_KEY_OWNER } from '../credentials/rewrapBatch.ts';
import { learnSecrets } from '../redaction/learnSecrets.ts';
import type { Schema } from '../store/schema.ts';
import { AuditTamperedError } from './errors.ts';
import { formatVerifierKey, makeSigner, parseVerifierKey, type SignerKey } from './signedNote.ts';

const SEED_BYTES = 32;
/** There is one; a second one only where rows were put in by hand. */
const MAX_OPENED = 4;

/** The Ed25519 key that checkpoints are signed with: made at its first use, stored sealed with the installation's key. */
export class SigningKeys {
  readonly #credentials: CredentialStore;
  readonly #name: string;
  readonly #opened = new LRUCache<string, SignerKey>({ max: MAX_OPENED });

  /** @param name of a key that is made: what checkpoints name as their origin */
  constructor(credentials: CredentialStore, name: string) {
    this.#credentials = credentials;
    this.#name = name;
  }

  /**
   * The key to sign with. The transaction has the tree locked, so that two first uses do not make two keys.
   * @throws AuditTamperedError when the public key beside it is another one; CredentialsUnreadableError
   */
  async signer(tx: Transaction<Schema>): Promise<SignerKey> {
    const row = await tx
      .selectFrom('audit_signing_keys')
      .select(['id', 'verifier_key', 'secret_envelope'])
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) return await this.#make(tx);
    const known = this.#opened.get(row.id);
    if (known !== undefined && formatVerifierKey(known) === row.verifier_key) return known;
    const secret = await this.#credentials.open(contextOf(row.id), row.secret_envelope, tx);
    learnSecrets(secret);
    const seed = Buffer.from(String(secret), 'base64');
    const signer = makeSigner(parseVerifierKey(row.verifier_key).name, seed);
    if (formatVerifierKey(signer) !== row.verifier_key)
      throw new AuditTamperedError(
        'The public key of the audit log was exchanged: it does not belong to the private one.',
      );
    this.#opened.set(row.id, signer);
    return signer;
  }

  async #make(tx: Transaction<Schema>): Promise<SignerKey> {
    const id = newId('auditSigningKey');
    const seed = randomBytes(SEED_BYTES);
    const signer = makeSigner(this.#name, seed);
    const secret = seed.toString('base64');
    learnSecrets(secret);
    const { envelope, keyId } = await this.#credentials.seal(contextOf(id), secret, tx);
    seed.fill(0);
    await tx
      .insertInto('audit_signing_keys')
      .values({
        id,
        verifier_key: formatVerifierKey(signer),
        secret_envelope: JSON.stringify(envelope),
        key_id: keyId,
      })
      .execute();
    return signer;
  }
}

function contextOf(id: string) {
  return { owner: AUDIT_KEY_OWNER, integrationId: id, field: 'audit-signing-key' };
}
