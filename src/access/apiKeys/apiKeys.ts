import type { Transaction } from 'kysely';
import type { AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import { ConflictError } from '../../core/errors.ts';
import { namedId, newIdName } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { AccessSignal } from '../accessSignal.ts';
import type { Decider } from '../decider.ts';
import { type Actor, auditActor } from '../decisions/actor.ts';
import { AccessDeniedError, UserNotFoundError } from '../decisions/errors.ts';
import { requirePowerOver } from '../power.ts';
import type { Principal } from '../types.ts';
import {
  type ApiKeyRow,
  countLiveApiKeys,
  earlier,
  endOf,
  findApiKey,
  insertApiKey,
  listApiKeys,
  lockApiKey,
  revokeApiKeyRow,
  scopesOf,
  toApiKey,
} from './apiKeyQueries.ts';
import { ApiKeyNotFoundError } from './errors.ts';
import { makeKey } from './keyFormat.ts';
import { requireWithinOwn, requireWithinUser } from './keyLimits.ts';
import { type CreateApiKeyInput, createApiKeySchema, type RotateApiKeyInput, rotateApiKeySchema } from './schemas.ts';
import type { ApiKey, MadeApiKey } from './types.ts';

const MAX_KEYS_PER_USER = 100;
const DAY_MS = 86_400_000;

interface Dependencies {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly decider: Decider;
  readonly signal: AccessSignal;
  readonly clock: Clock;
}

/**
 * API keys: made, listed, rotated and revoked. A key acts for its user and never does more than they may; its secret
 * is shown once and kept as a hash.
 */
export class ApiKeys {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /**
   * Makes a key for a user: for oneself, or by the installation for anybody. `name` makes it repeatable: a key made
   * under this name before gets a new secret, and no second one is made.
   * A key that asks gives no more time than it has itself.
   * @throws InvalidInputError its scopes name something that the user may not do, or the user has 100 keys
   * @throws AccessDeniedError it would be wider than the key that asks, or belong to somebody else
   */
  async create(asker: Actor, userId: string, data: CreateApiKeyInput, name = newIdName()): Promise<MadeApiKey> {
    const { database, decider, clock } = this.#deps;
    const { principal } = asker;
    const input = parseInput(createApiKeySchema, data, 'The API key');
    const scopes = { permissions: input.permissions, integrationIds: input.integrationIds };
    // Who could make keys for others could act as anybody.
    if (principal.kind !== 'installation' && principal.userId !== userId)
      throw new AccessDeniedError('An API key is made by the user it acts for, or on the command line.');
    requireWithinOwn(principal, scopes);
    await requireActiveUser(database, userId);
    await requireWithinUser(database.db, decider, userId, scopes);
    const made = makeKey(namedId('apiKey', name));
    const wanted = input.expiresInDays === null ? null : new Date(clock.now() + input.expiresInDays * DAY_MS);
    const expiresAt = earlier(wanted, await this.#endOfAsker(principal));
    const row = await database.transaction(async (tx) => {
      await this.#lockUser(tx, userId, made.id);
      const stored = await insertApiKey(tx, {
        ...made,
        userId,
        name: input.name,
        scopes,
        expiresAt,
        rotatedFrom: null,
      });
      await this.#record(tx, asker, 'apiKey.created', stored);
      return stored;
    });
    await this.#deps.signal.announce();
    return { apiKey: toApiKey(row, clock.now()), key: made.text };
  }

  /** One page in the order they were made; `userId`: of this user only; `after`: the last id of the page before. */
  async list(userId: string | null, after: string | null, limit: number): Promise<ApiKey[]> {
    const rows = await listApiKeys(this.#deps.database.db, userId, after, limit);
    return rows.map((row) => toApiKey(row, this.#deps.clock.now()));
  }

  /** @throws ApiKeyNotFoundError */
  async get(id: string): Promise<ApiKey> {
    const row = await findApiKey(this.#deps.database.db, id);
    if (row === undefined) throw new ApiKeyNotFoundError(id);
    return toApiKey(row, this.#deps.clock.now());
  }

  /**
   * Makes a key of the same name, scopes and lifetime; the old one goes on working for the overlap, so that every
   * program can be given the new one in between. Of one's own keys only, because the answer can act as the user.
   * A key renews itself for its whole lifetime, and another one for no longer than it works itself.
   * @throws ApiKeyNotFoundError also for the keys of others
   * @throws ConflictError it is revoked, frozen, expired or rotated already
   */
  async rotate(asker: Actor, id: string, data: RotateApiKeyInput = {}, name = newIdName()): Promise<MadeApiKey> {
    const { database, clock } = this.#deps;
    const { overlapSeconds } = parseInput(rotateApiKeySchema, data, 'The rotation');
    const { user_id: userId } = await this.#own(asker, id);
    const made = makeKey(namedId('apiKey', name));
    const { principal } = asker;
    const renewsItself = principal.kind === 'apiKey' && principal.apiKeyId === id;
    const latest = renewsItself ? null : await this.#endOfAsker(principal);
    const row = await database.transaction(async (tx) => {
      await this.#lockUser(tx, userId, made.id);
      const old = await lockApiKey(tx, id);
      if (old === undefined) throw new ApiKeyNotFoundError(id);
      // Made by this request before, whose answer was lost: it gets a new secret, and the overlap stays as it was.
      const repeated = (await findApiKey(tx, made.id))?.rotated_from === id;
      if (!repeated) requireRotatable(toApiKey(old, clock.now()));
      const lifetimeMs = old.expires_at === null ? null : old.expires_at.getTime() - old.created_at.getTime();
      const stored = await insertApiKey(tx, {
        ...made,
        userId,
        name: old.name,
        scopes: scopesOf(old),
        expiresAt: earlier(lifetimeMs === null ? null : new Date(clock.now() + lifetimeMs), latest),
        rotatedFrom: id,
      });
      if (!repeated)
        await tx
          .updateTable('api_keys')
          .set({ overlap_until: new Date(clock.now() + overlapSeconds * 1000) })
          .where('id', '=', id)
          .execute();
      await this.#record(tx, asker, 'apiKey.rotated', stored);
      return stored;
    });
    await this.#deps.signal.announce();
    return { apiKey: toApiKey(row, clock.now()), key: made.text };
  }

  /** Ends one of the asker's own keys for good. @throws ApiKeyNotFoundError also for the keys of others */
  async revoke(asker: Actor, id: string): Promise<void> {
    await this.#own(asker, id);
    await this.#revoke(asker, id);
  }

  /** Ends anybody's key for good. @throws ApiKeyNotFoundError, AccessDeniedError its user is above the asker */
  async revokeAny(asker: Actor, id: string): Promise<void> {
    const { database, decider } = this.#deps;
    const user = await database.db
      .selectFrom('api_keys as k')
      .innerJoin('users as u', 'u.id', 'k.user_id')
      .select(['u.id', 'u.role'])
      .where('k.id', '=', id)
      .executeTakeFirst();
    if (user === undefined) throw new ApiKeyNotFoundError(id);
    await requirePowerOver(database.db, decider, asker.principal, user);
    await this.#revoke(asker, id);
  }

  async #revoke(asker: Actor, id: string): Promise<void> {
    const { database, signal } = this.#deps;
    await database.transaction(async (tx) => {
      const row = await lockApiKey(tx, id);
      if (row === undefined) throw new ApiKeyNotFoundError(id);
      if (row.status === 'revoked') return;
      await revokeApiKeyRow(tx, id);
      await this.#record(tx, asker, 'apiKey.revoked', row);
    });
    await signal.announce();
  }

  /** A key that the asker may manage: of their own user and, for a key, no wider than itself. */
  async #own({ principal }: Actor, id: string): Promise<ApiKeyRow> {
    const row = await findApiKey(this.#deps.database.db, id);
    if (row === undefined) throw new ApiKeyNotFoundError(id);
    if (principal.kind === 'installation') return row;
    if (row.user_id !== principal.userId) throw new ApiKeyNotFoundError(id);
    requireWithinOwn(principal, scopesOf(row));
    return row;
  }

  /** When the key that asks stops working; null: never, or a person or the installation asks. */
  async #endOfAsker(principal: Principal): Promise<Date | null> {
    if (principal.kind !== 'apiKey') return null;
    const row = await findApiKey(this.#deps.database.db, principal.apiKeyId);
    if (row === undefined) throw new ApiKeyNotFoundError(principal.apiKeyId);
    return endOf(row);
  }

  /** Concurrent requests of one user take turns, so that the limit holds. */
  async #lockUser(tx: Transaction<Schema>, userId: string, madeId: string): Promise<void> {
    const user = await tx.selectFrom('users').select('status').where('id', '=', userId).forUpdate().executeTakeFirst();
    if (user === undefined || user.status !== 'active') throw new UserNotFoundError(userId);
    if ((await countLiveApiKeys(tx, userId, madeId)) < MAX_KEYS_PER_USER) return;
    const detail = `${userId} has ${MAX_KEYS_PER_USER} API keys already, which is the limit. Revoke one first.`;
    throw invalidInput('The API key', [{ pointer: '', detail }]);
  }

  #record(tx: Transaction<Schema>, { principal, origin }: Actor, action: string, row: ApiKeyRow): Promise<void> {
    const { permissions, integrationIds } = scopesOf(row);
    return this.#deps.audit.record(tx, {
      actor: auditActor(principal),
      action,
      outcome: 'success',
      target: { kind: 'apiKey', id: row.id },
      origin,
      details: {
        userId: row.user_id,
        name: row.name,
        permissions: permissions === null ? null : [...permissions],
        integrationIds: integrationIds === null ? null : [...integrationIds],
        expiresAt: row.expires_at?.toISOString() ?? null,
        ...(row.rotated_from === null ? {} : { rotatedFrom: row.rotated_from }),
      },
    });
  }
}

async function requireActiveUser({ db }: Database, userId: string): Promise<void> {
  const user = await db.selectFrom('users').select('status').where('id', '=', userId).executeTakeFirst();
  if (user?.status !== 'active') throw new UserNotFoundError(userId);
}

function requireRotatable({ id, status, overlapUntil }: ApiKey): void {
  const why = status !== 'active' ? `is ${status}` : overlapUntil !== null ? 'was rotated already' : null;
  if (why === null) return;
  throw new ConflictError(`API key ${id} ${why}, so it cannot be rotated. Make a new one instead.`, {
    details: { apiKeyId: id },
  });
}
