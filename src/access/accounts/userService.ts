import { sql, type Transaction } from 'kysely';
import type { AuditOrigin, AuditTrail } from '../../audit/types.ts';
import { ConflictError } from '../../core/errors.ts';
import { parseInput } from '../../core/input.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { auditActor } from '../decisions/actor.ts';
import { UserNotFoundError } from '../decisions/errors.ts';
import { keepAnOwner, lockOwners } from '../roles/lastOwner.ts';
import type { Principal } from '../types.ts';
import { voidTokens } from './oneTimeTokens.ts';
import { savePasswordHash } from './passwordCheck.ts';
import type { PasswordHasher } from './passwordHasher.ts';
import type { PasswordStrength } from './passwordStrength.ts';
import { type RoleRule, requireMayAssign, requireMayChange } from './roleRule.ts';
import { newUserSchema } from './schemas.ts';
import type { SecondFactors } from './secondFactors.ts';
import { endSessions } from './sessionQueries.ts';
import type { SessionService } from './sessions.ts';
import { findUserByEmail, getUserRow, insertUser, orEmailTaken, toUser, type User } from './userQueries.ts';

interface Parts {
  readonly database: Database;
  readonly hasher: PasswordHasher;
  readonly strength: PasswordStrength;
  readonly sessions: SessionService;
  readonly secondFactors: SecondFactors;
  readonly roles: RoleRule;
  readonly audit: AuditTrail;
}

interface Change {
  readonly action: string;
  readonly before?: JsonObject;
  readonly after?: JsonObject;
}

/** The people of the installation, as those see and change them who may. */
export class UserService {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Up to `limit` users in the order of their ids, after `after`. */
  async list({ after, limit }: { readonly after: string | null; readonly limit: number }): Promise<User[]> {
    const rows = await this.#parts.database.db
      .selectFrom('users')
      .selectAll()
      .where('id', '>', after ?? '')
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map(toUser);
  }

