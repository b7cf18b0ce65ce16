import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { acting } from '../audit/acting.ts';
import type { AuditEvent, AuditTrail } from '../audit/types.ts';
import { AbortedError } from '../core/errors.ts';
import type { Database } from '../store/database.ts';
import type { CredentialStore } from './credentialStore.ts';
import type { InstallationKeys } from './installationKeys.ts';
import { rewrapBatch, SEALED_TABLES, type SealedTable } from './rewrapBatch.ts';
import { lockInstallationKeys } from './sealedKeys.ts';

const BATCH_ROWS = 200;
/** Rows that somebody else has locked are tried again after this, for at most `STALL_MS` without any progress. */
const RETRY_MS = 100;
const STALL_MS = 60_000;
const FOREIGN_KEY_VIOLATION = '23503';

export interface RotationOptions {
  readonly signal?: AbortSignal;
  /** Rows rewrapped in one transaction. Default 200. */
  readonly batchRows?: number;
  /** Called after each batch. */
  readonly onProgress?: (progress: RotationProgress) => void;
  /** Is told of each key that is made or removed, in the transaction that does it. */
  readonly audit?: AuditTrail;
}

interface RotationProgress {
  /** Envelopes whose data key this call has rewrapped so far. */
  readonly rewrapped: number;
  /** Envelopes whose data key could not be opened (damaged); they are left as they are. */
  readonly unreadable: number;
}

export interface RotationResult extends RotationProgress {
  /** The key that wraps everything now. */
  readonly keyId: string;
  /** Whether this call finished an interrupted rotation and did not start one. */
  readonly resumed: boolean;
  /** Old keys that were removed, because nothing uses them any more. */
  readonly removedKeyIds: readonly string[];
  /** Old keys that are still there: `unreadable` envelopes use them, or rows that stayed locked for a minute. */
  readonly retiringKeyIds: readonly string[];
}

/**
 * Replaces the installation's key: a new one wraps what is written from now on, then the data keys of everything
 * stored are rewrapped in batches while reads and writes go on, then the old key is removed. The credentials
 * themselves are neither opened nor changed.
 *
 * The state is in the rows (their key_id), so a call after kill -9 goes on where the last one was; when one was
 * interrupted, it is finished and no further one is started. Several processes may call it at the same time.
 * @throws AbortedError when the signal fires; what was rewrapped stays so.
 */
export async function rotateInstallationKey(
  database: Database,
  keys: InstallationKeys,
  options: RotationOptions = {},
): Promise<RotationResult> {
  const resumed = await finishRotation(database, keys, options);
  if (resumed.rewrapped > 0 || resumed.removedKeyIds.length > 0) return resumed;
  await database.transaction(async (tx) => {
    await lockInstallationKeys(tx);
    // Of two calls at the same time only one starts a rotation; the other one helps it.
    const active = await tx
      .selectFrom('installation_keys')
      .select('id')
      .where('status', '=', 'active')
      .executeTakeFirst();
    if (active?.id !== resumed.keyId) return;
    const id = await keys.replaceActive(tx);
    await options.audit?.record(tx, {
      ...keyEvent('installationKey.created', id),
      details: { inPlaceOf: active.id },
    });
  });
  return { ...(await finishRotation(database, keys, options)), resumed: false };
}

/** Does what an interrupted rotation left to do; nothing when there was none. For the start of the server too. */
export async function finishRotation(
  database: Database,
  keys: InstallationKeys,
  options: RotationOptions = {},
): Promise<RotationResult> {
  const retiring = await database.db
    .selectFrom('installation_keys')
    .select('id')
    .where('status', '=', 'retiring')
    .execute();
  const counts = { rewrapped: 0, unreadable: 0 };
  const removedKeyIds: string[] = [];
  const retiringKeyIds: string[] = [];
  for (const { id } of retiring) {
    const removed = await retireKey(database, keys, id, counts, options);
    (removed ? removedKeyIds : retiringKeyIds).push(id);
  }
  await keys.refresh();
  const { keyId } = await keys.active();
  return { ...counts, keyId, resumed: true, removedKeyIds, retiringKeyIds };
}

