import { type RawBuilder, sql } from 'kysely';

/**
 * Which integrations somebody may see: all, or those that an id, owner or platform names; never one that is denied,
 * whatever else allows it.
 */
export interface VisibleIntegrations {
  readonly all: boolean;
  readonly ids: readonly string[];
  readonly owners: readonly string[];
  readonly platforms: readonly string[];
  readonly deniedIds: readonly string[];
  readonly deniedOwners: readonly string[];
  readonly deniedPlatforms: readonly string[];
  /** When given, none but these, as an API key may be limited. */
  readonly within?: readonly string[];
}

export const NO_INTEGRATION: VisibleIntegrations = {
  all: false,
  ids: [],
  owners: [],
  platforms: [],
  deniedIds: [],
  deniedOwners: [],
  deniedPlatforms: [],
};

export const EVERY_INTEGRATION: VisibleIntegrations = { ...NO_INTEGRATION, all: true };

/** Whether nothing can be visible, whatever integrations there are. */
export function seesNothing({ all, ids, owners, platforms, within }: VisibleIntegrations): boolean {
  return (!all && ids.length + owners.length + platforms.length === 0) || within?.length === 0;
}

type Filter = Readonly<Partial<Record<'platform' | 'status' | 'owner' | 'type', string>>>;

/** What holds for every row of a list, in terms of `i`, except why it is allowed. */
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
  const { deniedIds, deniedOwners, deniedPlatforms, within } = visible;
  if (deniedIds.length > 0) conditions.push(sql`i.id <> all(${[...deniedIds]}::text[])`);
  if (deniedOwners.length > 0) conditions.push(sql`i.owner <> all(${[...deniedOwners]}::text[])`);
  if (deniedPlatforms.length > 0) conditions.push(sql`i.platform <> all(${[...deniedPlatforms]}::text[])`);
  if (within !== undefined) conditions.push(sql`i.id = any(${[...within]}::text[])`);
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

/**
 * Ids of up to `limit` rows for each thing that allows some, the first `limit` of the list among them. Each is read
 * along an index of its own, so that a page costs what it shows, not what there is.
 */
export function allowedIds(
  { ids, owners, platforms }: VisibleIntegrations,
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
