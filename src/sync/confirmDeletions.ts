import { ConflictError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Database } from '../store/database.ts';
import { deleteUnseen } from './deletionQueries.ts';
import { NoPendingDeletionsError } from './errors.ts';
import { claimForDeletions, finishRun } from './runQueries.ts';
import { findState, makePendingDeletionsDue } from './stateQueries.ts';

/**
 * Makes the deletions that a full read found above the safe share, except of records that came again since then. It
 * is a run of its own, without a call to the provider: only one run writes an integration's records at a time.
 * Interrupted, it leaves the rest to the next run.
 *
 * @returns the number of records marked as deleted
 * @throws NoPendingDeletionsError
 * @throws ConflictError while the integration is synced or deleted, or when this is stopped
 */
export async function confirmDeletions({ db }: Database, integrationId: string, stream: string): Promise<number> {
  const pending = (await findState(db, integrationId, stream))?.pending_deletions ?? null;
  if (pending === null) throw nothingPending(integrationId, stream);
  const claim = await claimForDeletions(db, newId('syncRun'), integrationId, stream);
  if (claim === undefined)
    throw new ConflictError(
      'Deletions cannot be confirmed while the integration is synced or deleted. Wait for the end of the sync, or stop it, and confirm then.',
    );
  const target = { claim, stream };
  let due = await makePendingDeletionsDue(db, target);
  const replaced = due === undefined;
  let sum = 0;
  let after: string | null = null;
  while (due !== undefined) {
    const result: Awaited<ReturnType<typeof deleteUnseen>> = await deleteUnseen(db, target, due, after, 'done');
    if (result === undefined || result.stop) {
      await finishRun(db, claim, 'stopped', null);
      throw new ConflictError('The confirmed deletions were stopped; the next sync makes the rest of them.');
    }
    sum += result.deleted;
    after = result.after;
    due = after === null ? undefined : { ...due, count: due.count - result.deleted };
  }
  await finishRun(db, claim, 'succeeded', null);
  // By a sync that ended between the look and the claim.
  if (replaced) throw nothingPending(integrationId, stream);
  return sum;
}

function nothingPending(integrationId: string, stream: string): NoPendingDeletionsError {
  return new NoPendingDeletionsError(
    `No deletions of the stream ${JSON.stringify(stream)} wait for a confirmation. A later sync may have found the records again.`,
    { details: { integrationId, stream } },
  );
}
