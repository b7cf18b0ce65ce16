import type { Database } from '../store/database.ts';
import { type ErasePosition, eraseRecords } from './deletionQueries.ts';

/** Rows erased in one statement. */
const BATCH = 5_000;

/**
 * Erases the records of a deleted integration, whose runs have ended, in batches; may be interrupted and called
 * again. Goes through them from the start until there are none.
 */
export async function eraseAllRecords({ db }: Database, integrationId: string, signal?: AbortSignal): Promise<void> {
  for (let after: ErasePosition | null = null; ; ) {
    signal?.throwIfAborted();
    const next: ErasePosition | null = await eraseRecords(db, integrationId, after, BATCH);
    if (next === null && after === null) return;
    after = next;
  }
}
