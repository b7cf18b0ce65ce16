import { type Kysely, type RawBuilder, sql } from 'kysely';
import { listConditions, type VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Schema } from '../../store/schema.ts';

/**
 * Whose records: of one integration or of 'system', of several, of those that somebody may see, or of all (null).
 * Records of 'system' may tell of anything, so they belong to whoever may see everything.
 */
export type LogScope =
  | string
  | readonly string[]
  | null
  | { readonly visible: VisibleIntegrations; readonly integrationId: string | null };

/** Up to so many ids are looked up along the index; beyond, the table of integrations is joined. */
const MAX_LISTED_IDS = 1_000;

/** The condition on rows of `logs`, or null when there is none. */
export async function scopeCondition(db: Kysely<Schema>, scope: LogScope): Promise<RawBuilder<boolean> | null> {
  if (scope === null) return null;
  if (typeof scope === 'string') return sql`integration_id = ${scope}`;
  if (isList(scope)) return sql`integration_id = any(${[...scope]}::text[])`;
  const { visible, integrationId } = scope;
  if (visible.kind === 'all') return integrationId === null ? null : sql`integration_id = ${integrationId}`;
  if (visible.kind === 'none') return sql`false`;
  const ids = visibleIds(visible, integrationId);
  const { rows } = await sql<{ id: string }>`${ids} limit ${MAX_LISTED_IDS + 1}`.execute(db);
  return rows.length > MAX_LISTED_IDS
    ? sql`integration_id in (${ids})`
    : sql`integration_id = any(${rows.map(({ id }) => id)}::text[])`;
}

function visibleIds(
  visible: Extract<VisibleIntegrations, { kind: 'some' }>,
  integrationId: string | null,
): RawBuilder<{ id: string }> {
  const conditions = [listConditions({}, null, visible)];
  if (integrationId !== null) conditions.push(sql`i.id = ${integrationId}`);
  if (visible.only !== null) {
    const { ids, owners, platforms } = visible.only;
    conditions.push(
      sql`(i.id = any(${[...ids]}::text[]) or i.owner = any(${[...owners]}::text[]) or i.platform = any(${[...platforms]}::text[]))`,
    );
  }
  return sql`select i.id from integrations i where ${sql.join(conditions, sql` and `)}`;
}

function isList(scope: Exclude<LogScope, string | null>): scope is readonly string[] {
  return Array.isArray(scope);
}
