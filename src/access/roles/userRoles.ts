import { sql } from 'kysely';
import { invalidInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import type { AccessChanges } from '../decisions/accessChanges.ts';
import type { Actor } from '../decisions/actor.ts';
import { AccessDeniedError, UserNotFoundError } from '../decisions/errors.ts';
import { hasDenies } from '../grants/grantQueries.ts';
import type { Decision, Principal } from '../types.ts';
import { OWNER } from './builtInRoles.ts';
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
   * Whether somebody may give a role, and so invite who will have it: it takes everything that it gives.
   * @throws RoleNotFoundError
   */
  async mayAssignRole(principal: Principal, roleName: string): Promise<Decision> {
    const role = await findRole(this.#database.db, roleName);
    const powers = await this.#changes.powersOf({ principal });
    try {
      if (role.name === OWNER) powers.requireOwner();
      powers.requireRole(role.permissions);
      return { allowed: true, reason: 'They may do everything that the role gives.', ruleId: null };
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      return { allowed: false, reason: error.message, ruleId: null };
    }
  }

  /** Whether somebody may change or remove who has a role. A role that does not exist, or no more, gives nothing. */
  async mayChangeWhoHas(principal: Principal, roleName: string): Promise<Decision> {
    try {
      return await this.mayAssignRole(principal, roleName);
    } catch (error) {
      if (!(error instanceof RoleNotFoundError)) throw error;
      return { allowed: true, reason: 'The role gives nothing.', ruleId: null };
    }
  }

  /**
   * Gives the user another role. Nobody gives a role that allows more than they may; only owners make owners and
   * unmake them, and one active owner stays.
   * @throws UserNotFoundError, RoleNotFoundError, LastOwnerError, AccessDeniedError
   * @throws InvalidInputError for an owner-to-be with denies, which an owner cannot have
   */
  async setRole(actor: Actor, userId: string, roleName: string): Promise<void> {
    const target = { kind: 'user', id: userId };
    const action = 'user.role_changed';
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
