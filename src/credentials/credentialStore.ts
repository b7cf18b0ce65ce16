import { type Kysely, sql, type Transaction } from 'kysely';
import { learnSecrets } from '../redaction/learnSecrets.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { type EnvelopeContext, openEnvelope, sealEnvelope } from './envelope.ts';
import { type EncryptedCredentials, parseEnvelope, writeEnvelope } from './envelopeFormat.ts';
import { CredentialsUnreadableError } from './errors.ts';
import type { InstallationKeys } from './installationKeys.ts';

/** More often than this no rotation can finish between reading a row and finding its key. */
const MAX_READS = 3;

export interface Sealed {
  readonly envelope: EncryptedCredentials;
  /** The installation key that wraps the envelope's data key, for the key_id column beside it. */
  readonly keyId: string;
}

/** The credentials of integrations, and other secrets of theirs, sealed under the installation's key. */
export class CredentialStore {
  readonly #database: Database;
  readonly #keys: InstallationKeys;

  constructor(database: Database, keys: InstallationKeys) {
    this.#database = database;
    this.#keys = keys;
  }

  /**
   * Stores the credentials of an integration in place of any it had, for the origins that they may be sent to.
   * @throws InvalidInputError when they are too large.
   */
  async save(
    tx: Transaction<Schema>,
    integrationId: string,
    owner: string,
    credentials: Readonly<Record<string, string>>,
    origins: readonly string[] = [],
  ): Promise<void> {
    learnSecrets(credentials);
    const stored = await tx
      .selectFrom('credentials')
      .select('version')
      .where('integration_id', '=', integrationId)
      .forUpdate()
      .executeTakeFirst();
    const version = (stored?.version ?? 0) + 1;
    const { envelope, keyId } = await this.seal(
      credentialContext(integrationId, owner, version, origins),
      credentials,
      tx,
    );
    const fields = Object.keys(credentials).sort();
    const row = { envelope: JSON.stringify(envelope), key_id: keyId, fields, origins: [...origins], version };
    await tx
      .insertInto('credentials')
      .values({ integration_id: integrationId, ...row })
      .onConflict((conflict) => conflict.column('integration_id').doUpdateSet({ ...row, updated_at: sql`now()` }))
      .execute();
  }

  /**
   * The credentials of an integration; null when it has none.
   * @throws CredentialsUnreadableError, the same one for every cause.
   */
  async load(integrationId: string): Promise<Record<string, string> | null> {
    return (await this.loadBound(integrationId))?.credentials ?? null;
  }

  /**
   * The credentials with the origins they were given for, and a text that changes with them.
   * @param beforeRelease called when there are some, before they are opened; what it throws keeps them closed
   * @throws CredentialsUnreadableError
   */
  async loadBound(
    integrationId: string,
    beforeRelease?: () => Promise<void>,
  ): Promise<{ credentials: Record<string, string>; origins: readonly string[]; version: string } | null> {
    for (let read = 1; ; read++) {
      const row = await findCredentials(this.#database.db, integrationId);
      if (row === undefined) return null;
      // When a rotation rewrapped the row since it was read, and its old key is gone, the row names the new key now.
      if (read < MAX_READS && (await this.#keys.find(row.key_id)) === null) continue;
      const context = credentialContext(integrationId, row.owner, row.version, row.origins);
      await beforeRelease?.();
      const credentials = (await this.open(context, row.envelope)) as Record<string, string>;
      learnSecrets(credentials);
      // Erased and given anew, the count begins again.
      return { credentials, origins: row.origins, version: `${row.version} ${row.updated_at.toISOString()}` };
    }
  }

  /** Deletes the credentials and, in the same row, the only key that opens them: docs/threat-model.md on copies. */
  async erase(tx: Transaction<Schema>, integrationId: string): Promise<void> {
    await tx.deleteFrom('credentials').where('integration_id', '=', integrationId).execute();
  }

  /**
   * The same credentials under a new data key; the version rises, the date of the credentials stays.
   * @returns false when the integration has none.
   */
  async reseal(tx: Transaction<Schema>, integrationId: string): Promise<boolean> {
    const row = await findCredentials(tx, integrationId, true);
    if (row === undefined) return false;
    const { owner, version, origins } = row;
    const context = credentialContext(integrationId, owner, version, origins);
    const credentials = await this.open(context, row.envelope, tx);
    const { envelope, keyId } = await this.seal({ ...context, recordVersion: version + 1 }, credentials, tx);
    await tx
      .updateTable('credentials')
      .set({ envelope: JSON.stringify(envelope), key_id: keyId, version: version + 1 })
      .where('integration_id', '=', integrationId)
      .execute();
    return true;
  }

  /**
   * Encrypts any JSON value for one place. Give the transaction that stores it: else a key rotation that ends in
   * between makes the store refuse the row (its key_id is gone), and the caller has to seal again.
   */
  async seal(context: EnvelopeContext, value: unknown, tx?: Transaction<Schema>): Promise<Sealed> {
    const key = await this.#keys.active(tx);
    const envelope = await sealEnvelope(this.#keys.backend, key, context.owner, context, value);
    return { envelope: writeEnvelope(envelope), keyId: key.keyId };
  }

  /** @throws CredentialsUnreadableError, the same one for every cause. */
  async open(context: EnvelopeContext, envelope: unknown, tx?: Transaction<Schema>): Promise<unknown> {
    const parsed = parseEnvelope(envelope);
    const key = parsed && (await this.#keys.find(parsed.keyId, tx));
    if (key === null) throw new CredentialsUnreadableError();
    return await openEnvelope(this.#keys.backend, key, context.owner, context, parsed!);
  }
}

function credentialContext(
  integrationId: string,
  owner: string,
  recordVersion: number,
  origins: readonly string[],
): EnvelopeContext {
  return { owner, integrationId, field: ['credentials', ...origins].join(' '), recordVersion };
}

function findCredentials(db: Kysely<Schema>, integrationId: string, lock = false) {
  const query = db
    .selectFrom('credentials')
    .innerJoin('integrations', 'integrations.id', 'credentials.integration_id')
    .select([
      'credentials.envelope',
      'credentials.key_id',
      'credentials.version',
      'credentials.origins',
      'credentials.updated_at',
      'integrations.owner',
    ])
    .where('credentials.integration_id', '=', integrationId);
  return (lock ? query.forUpdate('credentials') : query).executeTakeFirst();
}
