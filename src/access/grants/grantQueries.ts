import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { type Scope, toScope } from '../decisions/scope.ts';

/** Something that one user may, or may not, do beside the role. */
export interface Grant {
  readonly id: string;
  readonly userId: string;
  readonly effect: 'allow' | 'deny';
  /** Names and patterns. */
  readonly permissions: readonly string[];
  readonly scope: Scope;
  readonly reason: string;
  readonly createdBy: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** Up to `limit` of a user's grants after the id `after`, in the order they were made; also those that have ended. */
export async function listGrants(
  db: Kysely<Schema>,
  userId: string,
  after: string | null,
  limit: number,
): Promise<Grant[]> {
  let query = db.selectFrom('grants').selectAll().where('user_id', '=', userId).orderBy('id').limit(limit);
  if (after !== null) query = query.where('id', '>', after);
  return (await query.execute()).map(toGrant);
}

/** Null when there is none of this id. */
export async function lockGrant(tx: Transaction<Schema>, id: string): Promise<Grant | null> {
  const row = await tx.selectFrom('grants').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  return row === undefined ? null : toGrant(row);
}

/** How many a user has that have not ended at `now`. */
export async function countGrants(tx: Transaction<Schema>, userId: string, now: Date): Promise<number> {
  const { count } = await tx
    .selectFrom('grants')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('user_id', '=', userId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirstOrThrow();
  return count;
}

/** Whether a deny of the user counts at `now`. */
export async function hasDenies(tx: Transaction<Schema>, userId: string, now: Date): Promise<boolean> {
  const row = await tx
    .selectFrom('grants')
    .select('id')
    .where('user_id', '=', userId)
    .where('effect', '=', 'deny')
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Everything that is granted to a user and has not ended: as many as a user may have. */
export async function listAllows(db: Kysely<Schema>, userId: string): Promise<Grant[]> {
  const rows = await db
    .selectFrom('grants')
    .selectAll()
    .where('user_id', '=', userId)
    .where('effect', '=', 'allow')
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
    .execute();
  return rows.map(toGrant);
}

export function toGrant(row: Selectable<Schema['grants']>): Grant {
  return {
    id: row.id,
    userId: row.user_id,
    effect: row.effect,
    permissions: row.permissions,
    scope: toScope(row.scope_kind, row.scope_value),
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}
