import { sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';

/** Says to every replica that who may do what has changed. Last in its transaction: others wait for this row. */
export async function raiseAccessVersion(tx: Transaction<Schema>): Promise<void> {
  await tx.updateTable('access_version').set({ version: sql`version + 1` }).execute();
}
