import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';

/** What a session is at this moment, by the clock of the database, which all replicas share. */
export interface SessionState {
  readonly userId: string;
  readonly secretHash: Buffer;
  readonly formerSecretHash: Buffer | null;
  /** Since the present secret was made. */
  readonly secretAgeSeconds: number;
  /** Since the present secret first came back; null: not yet. */
  readonly secretSeenSeconds: number | null;
  readonly unseenSeconds: number;
}

/** A session that has not ended, is not past its times, and belongs to an active user. */
export async function findLiveSession(
  db: Kysely<Schema>,
  sessionId: string,
  idleSeconds: number,
): Promise<SessionState | null> {
  const { rows } = await sql<SessionState>`
    select s.user_id as "userId", s.secret_hash as "secretHash", s.former_secret_hash as "formerSecretHash",
      extract(epoch from now() - s.secret_made_at)::float8 as "secretAgeSeconds",
      extract(epoch from now() - s.secret_seen_at)::float8 as "secretSeenSeconds",
      extract(epoch from now() - s.last_seen_at)::float8 as "unseenSeconds"
    from sessions s join users u on u.id = s.user_id
    where s.id = ${sessionId} and s.ended_at is null and s.expires_at > now()
      and s.last_seen_at > now() - make_interval(secs => ${idleSeconds}) and u.status = 'active'`.execute(db);
  return rows[0] ?? null;
}

/** Those of these sessions that have not ended, are not past their times, and belong to active users. */
export async function findLiveSessionIds(
  db: Kysely<Schema>,
  sessionIds: readonly string[],
  idleSeconds: number,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select s.id from sessions s join users u on u.id = s.user_id
    where s.id = any(${[...sessionIds]}::text[]) and s.ended_at is null and s.expires_at > now()
      and s.last_seen_at > now() - make_interval(secs => ${idleSeconds}) and u.status = 'active'`.execute(db);
  return rows.map(({ id }) => id);
}

/** Gives the session a new secret, if `present` still is its secret; false when another request was faster. */
export async function replaceSecret(
  db: Kysely<Schema>,
  sessionId: string,
  hashes: { readonly present: Buffer; readonly former: Buffer; readonly next: Buffer },
): Promise<boolean> {
  const result = await db
    .updateTable('sessions')
    .set({
      secret_hash: hashes.next,
      former_secret_hash: hashes.former,
      secret_made_at: sql`now()`,
      secret_seen_at: null,
    })
    .where('id', '=', sessionId)
    .where('secret_hash', '=', hashes.present)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Notes that a session is in use, and whether its present secret has come back. */
export async function markSeen(
  db: Kysely<Schema>,
  sessionId: string,
  address: string | undefined,
  seenSecret: Buffer | null,
): Promise<void> {
  await sql`
    update sessions set last_seen_at = now(), last_address = coalesce(${address ?? null}, last_address),
      secret_seen_at = case when secret_hash = ${seenSecret} then coalesce(secret_seen_at, now()) else secret_seen_at end
    where id = ${sessionId} and ended_at is null`.execute(db);
}

/** Ends sessions of a user: one, or all but one, or all. Their ids. */
export async function endSessions(
  tx: Transaction<Schema>,
  userId: string,
  which: { readonly only?: string; readonly except?: string } = {},
): Promise<string[]> {
  let query = tx
    .updateTable('sessions')
    .set({ ended_at: sql`now()` })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null);
  if (which.only !== undefined) query = query.where('id', '=', which.only);
  if (which.except !== undefined) query = query.where('id', '!=', which.except);
  return (await query.returning('id').execute()).map(({ id }) => id);
}
