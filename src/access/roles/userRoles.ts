import { sql } from 'kysely';
import { invalidInput } from '../../core/input.ts';
import type { AccessChanges } from '../decisions/accessChanges.ts';
import type { Actor } from '../decisions/actor.ts';
import { UserNotFoundError } from '../decisions/errors.ts';
import { hasDenies } from '../grants/grantQueries.ts';
import { OWNER } from './builtInRoles.ts';
import { lockOwners, refuseLastOwner } from './lastOwner.ts';
import { holdRole } from './roleQueries.ts';

/** Which role users have. */
export class UserRoles {
  readonly #changes: AccessChanges;

  constructor(changes: AccessChanges) {
    this.#changes = changes;
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
