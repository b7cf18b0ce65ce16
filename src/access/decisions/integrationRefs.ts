import type { Kysely, Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { IntegrationRef } from '../types.ts';

/**
 * What a decision needs to know of an integration; null when it is unknown or being deleted. Not cached: owner and
 * platform never change, but that it still exists has to be asked anyway.
 */
export async function findIntegrationRef(
  db: Kysely<Schema> | Transaction<Schema>,
  id: string,
): Promise<IntegrationRef | null> {
  const row = await db
    .selectFrom('integrations')
    .select(['id', 'owner', 'platform'])
    .where('id', '=', id)
    .where('status', '!=', 'deleting')
    .executeTakeFirst();
  return row ?? null;
}
