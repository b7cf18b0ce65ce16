import { sql } from 'kysely';
import { invalidInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import type { AccessChanges } from '../decisions/accessChanges.ts';
import { type Actor, userIdOf } from '../decisions/actor.ts';
import { AccessDeniedError, UserNotFoundError } from '../decisions/errors.ts';
import { findIntegrationRef } from '../decisions/integrationRefs.ts';
import type { Gift, Powers } from '../decisions/powers.ts';
import { hasDenies, listAllows } from '../grants/grantQueries.ts';
import type { Decision, Principal } from '../types.ts';
import { OWNER, type Role } from './builtInRoles.ts';
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
    return decisionOf(() => requireRole(powers, role));
  }

  /**
   * Whether somebody may change or remove a user, or (`id` null) somebody who was invited: it takes everything that
   * the user may, by role and by grants. A role that does not exist, or no more, gives nothing.
   */
  async mayChange(
    principal: Principal,
    user: { readonly id: string | null; readonly role: string },
  ): Promise<Decision> {
    const { db } = this.#database;
    const role = await findRole(db, user.role).catch((error: unknown) => {
      if (error instanceof RoleNotFoundError) return null;
      throw error;
    });
    const powers = await this.#changes.powersOf({ principal });
    const isOther = user.id !== null && user.id !== userIdOf(principal);
    const gifts = isOther ? await giftsTo(db, user.id, role) : [];
    const decision = decisionOf(() => role !== null && requireRole(powers, role));
    const isBeyond = gifts.some((gift) => !decisionOf(() => powers.requireGift(gift)).allowed);
    return decision.allowed && isBeyond ? BEYOND : decision;
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

/** Says no more: what the grants are about may be nothing that they should know of. */
const BEYOND: Decision = {
  allowed: false,
  reason: 'By grants, or on what is theirs, the user may do something that you may not.',
  ruleId: null,
};

function requireRole(powers: Powers, role: Role): void {
  if (role.name === OWNER) powers.requireOwner();
  powers.requireRole(role.permissions);
}

/** What a user may beside what a role of this kind gives to everybody who has it: on what they own, and by grants. */
async function giftsTo(db: Database['db'], userId: string, role: Role | null): Promise<Gift[]> {
  const own = (role?.permissions ?? []).filter(({ reach }) => reach === 'own').map(({ permission }) => permission);
  const gifts: Gift[] = [
    { permissions: own, scope: { kind: 'owner', value: userId }, integration: null, untilMs: Number.POSITIVE_INFINITY },
  ];
  for (const { permissions, scope, expiresAt } of await listAllows(db, userId)) {
    const integration = scope.kind === 'integration' ? await findIntegrationRef(db, scope.value) : null;
    const untilMs = expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
    gifts.push({ permissions, scope, integration, untilMs });
  }
  return gifts;
}

/** What is refused, as an answer. */
function decisionOf(require: () => unknown): Decision {
  try {
    require();
    return { allowed: true, reason: 'They may do all of it themselves.', ruleId: null };
  } catch (error) {
    if (!(error instanceof AccessDeniedError)) throw error;
    return { allowed: false, reason: error.message, ruleId: null };
  }
}
