import { sql } from 'kysely';
import { z } from 'zod';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Database } from '../../store/database.ts';
import type { AccessChanges } from '../decisions/accessChanges.ts';
import type { Actor } from '../decisions/actor.ts';
import { makerOf } from '../decisions/actor.ts';
import { isAboutIntegrations, PERMISSION_NAMES } from '../decisions/permissionNames.ts';
import { BUILT_IN_ROLES, findBuiltInRole, NO_ROLE, type Role, type RolePermission } from './builtInRoles.ts';
import { RoleInUseError } from './errors.ts';
import { type CustomRole, listCustomRoles, listUsersWithRole, lockRole } from './roleQueries.ts';

const MAX_CUSTOM_ROLES = 100;
const USERS_NAMED = 10;

const rolePermissionSchema = z
  .strictObject({ permission: z.enum(PERMISSION_NAMES), reach: z.enum(['all', 'own']) })
  .refine(({ permission, reach }) => reach === 'all' || isAboutIntegrations(permission), {
    path: ['reach'],
    error: 'takes "all" here: the permission is about the whole installation, which has no owner',
  });

const description = z.string().trim().max(500);
const permissions = z.array(rolePermissionSchema).max(2 * PERMISSION_NAMES.length);

export const createRoleSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_-]{1,49}$/, 'takes 2 to 50 lower-case letters, digits, "-" and "_"'),
  description: description.default(''),
  permissions,
});

export const updateRoleSchema = z.strictObject({
  description: description.optional(),
  permissions: permissions.optional(),
});

export type CreateRoleData = z.input<typeof createRoleSchema>;
export type UpdateRoleData = z.input<typeof updateRoleSchema>;

/** The roles that there are. Who makes or changes one has to hold everything that it gives. */
export class RoleService {
  readonly #database: Database;
  readonly #changes: AccessChanges;

  constructor(database: Database, changes: AccessChanges) {
    this.#database = database;
    this.#changes = changes;
  }

  /** The built-in ones first. */
  async list(): Promise<(Role | CustomRole)[]> {
    return [...BUILT_IN_ROLES, ...(await listCustomRoles(this.#database.db))];
  }

  /** @throws InvalidInputError, AccessDeniedError */
  async create(actor: Actor, data: CreateRoleData): Promise<Role> {
    const input = parseInput(createRoleSchema, data, 'The role');
    const role: Role = { ...input, permissions: distinct(input.permissions) };
    const target = { kind: 'role', id: role.name };
    return this.#changes.make(actor, { action: 'role.created', target }, async ({ tx, powers, record }) => {
      powers.require('roles:write');
      powers.requireRole(role.permissions);
      const { count } = await tx
        .selectFrom('roles')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      if (count >= MAX_CUSTOM_ROLES) refuse('', `There are ${MAX_CUSTOM_ROLES} custom roles, which is the limit.`);
      const { numInsertedOrUpdatedRows } = await tx
        .insertInto('roles')
        .values({ ...role, permissions: JSON.stringify(role.permissions), created_by: makerOf(actor.principal) })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst();
      if (role.name === NO_ROLE) refuse('/name', `The name ${NO_ROLE} stands for having no role.`);
      if (findBuiltInRole(role.name) !== undefined || numInsertedOrUpdatedRows !== 1n)
        refuse('/name', `There is a role ${role.name} already.`);
      await record({ action: 'role.created', target, after: toAudit(role) });
      return role;
    });
  }

  /** @throws InvalidInputError, RoleNotFoundError, AccessDeniedError */
  async update(actor: Actor, name: string, data: UpdateRoleData): Promise<Role> {
    const change = parseInput(updateRoleSchema, data, 'The change');
    refuseBuiltIn(name);
    const target = { kind: 'role', id: name };
    return this.#changes.make(actor, { action: 'role.updated', target }, async ({ tx, powers, record }) => {
      powers.require('roles:write');
      const stored = await lockRole(tx, name, 'update');
      const role: Role = {
        name,
        description: change.description ?? stored.description,
        permissions: change.permissions === undefined ? stored.permissions : distinct(change.permissions),
      };
      powers.requireRole(added(stored.permissions, role.permissions));
      await tx
        .updateTable('roles')
        .set({
          description: role.description,
          permissions: JSON.stringify(role.permissions),
          updated_at: sql`now()`,
        })
        .where('name', '=', name)
        .execute();
      await record({ action: 'role.updated', target, before: toAudit(stored), after: toAudit(role) });
      return role;
    });
  }

  /** @throws InvalidInputError, RoleNotFoundError, RoleInUseError, AccessDeniedError */
  async delete(actor: Actor, name: string): Promise<void> {
    refuseBuiltIn(name);
    const target = { kind: 'role', id: name };
    await this.#changes.make(actor, { action: 'role.deleted', target }, async ({ tx, powers, record }) => {
      powers.require('roles:write');
      // Whoever gives the role to a user holds this lock until their transaction ends.
      const stored = await lockRole(tx, name, 'update');
      const userIds = await listUsersWithRole(tx, name, USERS_NAMED);
      if (userIds.length > 0) throw new RoleInUseError(name, userIds);
      await tx.deleteFrom('roles').where('name', '=', name).execute();
      await record({ action: 'role.deleted', target, before: toAudit(stored) });
    });
  }
}

function refuseBuiltIn(name: string): void {
  if (findBuiltInRole(name) !== undefined)
    refuse('/name', `${name} is built in and stays as it is. Make a role of your own.`);
}

function refuse(pointer: string, detail: string): never {
  throw invalidInput('The role', [{ pointer, detail }]);
}

const keyOf = ({ permission, reach }: RolePermission): string => `${permission} ${reach}`;

function distinct(list: readonly RolePermission[]): RolePermission[] {
  return [...new Map(list.map((one) => [keyOf(one), one])).values()];
}

/** What the new list allows and the old one does not. */
function added(before: readonly RolePermission[], after: readonly RolePermission[]): RolePermission[] {
  const had = new Set(
    before.flatMap((one) => [keyOf(one), ...(one.reach === 'all' ? [keyOf({ ...one, reach: 'own' })] : [])]),
  );
  return after.filter((one) => !had.has(keyOf(one)));
}

function toAudit({ description, permissions }: Role): JsonObject {
  return { description, permissions: permissions.map((one) => ({ ...one })) };
}
