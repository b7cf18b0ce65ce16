import { sql, type Transaction } from 'kysely';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { NoPendingDeletionsError } from './errors.ts';
import { deleteUnseen, recordsLock } from './recordQueries.ts';
import { countDeletions, findState, savePendingDeletions } from './stateQueries.ts';

/**
 * Makes the deletions that a full read found above the safe share, except of records that came again since then.
 * Works in windows, beside a sync under way; interrupted, it leaves the rest pending and can be called again. Ends
 * early when a newer full read replaces what was found, or the integration is deleted.
 *
 * @returns the number of records marked as deleted
 * @throws NoPendingDeletionsError
 */
export async function confirmDeletions(database: Database, integrationId: string, stream: string): Promise<number> {
  const target = { integrationId, stream };
  const found = (await findState(database.db, integrationId, stream))?.pending_deletions ?? null;
  if (found === null) {
    throw new NoPendingDeletionsError(
      `No deletions of the stream ${JSON.stringify(stream)} wait for a confirmation. A later sync may have found the records again.`,
      { details: { integrationId, stream } },
    );
  }
  let sum = 0;
  let after: string | null = null;
  do {
    const result: { deleted: number; last: string | null } = await database.transaction(async (tx) => {
      await sql`select ${recordsLock(integrationId)}`.execute(tx);
      const pending = (await findState(tx, integrationId, stream))?.pending_deletions;
      if (pending?.readId !== found.readId || (await isBeingDeleted(tx, integrationId)))
        return { deleted: 0, last: null };
      const window = await deleteUnseen(tx, { ...target, readId: found.readId }, after);
      if (window.deleted > 0) await countDeletions(tx, target, window.deleted);
      if (window.last === null) await savePendingDeletions(tx, target, null);
      return window;
    });
    sum += result.deleted;
    after = result.last;
  } while (after !== null);
  return sum;
}

async function isBeingDeleted(tx: Transaction<Schema>, integrationId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('integrations')
    .select('status')
    .where('id', '=', integrationId)
    .where('status', '!=', 'deleting')
    .executeTakeFirst();
  return row === undefined;
}
