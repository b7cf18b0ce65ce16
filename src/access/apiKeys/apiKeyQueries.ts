import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { Permission } from '../permissions.ts';
import type { KeyScopes } from '../types.ts';
import type { ApiKey } from './types.ts';

type Queryable = Kysely<Schema> | Transaction<Schema>;
export type ApiKeyRow = Selectable<Schema['api_keys']>;

export interface NewApiKey {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly secretHash: Buffer;
  readonly scopes: KeyScopes;
  readonly expiresAt: Date | null;
  readonly rotatedFrom: string | null;
}

/** A key that was made under this id before, by a request that is repeated, gets the new secret. */
export async function insertApiKey(tx: Transaction<Schema>, key: NewApiKey): Promise<ApiKeyRow> {
  return tx
    .insertInto('api_keys')
    .values({
      id: key.id,
      user_id: key.userId,
      name: key.name,
      secret_hash: key.secretHash,
      permissions: key.scopes.permissions === null ? null : [...key.scopes.permissions],
      integration_ids: key.scopes.integrationIds === null ? null : [...key.scopes.integrationIds],
      expires_at: key.expiresAt,
      rotated_from: key.rotatedFrom,
    })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ secret_hash: key.secretHash })
        .where('api_keys.user_id', '=', key.userId)
        .where('api_keys.status', '=', 'active'),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findApiKey(db: Queryable, id: string): Promise<ApiKeyRow | undefined> {
  return db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Holds the key until the transaction ends. Where its user is locked too, the user comes first. */
export function lockApiKey(tx: Transaction<Schema>, id: string): Promise<ApiKeyRow | undefined> {
  return tx.selectFrom('api_keys').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

/** Up to `limit` keys after the id `after`, in the order they were made. */
export function listApiKeys(
  db: Queryable,
  userId: string | null,
  after: string | null,
  limit: number,
): Promise<ApiKeyRow[]> {
  let query = db.selectFrom('api_keys').selectAll().orderBy('id').limit(limit);
  if (userId !== null) query = query.where('user_id', '=', userId);
  if (after !== null) query = query.where('id', '>', after);
  return query.execute();
}

/** Keys of a user that are not revoked and not past their time, except the one of this id. */
export async function countLiveApiKeys(tx: Transaction<Schema>, userId: string, except: string): Promise<number> {
  const { count } = await tx
    .selectFrom('api_keys')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('user_id', '=', userId)
    .where('id', '!=', except)
    .where('status', '!=', 'revoked')
    .where(sql<boolean>`(least(expires_at, overlap_until) is null or least(expires_at, overlap_until) > now())`)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function revokeApiKeyRow(tx: Transaction<Schema>, id: string): Promise<void> {
  await tx.updateTable('api_keys').set({ status: 'revoked', revoked_at: sql`now()` }).where('id', '=', id).execute();
}

/** Writes when keys were last used, several at once; never back in time. */
export async function writeLastUses(db: Queryable, uses: ReadonlyMap<string, Date>): Promise<void> {
  await sql`
    update api_keys set last_used_at = used.at
    from unnest(${[...uses.keys()]}::text[], ${[...uses.values()]}::timestamptz[]) as used (id, at)
    where api_keys.id = used.id and (last_used_at is null or last_used_at < used.at)`.execute(db);
}

/** When the key stops working whatever happens; null: never. */
export function endOf({ expires_at, overlap_until }: Pick<ApiKeyRow, 'expires_at' | 'overlap_until'>): Date | null {
  return earlier(expires_at, overlap_until);
}

/** Null: never. */
export function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

export function scopesOf({ permissions, integration_ids }: ApiKeyRow): KeyScopes {
  return { permissions: permissions as Permission[] | null, integrationIds: integration_ids };
}

export function toApiKey(row: ApiKeyRow, nowMs: number): ApiKey {
  const end = endOf(row);
  const expired = row.status !== 'revoked' && end !== null && end.getTime() <= nowMs;
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    scopes: scopesOf(row),
    status: expired ? 'expired' : row.status,
    frozenReason: row.frozen_reason,
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
    rotatedFrom: row.rotated_from,
    overlapUntil: row.overlap_until?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}
