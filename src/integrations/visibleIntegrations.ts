import { type RawBuilder, sql } from 'kysely';

/** Integrations named one by one, by owner or by platform. */
interface Named {
  readonly ids: readonly string[];
  readonly owners: readonly string[];
  readonly platforms: readonly string[];
}

/** Which integrations somebody may see. */
export type VisibleIntegrations =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  | {
      readonly kind: 'some';
      /** Those that an id, owner or platform names; null: all but `except`. */
      readonly only: Named | null;
      /** Never these, whatever else allows them. */
      readonly except: Named;
      /** And none but these ids, as an API key may be limited; null: no such limit. */
      readonly within: readonly string[] | null;
    };

type Filter = Readonly<Partial<Record<'platform' | 'status' | 'owner' | 'type', string>>>;

/** What holds for every row of a list, in terms of `i`. */
export function listConditions(
  filter: Filter,
  after: string | null,
  visible: VisibleIntegrations,
): RawBuilder<boolean> {
  const conditions = [sql`i.status <> 'deleting'`];
  if (after !== null) conditions.push(sql`i.id > ${after}`);
  for (const column of ['platform', 'status', 'owner', 'type'] as const) {
    const value = filter[column];
    if (value !== undefined) conditions.push(sql`${sql.ref(`i.${column}`)} = ${value}`);
  }
  if (visible.kind === 'none') conditions.push(sql`false`);
  if (visible.kind === 'some') {
    const { ids, owners, platforms } = visible.except;
    if (ids.length > 0) conditions.push(sql`i.id <> all(${[...ids]}::text[])`);
    if (owners.length > 0) conditions.push(sql`i.owner <> all(${[...owners]}::text[])`);
    if (platforms.length > 0) conditions.push(sql`i.platform <> all(${[...platforms]}::text[])`);
    if (visible.within !== null) conditions.push(sql`i.id = any(${[...visible.within]}::text[])`);
  }
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

/** Whether somebody may see the integration, in terms of `i`. */
export function isVisible(visible: VisibleIntegrations): RawBuilder<boolean> {
  const conditions = listConditions({}, null, visible);
  if (visible.kind !== 'some' || visible.only === null) return conditions;
  const { ids, owners, platforms } = visible.only;
  return sql<boolean>`${conditions} and (
    i.id = any(${[...ids]}::text[]) or i.owner = any(${[...owners]}::text[]) or i.platform = any(${[...platforms]}::text[])
  )`;
}

/**
 * Ids of up to `limit` rows for each thing that allows some, the first `limit` of the list among them. Each is read
 * along an index of its own, so that a page costs what it shows, not what there is.
 */
export function allowedIds(
  { ids, owners, platforms }: Named,
  conditions: RawBuilder<boolean>,
  limit: number,
): RawBuilder<string> {
  return sql<string>`(
    select i.id from integrations i where i.id = any(${[...ids]}::text[]) and ${conditions}
    union
    select page.id from unnest(${[...owners]}::text[]) as allowed (owner) cross join lateral (
      select i.id from integrations i where i.owner = allowed.owner and ${conditions} order by i.id limit ${limit}
    ) page
    union
    select page.id from unnest(${[...platforms]}::text[]) as allowed (platform) cross join lateral (
      select i.id from integrations i where i.platform = allowed.platform and ${conditions} order by i.id limit ${limit}
    ) page
  )`;
}
