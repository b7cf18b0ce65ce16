import { type Kysely, sql } from 'kysely';
import { invalidInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { AccessChanges } from '../decisions/accessChanges.ts';
import type { Actor } from '../decisions/actor.ts';
import { AccessDeniedError, UserNotFoundError } from '../decisions/errors.ts';
import { findIntegrationRef } from '../decisions/integrationRefs.ts';
import type { Gift } from '../decisions/powers.ts';
import { hasDenies } from '../grants/grantQueries.ts';
import type { Decision, Principal } from '../types.ts';
import { OWNER, type RolePermission } from './builtInRoles.ts';
import { RoleNotFoundError } from './errors.ts';
import { lockOwners, refuseLastOwner } from './lastOwner.ts';
import { findRole, holdRole } from './roleQueries.ts';

/** Which role users have. */
export class UserRoles {
  readonly #database: Database;
  readonly #changes: AccessChanges;

  constructor(database: Database, changes: AccessChanges) {
    this.#database = database;
    this.#changes = changes;
  }

  /**
   * Whether somebody may give a role, and so invite who is to have it: it takes everything that it gives.
   * @throws RoleNotFoundError
   */
  async mayAssignRole(principal: Principal, roleName: string): Promise<Decision> {
    const role = await findRole(this.#database.db, roleName);
    const powers = await this.#changes.powersOf({ principal });
    return whetherRefused('They may do everything that the role gives.', async () => {
      if (role.name === OWNER) powers.requireOwner();
      powers.requireRole(role.permissions);
    });
  }

  /**
   * Whether somebody may change or remove a user: it takes everything that the user has, by role, as owner of
   * integrations, by grants and by break-glass. Who changes the address of an account can make it their own.
   */
  async mayManage(
    principal: Principal,
    user: { readonly id: string | null; readonly role: string },
  ): Promise<Decision> {
    if (principal.kind === 'user' && principal.userId === user.id)
      return { allowed: true, reason: 'It is their own account.', ruleId: null };
    const { db } = this.#database;
    const permissions = await rolePermissions(db, user.role);
    const powers = await this.#changes.powersOf({ principal });
    return whetherRefused('They may do everything that the user may.', async () => {
      if (user.role === OWNER) powers.requireOwner();
      if (user.id === null) return powers.requireRole(permissions);
      for (const gift of [...roleGifts(user.id, permissions), ...powers.givenTo(user.id)]) {
        const { scope } = gift;
        const integration = scope.kind === 'integration' ? await findIntegrationRef(db, scope.value) : null;
        powers.requireGift({ ...gift, integration });
      }
    });
  }

  /**
   * Gives the user another role. Nobody gives a role that allows more than they may; only owners make owners and
   * unmake them, and one active owner stays.
   * @throws UserNotFoundError, RoleNotFoundError, LastOwnerError, AccessDeniedError
   * @throws InvalidInputError for an owner-to-be with denies, which an owner cannot have
   */
  async setRole(actor: Actor, userId: string, roleName: string): Promise<void> {
    const target = { kind: 'user', id: userId };
    const action = 'user.roleChanged';
    await this.#changes.make(actor, { action, target }, async ({ tx, powers, nowMs, record }) => {
      powers.require('roles:write');
      const role = await holdRole(tx, roleName);
      const owners = await lockOwners(tx);
      const user = await tx.selectFrom('users').select('role').where('id', '=', userId).forUpdate().executeTakeFirst();
      if (user === undefined) throw new UserNotFoundError(userId);
      if (user.role === role.name) return;
      if (user.role === OWNER || role.name === OWNER) powers.requireOwner();
      powers.requireRole(role.permissions);
      refuseLastOwner(owners, userId);
      if (role.name === OWNER && (await hasDenies(tx, userId, new Date(nowMs))))
        throw invalidInput('The role', [
          { pointer: '/role', detail: 'An owner has no denies. Remove those of the user first.' },
        ]);
      await tx
        .updateTable('users')
        .set({ role: role.name, version: sql`version + 1`, updated_at: sql`now()` })
        .where('id', '=', userId)
        .execute();
      await record({ action, target, before: { role: user.role }, after: { role: role.name } });
    });
  }
}

/** Everywhere and on integrations of the user's own, as the role says. */
function roleGifts(userId: string, permissions: readonly RolePermission[]): Omit<Gift, 'integration'>[] {
  const withReach = (reach: RolePermission['reach']) =>
    permissions.filter((one) => one.reach === reach).map(({ permission }) => permission);
  const untilMs = Number.POSITIVE_INFINITY;
  return [
    { permissions: withReach('all'), scope: { kind: 'all' }, untilMs },
    { permissions: withReach('own'), scope: { kind: 'owner', value: userId }, untilMs },
  ];
}

/** A role that there is not allows nothing. */
async function rolePermissions(db: Kysely<Schema>, name: string): Promise<readonly RolePermission[]> {
  try {
    return (await findRole(db, name)).permissions;
  } catch (error) {
    if (error instanceof RoleNotFoundError) return [];
    throw error;
  }
}

async function whetherRefused(allowedBecause: string, check: () => Promise<void>): Promise<Decision> {
  try {
    await check();
    return { allowed: true, reason: allowedBecause, ruleId: null };
  } catch (error) {
    if (!(error instanceof AccessDeniedError)) throw error;
    return { allowed: false, reason: error.message, ruleId: null };
  }
}