  /** @throws UserNotFoundError */
  async get(userId: string): Promise<User> {
    return toUser(await getUserRow(this.#parts.database.db, userId));
  }

  /** @throws UserNotFoundError */
  async getByEmail(email: string): Promise<User> {
    const row = await findUserByEmail(this.#parts.database.db, email);
    if (row === null) throw new UserNotFoundError(email);
    return toUser(row);
  }

  /**
   * A user with a password, or without one until a link of `Passwords.makeResetLink` is used.
   * @throws EmailTakenError, RoleAboveOwnError, InvalidInputError for a weak password
   */
  async create(
    actor: Principal,
    user: { readonly email: string; readonly name: string; readonly role: string; readonly password?: string },
    origin: AuditOrigin = {},
  ): Promise<User> {
    const { database, hasher, strength, roles, audit } = this.#parts;
    const { password, ...rest } = user;
    const { email, name, role } = parseInput(newUserSchema, rest, 'The user');
    await requireMayAssign(roles, actor, role);
    if (password !== undefined) await strength.require(password, [email, name]);
    const passwordHash = password === undefined ? null : await hasher.hash(password);
    const created = await database.transaction(async (tx) => {
      const row = await insertUser(tx, { email, name, role });
      if (passwordHash !== null) await savePasswordHash(tx, row.id, passwordHash);
      await tx.deleteFrom('one_time_tokens').where('purpose', '=', 'setup').execute();
      await audit.record(tx, {
        actor: auditActor(actor),
        action: 'user.created',
        outcome: 'success',
        target: { kind: 'user', id: row.id },
        after: { email, name, role },
        origin,
      });
      return toUser(row);
    });
    await roles.changed();
    return created;
  }

  /** Changes name or e-mail address. @throws UserNotFoundError, EmailTakenError, RoleAboveOwnError */
  async update(
    actor: Principal,
    userId: string,
    input: { readonly email?: string; readonly name?: string },
    origin: AuditOrigin,
  ): Promise<User> {
    const changes = parseInput(newUserSchema.pick({ email: true, name: true }).partial(), input, 'The user');
    return await this.#change(actor, userId, origin, async (tx, user) => {
      const names = (['email', 'name'] as const).filter((one) => (changes[one] ?? user[one]) !== user[one]);
      if (names.length === 0) return null;
      const after = Object.fromEntries(names.map((one) => [one, changes[one]!]));
      await orEmailTaken(
        tx
          .updateTable('users')
          .set({ ...after, version: sql`version + 1`, updated_at: sql`now()` })
          .where('id', '=', userId)
          .execute(),
      );
      // A link that went to the old address must not open the account any more.
      if (names.includes('email')) await voidTokens(tx, userId);
      return { action: 'user.updated', before: Object.fromEntries(names.map((one) => [one, user[one]])), after };
    });
  }

  /** The user cannot sign in any more, and every session ends. @throws UserNotFoundError, LastOwnerError, RoleAboveOwnError */
  async deactivate(actor: Principal, userId: string, origin: AuditOrigin = {}): Promise<User> {
    return await this.#change(actor, userId, origin, async (tx, user) => {
      if (user.status === 'deactivated') return null;
      await keepAnOwner(tx, userId);
      await setStatus(tx, userId, 'deactivated');
      await endSessions(tx, userId);
      await voidTokens(tx, userId);
      return { action: 'user.deactivated', before: { status: user.status }, after: { status: 'deactivated' } };
    });
  }

  /** @throws UserNotFoundError, RoleAboveOwnError */
  async reactivate(actor: Principal, userId: string, origin: AuditOrigin = {}): Promise<User> {
    return await this.#change(actor, userId, origin, async (tx, user) => {
      // A frozen one is unfrozen by who may do that.
      if (user.status !== 'deactivated') return null;
      await setStatus(tx, userId, 'active');
      return { action: 'user.reactivated', before: { status: user.status }, after: { status: 'active' } };
    });
  }

  /** For somebody who lost the device and the recovery codes. @throws UserNotFoundError, SecondFactorStateError */
  async resetSecondFactor(actor: Principal, userId: string, origin: AuditOrigin = {}): Promise<User> {
    return await this.#change(actor, userId, origin, async (tx) => {
      await this.#parts.secondFactors.remove(tx, userId);
      await endSessions(tx, userId);
      return { action: 'secondFactor.reset' };
    });
  }

  /** Runs a change of one user with its audit record; null from `change`: there was nothing to do. */
  async #change(
    actor: Principal,
    userId: string,
    origin: AuditOrigin,
    change: (tx: Transaction<Schema>, user: User) => Promise<Change | null>,
  ): Promise<User> {
    const { database, roles, audit, sessions } = this.#parts;
    // Before the transaction: the rule may ask the database for itself.
    const { role } = await getUserRow(database.db, userId);
    await requireMayChange(roles, actor, { id: userId, role });
    const user = await database.transaction(async (tx) => {
      // Before any other user's row: two owners who remove each other come one after the other.
      await lockOwners(tx);
      const before = toUser(await getUserRow(tx, userId, true));
      if (before.role !== role) throw new ConflictError('The role of this user was changed meanwhile. Try again.');
      const done = await change(tx, before);
      if (done === null) return before;
      const target = { kind: 'user', id: userId };
      await audit.record(tx, { actor: auditActor(actor), outcome: 'success', target, origin, ...done });
      const after = toUser(await getUserRow(tx, userId));
      return after;
    });
    sessions.forget();
    await roles.changed();
    return user;
  }
}

async function setStatus(tx: Transaction<Schema>, userId: string, status: 'active' | 'deactivated'): Promise<void> {
  await tx
    .updateTable('users')
    .set({ status, version: sql`version + 1`, updated_at: sql`now()` })
    .where('id', '=', userId)
    .execute();
}
