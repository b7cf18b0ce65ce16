import type { Kysely, Selectable, Transaction } from 'kysely';
import { newId } from '../../core/ids.ts';
import type { Schema } from '../../store/schema.ts';
import type { UsersTable } from '../../store/tables/access.ts';
import { UserNotFoundError } from '../decisions/errors.ts';
import { NO_ROLE } from '../roles/builtInRoles.ts';
import { holdRole } from '../roles/roleQueries.ts';
import { EmailTakenError } from './errors.ts';
import { emailKey } from './schemas.ts';

export type UserRow = Selectable<UsersTable>;

/** A user as others see them. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
  readonly status: 'active' | 'frozen' | 'deactivated';
  readonly createdAt: string;
  readonly updatedAt: string;
}

const UNIQUE_VIOLATION = '23505';

export function toUser({ id, email, name, role, status, created_at, updated_at }: UserRow): User {
  return { id, email, name, role, status, createdAt: created_at.toISOString(), updatedAt: updated_at.toISOString() };
}

/** @throws UserNotFoundError */
export async function getUserRow(db: Kysely<Schema>, userId: string, lock = false): Promise<UserRow> {
  const query = db.selectFrom('users').selectAll().where('id', '=', userId);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  if (row === undefined) throw new UserNotFoundError(userId);
  return row;
}

export async function findUserByEmail(db: Kysely<Schema>, email: string): Promise<UserRow | null> {
  const row = await db
    .selectFrom('users')
    .selectAll()
    .where((eb) => eb(eb.fn('lower', ['email']), '=', emailKey(email)))
    .executeTakeFirst();
  return row ?? null;
}

/** The user with the hash of their password, in one statement whether or not they have one, or are there. */
export async function findLogin(
  db: Kysely<Schema>,
  email: string,
): Promise<{ readonly user: UserRow | null; readonly passwordHash: string | null }> {
  const row = await db
    .selectFrom('users')
    .leftJoin('local_accounts', 'local_accounts.user_id', 'users.id')
    .selectAll('users')
    .select('local_accounts.password_hash')
    .where((eb) => eb(eb.fn('lower', ['users.email']), '=', emailKey(email)))
    .executeTakeFirst();
  return { user: row ?? null, passwordHash: row?.password_hash ?? null };
}

/** A new active user without any way to sign in yet. @throws EmailTakenError, RoleNotFoundError */
export async function insertUser(
  tx: Transaction<Schema>,
  user: { readonly email: string; readonly name: string; readonly role: string },
): Promise<UserRow> {
  await holdRole(tx, user.role);
  return await orEmailTaken(
    tx
      .insertInto('users')
      .values({ id: newId('user'), ...user, status: 'active', frozen_reason: null })
      .returningAll()
      .executeTakeFirstOrThrow(),
  );
}

/** @throws EmailTakenError where the database says so */
export async function orEmailTaken<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if ((error as { code?: unknown }).code === UNIQUE_VIOLATION) throw new EmailTakenError();
    throw error;
  }
}

/** Those who came from outside by themselves, and were given no role yet, do not count. */
export async function hasUsers(db: Kysely<Schema>): Promise<boolean> {
  const row = await db.selectFrom('users').select('id').where('role', '!=', NO_ROLE).limit(1).executeTakeFirst();
  return row !== undefined;
}
