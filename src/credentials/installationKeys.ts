import type { Kysely, Transaction } from 'kysely';
import { type Clock, systemClock } from '../core/clock.ts';
import { UnavailableError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import type { CryptoBackend } from './cryptoBackend.ts';
import type { WrappingKey } from './envelope.ts';
import { nodeBackend } from './nodeBackend.ts';
import { checkIterations, checkSecret, MIN_KDF_ITERATIONS } from './policy.ts';
import { RootKeys } from './rootKeys.ts';
import { BOX_BYTES, randomBytes } from './sealedBox.ts';
import { lockInstallationKeys, openInstallationKey, sealInstallationKey, secretMismatch } from './sealedKeys.ts';

/** How long keys are used without reading the table again, and how long a removed one is remembered. */
const KEYS_TTL_MS = 5 * 60_000;
/** As many rotations in a row do not come between two statements. */
const MAX_READS = 5;

export interface InstallationKeysOptions {
  /** PBKDF2-HMAC-SHA256 iterations for new keys. Default 600,000. */
  readonly kdfIterations?: number;
  readonly backend?: CryptoBackend;
  readonly clock?: Clock;
}

/**
 * The keys that wrap the data keys of everything stored: random, each in a row of installation_keys, sealed under a
 * root that PBKDF2 makes of ENCRYPTION_SECRET. So a rotation needs no new secret, and every process with the secret
 * can open a key that another one made: it reads the table again when it meets a key id it does not know.
 */
export class InstallationKeys {
  readonly backend: CryptoBackend;
  readonly #database: Database;
  readonly #roots: RootKeys;
  readonly #iterations: number;
  readonly #clock: Clock;
  readonly #known = new Map<string, { key: WrappingKey; seenAtMs: number }>();
  #readAtMs = Number.NEGATIVE_INFINITY;

  private constructor(database: Database, secret: string, options: InstallationKeysOptions) {
    this.backend = options.backend ?? nodeBackend;
    this.#database = database;
    this.#roots = new RootKeys(secret, this.backend);
    this.#iterations = options.kdfIterations ?? MIN_KDF_ITERATIONS;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Opens every key of the installation; makes the first one in a new database.
   * @throws EncryptionSecretMismatchError when `secret` is not the one the keys are sealed with; nothing is changed.
   * @throws InvalidInputError when the secret or the iterations are outside the policy.
   */
  static async open(
    database: Database,
    secret: string,
    options: InstallationKeysOptions = {},
  ): Promise<InstallationKeys> {
    checkSecret(secret);
    if (options.kdfIterations !== undefined) checkIterations(options.kdfIterations);
    const keys = new InstallationKeys(database, secret, options);
    await keys.refresh();
    if (keys.#known.size === 0) await database.transaction((tx) => keys.#createFirst(tx));
    return keys;
  }

  /**
   * The key that wraps what is written now. In a transaction the key cannot be retired before the transaction ends,
   * so a rotation never misses what it writes.
   */
  async active(tx?: Transaction<Schema>): Promise<WrappingKey> {
    const query = (tx ?? this.#database.db).selectFrom('installation_keys').select('id').where('status', '=', 'active');
    for (let read = 1; read <= MAX_READS; read++) {
      const row = await (tx === undefined ? query : query.forShare()).executeTakeFirst();
      // A statement that waited for a rotation to commit finds the key retired and does not see its successor yet.
      if (row === undefined) continue;
      const key = await this.find(row.id, tx);
      if (key !== null) return key;
    }
    throw new UnavailableError('No installation key is active: installation_keys was emptied. Restore the table.');
  }

  /** The key with this id; null when there is none (any more). */
  async find(keyId: string, tx?: Transaction<Schema>): Promise<WrappingKey | null> {
    if (this.#clock.monotonicMs() - this.#readAtMs > KEYS_TTL_MS || !this.#known.has(keyId)) await this.refresh(tx);
    return this.#known.get(keyId)?.key ?? null;
  }

  /**
   * Reads the table again and opens the keys that are new.
   * @throws EncryptionSecretMismatchError when one of them is sealed with another secret.
   */
  async refresh(db: Kysely<Schema> = this.#database.db): Promise<void> {
    const rows = await db
      .selectFrom('installation_keys')
      .select(['id', 'salt', 'iterations', 'sealed_key'])
      .orderBy('id')
      .execute();
    const nowMs = this.#clock.monotonicMs();
    for (const row of rows) {
      const key = this.#known.get(row.id)?.key ?? (await this.#open(row));
      this.#known.set(row.id, { key, seenAtMs: nowMs });
    }
    // A removed key is kept for a while, for those who read an envelope just before it was rewrapped.
    for (const [id, { seenAtMs }] of this.#known) if (nowMs - seenAtMs > KEYS_TTL_MS) this.#known.delete(id);
    this.#readAtMs = nowMs;
  }

  /** Retires the active key and makes a new one in its place. The caller holds the lock of the keys. */
  async replaceActive(tx: Transaction<Schema>): Promise<string> {
    const id = newId('installationKey');
    const secret = randomBytes(BOX_BYTES.key);
    const sealed = await sealInstallationKey(this.backend, this.#roots, id, this.#iterations, secret);
    secret.fill(0);
    // After PBKDF2: writers wait for this row from here to the end of the transaction.
    await tx.updateTable('installation_keys').set({ status: 'retiring' }).where('status', '=', 'active').execute();
    await tx
      .insertInto('installation_keys')
      .values({ id, status: 'active', ...sealed })
      .execute();
    return id;
  }

  async #createFirst(tx: Transaction<Schema>): Promise<void> {
    await lockInstallationKeys(tx);
    await this.refresh(tx);
    if (this.#known.size > 0) return;
    await this.replaceActive(tx);
    await this.refresh(tx);
  }

  async #open(row: Parameters<typeof openInstallationKey>[2]): Promise<WrappingKey> {
    const secret = await openInstallationKey(this.backend, this.#roots, row);
    if (secret === null) throw secretMismatch(row.id);
    const material = await this.backend.importKeyMaterial(secret);
    secret.fill(0);
    return { keyId: row.id, kdf: null, material };
  }
}