/**
 * A new data key, new salts and a new envelope for the credentials of one integration.
 * @returns false when it has no credentials.
 * @throws CredentialsUnreadableError
 */
export async function rotateIntegrationCredential(
  database: Database,
  store: CredentialStore,
  integrationId: string,
): Promise<boolean> {
  return await database.transaction((tx) => store.reseal(tx, integrationId));
}

/** Rewraps all that uses `keyId` and removes the key; false when something still uses it. */
async function retireKey(
  database: Database,
  keys: InstallationKeys,
  keyId: string,
  counts: { rewrapped: number; unreadable: number },
  options: RotationOptions,
): Promise<boolean> {
  const unreadableBefore = counts.unreadable;
  let stalledSinceMs = performance.now();
  for (;;) {
    counts.unreadable = unreadableBefore;
    let rewrapped = 0;
    for (const table of SEALED_TABLES) rewrapped += await rewrapTable(database, keys, table, keyId, counts, options);
    if (await removeUnused(database, keyId, options.audit)) return true;
    // None at all: a writer moved the last one in between, and the key can be removed now.
    const uses = await countUses(database, keyId);
    if (uses > 0 && uses <= counts.unreadable - unreadableBefore) return false;
    if (rewrapped > 0) stalledSinceMs = performance.now();
    else if (performance.now() - stalledSinceMs > STALL_MS) return false;
    await delay(RETRY_MS, undefined, { signal: options.signal }).catch(() => throwIfAborted(options.signal));
  }
}

/** One pass over a table in the order of its ids; rows locked by somebody else are left for the next pass. */
async function rewrapTable(
  database: Database,
  keys: InstallationKeys,
  table: SealedTable,
  keyId: string,
  counts: { rewrapped: number; unreadable: number },
  { signal, batchRows = BATCH_ROWS, onProgress }: RotationOptions,
): Promise<number> {
  const before = counts.rewrapped;
  for (let after = ''; ; ) {
    throwIfAborted(signal);
    const batch = await database.transaction((tx) => rewrapBatch(tx, keys, table, keyId, after, batchRows));
    if (batch.lastId === null) return counts.rewrapped - before;
    counts.rewrapped += batch.rewrapped;
    counts.unreadable += batch.unreadable;
    onProgress?.({ ...counts });
    after = batch.lastId;
  }
}

async function removeUnused(database: Database, keyId: string, audit: AuditTrail | undefined): Promise<boolean> {
  const unused = sql.join(
    SEALED_TABLES.map(({ table }) => sql`not exists (select from ${table} where key_id = k.id)`),
    sql` and `,
  );
  try {
    const removed = await database.transaction(async (tx) => {
      const result = await sql`
        delete from installation_keys k
        where k.id = ${keyId} and k.status = 'retiring' and ${unused}`.execute(tx);
      if (result.numAffectedRows !== 1n) return false;
      await audit?.record(tx, keyEvent('installationKey.removed', keyId));
      return true;
    });
    if (removed) return true;
  } catch (error) {
    // A row that was written with this key at the same moment; the next pass takes it.
    if ((error as { code?: unknown }).code !== FOREIGN_KEY_VIOLATION) throw error;
    return false;
  }
  // Also when another process that helps has removed it.
  const row = await database.db.selectFrom('installation_keys').select('id').where('id', '=', keyId).executeTakeFirst();
  return row === undefined;
}

async function countUses(database: Database, keyId: string): Promise<number> {
  const counts = sql.join(
    SEALED_TABLES.map(({ table }) => sql`(select count(*) from ${table} where key_id = ${keyId})`),
    sql` + `,
  );
  const result = await sql<{ uses: number }>`select ${counts} as uses`.execute(database.db);
  return Number(result.rows[0]!.uses);
}

function keyEvent(action: string, id: string): AuditEvent {
  return { ...acting(), action, outcome: 'success', target: { kind: 'installationKey', id } };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new AbortedError('The rotation was stopped. Start it again to finish it.', { cause: signal.reason });
}
