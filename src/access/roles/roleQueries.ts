import type { Kysely, Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { findBuiltInRole, type Role, type RolePermission } from './builtInRoles.ts';
import { RoleNotFoundError } from './errors.ts';

export interface CustomRole extends Role {
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** All of them: there are at most as many as RoleService lets be made. */
export async function listCustomRoles(db: Kysely<Schema>): Promise<CustomRole[]> {
  const rows = await db.selectFrom('roles').selectAll().orderBy('name').execute();
  return rows.map((row) => ({
    name: row.name,
    description: row.description,
    permissions: row.permissions as RolePermission[],
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }));
}

/**
 * The role, kept from being changed or deleted until the transaction ends: whoever gives it to a user calls this first.
 * @throws RoleNotFoundError
 */
export async function holdRole(tx: Transaction<Schema>, name: string): Promise<Role> {
  return findBuiltInRole(name) ?? lockRole(tx, name, 'share');
}

/** @throws RoleNotFoundError */
export async function findRole(db: Kysely<Schema>, name: string): Promise<Role> {
  const role = findBuiltInRole(name) ?? (await listCustomRoles(db)).find((one) => one.name === name);
  if (role === undefined) throw new RoleNotFoundError(name);
  return role;
}

/** A custom role, locked. @throws RoleNotFoundError */
export async function lockRole(tx: Transaction<Schema>, name: string, mode: 'share' | 'update'): Promise<Role> {
  const query = tx.selectFrom('roles').select(['name', 'description', 'permissions']).where('name', '=', name);
  const row = await (mode === 'share' ? query.forShare() : query.forUpdate()).executeTakeFirst();
  if (row === undefined) throw new RoleNotFoundError(name);
  return { ...row, permissions: row.permissions as RolePermission[] };
}

/** Up to `limit` users who have the role. */
export async function listUsersWithRole(tx: Transaction<Schema>, name: string, limit: number): Promise<string[]> {
  const rows = await tx.selectFrom('users').select('id').where('role', '=', name).orderBy('id').limit(limit).execute();
  return rows.map(({ id }) => id);
}
