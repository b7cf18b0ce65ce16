import { sql } from 'kysely';
import type { Database } from '../store/database.ts';
import { type ErasePosition, eraseRecords, recordsLock } from './recordQueries.ts';

/** Rows erased in one transaction. */
const BATCH = 5_000;

/**
 * Erases the records of a deleted integration, in batches; may be interrupted and called again. Goes through them
 * from the start until there are none: what somebody wrote behind it, before it had the lock, is found then.
 */
export async function eraseAllRecords(database: Database, integrationId: string, signal?: AbortSignal): Promise<void> {
  for (let after: ErasePosition | null = null; ; ) {
    signal?.throwIfAborted();
    const next: ErasePosition | null = await database.transaction(async (tx) => {
      // A statement of its own: the next one sees what was written until now.
      await sql`select ${recordsLock(integrationId)}`.execute(tx);
      return eraseRecords(tx, integrationId, after, BATCH);
    });
    if (next === null && after === null) return;
    after = next;
  }
}
