import { type Selectable, sql, type Transaction } from 'kysely';
import type { IntegrationRef } from '../access/types.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import type { Integration, IntegrationConfiguration, IntegrationStatus } from './types.ts';
import { allowedIds, listConditions, type VisibleIntegrations } from './visibleIntegrations.ts';

type Queryable = Database['db'] | Transaction<Schema>;

type Row = Selectable<Schema['integrations']> & { fields: string[] | null; credentials_updated_at: Date | null };

function selectIntegrations(db: Queryable) {
  return db
    .selectFrom('integrations as i')
    .leftJoin('credentials as c', 'c.integration_id', 'i.id')
    .selectAll('i')
    .select(['c.fields', 'c.updated_at as credentials_updated_at']);
}

/** The integration, or null when it is unknown or being deleted. */
export async function findIntegration(db: Queryable, id: string): Promise<Integration | null> {
  const row = await selectIntegrations(db)
    .where('i.id', '=', id)
    .where('i.status', '!=', 'deleting')
    .executeTakeFirst();
  return row === undefined ? null : toIntegration(row);
}

/** One that is being deleted, while its row is still there. */
export async function findDeletedIntegration(db: Queryable, id: string): Promise<Integration | null> {
  const row = await selectIntegrations(db).where('i.id', '=', id).where('i.status', '=', 'deleting').executeTakeFirst();
  return row === undefined ? null : toIntegration(row);
}

/** Ids of those whose erasure has not ended. */
export async function listDeletedIntegrations(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('integrations')
    .select('id')
    .where('status', '=', 'deleting')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

export interface IntegrationFilter {
  readonly platform?: string;
  readonly status?: IntegrationStatus;
  readonly owner?: string;
  readonly type?: string;
}

/** Up to `limit` integrations after the id `after`, in the order they were made; only those that are visible. */
export async function listIntegrations(
  db: Queryable,
  filter: IntegrationFilter,
  after: string | null,
  limit: number,
  visible: VisibleIntegrations = { kind: 'all' },
): Promise<Integration[]> {
  let query = selectIntegrations(db).orderBy('i.id').limit(limit);
  const conditions = listConditions(filter, after, visible);
  const only = visible.kind === 'some' ? visible.only : null;
  query =
    only === null
      ? query.where(sql<boolean>`${conditions}`)
      : query.where('i.id', 'in', allowedIds(only, conditions, limit));
  return (await query.execute()).map(toIntegration);
}

/** What a decision needs to know of these integrations; those that are unknown or being deleted are left out. */
export function findIntegrationRefs(db: Queryable, ids: readonly string[]): Promise<IntegrationRef[]> {
  return db
    .selectFrom('integrations')
    .select(['id', 'owner', 'platform'])
    .where('id', '=', sql<string>`any(${[...ids]}::text[])`)
    .where('status', '!=', 'deleting')
    .execute();
}

/** The integration that a webhook belongs to, or null when the webhook is unknown. */
export async function findWebhookIntegration(db: Queryable, webhookId: string): Promise<IntegrationRef | null> {
  const row = await db
    .selectFrom('webhook_endpoints as w')
    .innerJoin('integrations as i', 'i.id', 'w.integration_id')
    .select(['i.id', 'i.owner', 'i.platform'])
    .where('w.id', '=', webhookId)
    .where('i.status', '!=', 'deleting')
    .executeTakeFirst();
  return row ?? null;
}

/** False when there is one of this id already; it is left as it is. */
export async function insertIntegration(
  tx: Transaction<Schema>,
  row: {
    id: string;
    owner: string;
    name: string;
    type: string;
    platform: string;
    configuration: IntegrationConfiguration;
  },
): Promise<boolean> {
  const result = await tx
    .insertInto('integrations')
    .values({ ...row, configuration: JSON.stringify(row.configuration), status: 'pending' })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

/**
 * Writes the change when the stored version is still `version`; false when somebody else was first.
 * `retest`: what was learnt about the connection no longer counts.
 */
export async function updateIntegrationRow(
  tx: Transaction<Schema>,
  id: string,
  version: number,
  change: { name: string; type: string; configuration: IntegrationConfiguration },
  retest: boolean,
): Promise<boolean> {
  const forgotten = {
    status: sql<IntegrationStatus>`case status when 'disconnected' then status else 'pending' end`,
    status_reason: sql<string | null>`case status when 'disconnected' then status_reason end`,
  };
  const result = await tx
    .updateTable('integrations')
    .set({
      ...change,
      configuration: JSON.stringify(change.configuration),
      ...(retest ? forgotten : {}),
      version: version + 1,
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .where('version', '=', version)
    .where('status', '!=', 'deleting')
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/**
 * Keeps what was learnt about the connection. No change of the user's, so the version stays. One that was
 * disconnected, perhaps while it was tested, stays so.
 */
export async function learnStatus(
  db: Queryable,
  id: string,
  status: 'connected' | 'error',
  reason: string | null,
): Promise<void> {
  await db
    .updateTable('integrations')
    .set({ status, status_reason: reason, updated_at: sql`now()` })
    .where('id', '=', id)
    .where('status', 'not in', ['deleting', 'disconnected'])
    .where((eb) => eb.or([eb('status', '!=', status), eb('status_reason', 'is distinct from', reason)]))
    .execute();
}

/** On a person's request; raises the version, so that a change under way does not undo it unseen. */
export function disconnect(db: Queryable, id: string): Promise<void> {
  return decideStatus(db, id, 'disconnected', 'Disconnected on request.');
}

/** Lifts `disconnected`. */
export function reconnect(db: Queryable, id: string): Promise<void> {
  return decideStatus(db, id, 'connected', null);
}

async function decideStatus(
  db: Queryable,
  id: string,
  status: 'connected' | 'disconnected',
  reason: string | null,
): Promise<void> {
  await db
    .updateTable('integrations')
    .set({ status, status_reason: reason, version: sql`version + 1`, updated_at: sql`now()` })
    .where('id', '=', id)
    .where('status', 'not in', ['deleting', status])
    .execute();
}

/** Makes the integration invisible; what is left of it is erased by a job. False when it was unknown, or is not of this version. */
export async function markDeleting(tx: Transaction<Schema>, id: string, version?: number): Promise<boolean> {
  let query = tx
    .updateTable('integrations')
    .set({ status: 'deleting', updated_at: sql`now()`, version: sql`version + 1` })
    .where('id', '=', id)
    .where('status', '!=', 'deleting');
  if (version !== undefined) query = query.where('version', '=', version);
  return (await query.executeTakeFirst()).numUpdatedRows === 1n;
}

function toIntegration(row: Row): Integration {
  return {
    id: row.id,
    owner: row.owner,
    name: row.name,
    type: row.type,
    platform: row.platform,
    status: row.status,
    statusReason: row.status_reason,
    configuration: row.configuration as IntegrationConfiguration,
    credentialFields: row.fields ?? [],
    credentialsUpdatedAt: row.credentials_updated_at?.toISOString() ?? null,
    version: row.version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
