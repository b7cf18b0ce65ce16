import { type Kysely, sql, type Transaction } from 'kysely';
import { newId } from '../../core/ids.ts';
import type { Schema } from '../../store/schema.ts';
import type { OneTimeTokensTable } from '../../store/tables/accounts.ts';
import { hashToken, newSecretToken } from './secretTokens.ts';

type Purpose = OneTimeTokensTable['purpose'];

interface NewToken {
  readonly purpose: Purpose;
  readonly userId?: string;
  readonly validSeconds: number;
  /** The same id again replaces the token, as when a job is done for a second time. */
  readonly id?: string;
}

/** Makes a token and stores its hash; the token itself is here and nowhere else. */
export async function issueToken(db: Kysely<Schema>, { purpose, userId, validSeconds, id }: NewToken): Promise<string> {
  const token = newSecretToken();
  const made = {
    token_hash: hashToken(token),
    expires_at: sql<Date>`now() + make_interval(secs => ${validSeconds})`,
  };
  await db
    .insertInto('one_time_tokens')
    .values({ id: id ?? newId('oneTimeToken'), purpose, user_id: userId ?? null, ...made })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(made))
    .execute();
  return token;
}

/** The token that is still good, without using it up; null for any other. */
export async function findToken(
  db: Kysely<Schema>,
  purpose: Purpose,
  token: string,
): Promise<{ readonly id: string; readonly userId: string | null; readonly failures: number } | null> {
  const row = await db
    .selectFrom('one_time_tokens')
    .select(['id', 'user_id as userId', 'failures'])
    .where('token_hash', '=', hashToken(token))
    .where('purpose', '=', purpose)
    .where('expires_at', '>', sql<Date>`now()`)
    .executeTakeFirst();
  return row ?? null;
}

/** Uses a token up: of two that come with it at the same time, one gets true. */
export async function useToken(tx: Transaction<Schema>, tokenId: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('one_time_tokens').where('id', '=', tokenId).executeTakeFirst();
  return numDeletedRows === 1n;
}

/** Links and tickets of a user that are out stop working. */
export async function voidTokens(tx: Transaction<Schema>, userId: string): Promise<void> {
  await tx.deleteFrom('one_time_tokens').where('user_id', '=', userId).execute();
}
