import { type Kysely, sql, type Transaction } from 'kysely';
import type { AuditTrail } from '../../audit/types.ts';
import { ConflictError } from '../../core/errors.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { AccessSignal } from '../accessSignal.ts';
import { lockApiKey } from '../apiKeys/apiKeyQueries.ts';
import { ApiKeyNotFoundError } from '../apiKeys/errors.ts';
import type { Decider } from '../decider.ts';
import { type Actor, auditActor } from '../decisions/actor.ts';
import { AccessDeniedError, UserNotFoundError } from '../decisions/errors.ts';
import { requirePowerOver } from '../power.ts';
import { lockOwners, refuseLastOwner } from '../roles/lastOwner.ts';
import type { Principal } from '../types.ts';

/** What is frozen: a user with all that acts for them, or one key. */
export type FreezeTarget = { readonly userId: string } | { readonly apiKeyId: string };

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly decider: Decider;
  readonly signal: AccessSignal;
  /** Ends every session of a user, and every link that could begin one, in the transaction of the freeze. */
  readonly endSessions: (tx: Transaction<Schema>, userId: string) => Promise<unknown>;
}

type Status = 'active' | 'frozen' | 'deactivated' | 'revoked';

/**
 * Stops a compromised account or key everywhere within a second, and undoes it. A frozen user's keys work again when
 * they are unfrozen, because programs depend on them; sessions are ended for good, because one of them may be the
 * attacker's, and signing in again costs a person a moment.
 */
export class Freezer {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /**
   * One that is frozen already is left as it is.
   * @throws UserNotFoundError, ApiKeyNotFoundError
   * @throws AccessDeniedError the user is above the asker
   * @throws LastOwnerError nobody would be left to undo it
   * @throws ConflictError it is deactivated or revoked
   */
  async freeze(asker: Actor, target: FreezeTarget, reason: string): Promise<void> {
    await this.#change(asker, target, 'frozen', reason);
  }

  /** One that is not frozen is left as it is. @throws as `freeze` does */
  async unfreeze(asker: Actor, target: FreezeTarget): Promise<void> {
    await this.#change(asker, target, 'active', null);
  }

  async #change(asker: Actor, target: FreezeTarget, to: 'active' | 'frozen', reason: string | null): Promise<void> {
    const { database, decider, signal } = this.#deps;
    await requirePowerOver(database.db, decider, asker.principal, await userOf(database.db, target));
    await database.transaction((tx) =>
      'userId' in target
        ? this.#changeUser(tx, asker, target.userId, to, reason)
        : this.#changeKey(tx, asker, target.apiKeyId, to, reason),
    );
    await signal.announce();
  }

  async #changeUser(
    tx: Transaction<Schema>,
    asker: Actor,
    userId: string,
    to: 'active' | 'frozen',
    reason: string | null,
  ): Promise<void> {
    const owners = await lockOwners(tx);
    const user = await tx
      .selectFrom('users')
      .select(['role', 'status', 'frozen_reason'])
      .where('id', '=', userId)
      .forUpdate()
      .executeTakeFirst();
    if (user === undefined) throw new UserNotFoundError(userId);
    // Looked at again under the lock: the asker may have been frozen this very moment.
    if (user.role === 'owner') requireOwner(asker.principal, owners);
    if (!changes('User', userId, user.status, to)) return;
    if (to === 'frozen') refuseLastOwner(owners, userId);
    await tx
      .updateTable('users')
      .set({ status: to, frozen_reason: reason, version: sql`version + 1`, updated_at: sql`now()` })
      .where('id', '=', userId)
      .execute();
    if (to === 'frozen') await this.#deps.endSessions(tx, userId);
    await this.#record(tx, asker, { kind: 'user', id: userId }, user.frozen_reason, to, reason);
  }

  async #changeKey(
    tx: Transaction<Schema>,
    asker: Actor,
    apiKeyId: string,
    to: 'active' | 'frozen',
    reason: string | null,
  ): Promise<void> {
    const key = await lockApiKey(tx, apiKeyId);
    if (key === undefined) throw new ApiKeyNotFoundError(apiKeyId);
    if (!changes('API key', apiKeyId, key.status, to)) return;
    await tx.updateTable('api_keys').set({ status: to, frozen_reason: reason }).where('id', '=', apiKeyId).execute();
    await this.#record(tx, asker, { kind: 'apiKey', id: apiKeyId }, key.frozen_reason, to, reason);
  }

  #record(
    tx: Transaction<Schema>,
    { principal, origin }: Actor,
    target: { kind: 'user' | 'apiKey'; id: string },
    reasonBefore: string | null,
    to: 'active' | 'frozen',
    reason: string | null,
  ): Promise<void> {
    return this.#deps.audit.record(tx, {
      actor: auditActor(principal),
      action: `${target.kind}.${to === 'frozen' ? 'frozen' : 'unfrozen'}`,
      outcome: 'success',
      target,
      origin,
      before: { status: to === 'frozen' ? 'active' : 'frozen', frozenReason: reasonBefore },
      after: { status: to, frozenReason: reason },
    });
  }
}

function requireOwner(principal: Principal, owners: readonly string[]): void {
  if (principal.kind === 'installation' || owners.includes(principal.userId)) return;
  throw new AccessDeniedError('Only an active owner freezes and unfreezes owners.');
}

/** Whether there is something to change. @throws ConflictError */
function changes(what: string, id: string, from: Status, to: 'active' | 'frozen'): boolean {
  if (from === to) return false;
  if (from === 'active' || from === 'frozen') return true;
  throw new ConflictError(`${what} ${id} is ${from}, so there is nothing to freeze or unfreeze.`);
}

async function userOf(db: Kysely<Schema>, target: FreezeTarget): Promise<{ id: string; role: string }> {
  const users = db.selectFrom('users as u').select(['u.id', 'u.role']);
  if ('userId' in target) {
    const user = await users.where('u.id', '=', target.userId).executeTakeFirst();
    if (user === undefined) throw new UserNotFoundError(target.userId);
    return user;
  }
  const user = await users
    .innerJoin('api_keys as k', 'k.user_id', 'u.id')
    .where('k.id', '=', target.apiKeyId)
    .executeTakeFirst();
  if (user === undefined) throw new ApiKeyNotFoundError(target.apiKeyId);
  return user;
}
