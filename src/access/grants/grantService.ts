import { z } from 'zod';
import { namedId, newIdName } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Database } from '../../store/database.ts';
import type { AccessChanges, Changing } from '../decisions/accessChanges.ts';
import { type Actor, makerOf, userIdOf } from '../decisions/actor.ts';
import { UserNotFoundError } from '../decisions/errors.ts';
import { findIntegrationRef } from '../decisions/integrationRefs.ts';
import { refuse } from '../decisions/powers.ts';
import { patternsSchema, scopeProblems } from '../decisions/ruleInput.ts';
import { type Scope, scopeSchema } from '../decisions/scope.ts';
import { OWNER } from '../roles/builtInRoles.ts';
import type { IntegrationRef } from '../types.ts';
import { GrantNotFoundError } from './errors.ts';
import { countGrants, type Grant, listGrants, lockGrant, toGrant } from './grantQueries.ts';

const MAX_PER_USER = 1_000;

export const addGrantSchema = z.strictObject({
  effect: z.enum(['allow', 'deny']),
  permissions: patternsSchema,
  scope: scopeSchema.default({ kind: 'all' }),
  reason: z.string().trim().min(1).max(500),
  /** Default: it stays. */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

export type AddGrantData = z.input<typeof addGrantSchema>;

/** What single users may, or may not, do beside their role. */
export class GrantService {
  readonly #database: Database;
  readonly #changes: AccessChanges;

  constructor(database: Database, changes: AccessChanges) {
    this.#database = database;
    this.#changes = changes;
  }

  /**
   * Up to `limit` of a user's grants and denies after the id `after`, in the order they were made.
   * @throws UserNotFoundError
   */
  async list(userId: string, after: string | null, limit: number): Promise<Grant[]> {
    const { db } = this.#database;
    const user = await db.selectFrom('users').select('id').where('id', '=', userId).executeTakeFirst();
    if (user === undefined) throw new UserNotFoundError(userId);
    return listGrants(db, userId, after, limit);
  }

  /**
   * Nobody grants more than they may themselves. `name` makes it repeatable: a grant made under this name before is
   * answered instead of a second one.
   * @throws InvalidInputError, UserNotFoundError, AccessDeniedError
   */
  async add(actor: Actor, userId: string, data: AddGrantData, name: string = newIdName()): Promise<Grant> {
    const input = parseInput(addGrantSchema, data, 'The grant');
    const target = { kind: 'user', id: userId };
    return this.#changes.make(actor, { action: 'grant.added', target }, async (changing) => {
      const { tx, powers, nowMs, record } = changing;
      powers.require('roles:write');
      const untilMs = input.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(input.expiresAt);
      const problems = scopeProblems(input.permissions, input.scope);
      if (untilMs <= nowMs) problems.push({ pointer: '/expiresAt', detail: 'takes a time in the future.' });
      if (problems.length > 0) throw invalidInput('The grant', problems);
      const id = namedId('grant', name);
      const made = await lockGrant(tx, id);
      if (made !== null) return made;
      const integration = await seenIntegration(changing, input.scope);
      await this.#lockUser(changing, userId, input.effect);
      if (input.effect === 'allow') powers.requireGift({ ...input, integration, untilMs });
      const row = await tx
        .insertInto('grants')
        .values({
          id,
          user_id: userId,
          effect: input.effect,
          permissions: input.permissions,
          scope_kind: input.scope.kind,
          scope_value: input.scope.kind === 'all' ? null : input.scope.value,
          reason: input.reason,
          created_by: makerOf(actor.principal),
          created_at: new Date(nowMs),
          expires_at: input.expiresAt === undefined ? null : new Date(untilMs),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      const grant = toGrant(row);
      await record({ action: 'grant.added', target, after: toAudit(grant) });
      return grant;
    });
  }

  /**
   * Lifting a deny gives back what it kept away, so it takes holding that; and nobody lifts one about themselves.
   * @throws GrantNotFoundError, AccessDeniedError
   */
  async remove(actor: Actor, id: string): Promise<void> {
    const target = { kind: 'grant', id };
    await this.#changes.make(actor, { action: 'grant.removed', target }, async ({ tx, powers, nowMs, record }) => {
      powers.require('roles:write');
      const grant = await lockGrant(tx, id);
      if (grant === null) throw new GrantNotFoundError(id);
      const counts = grant.expiresAt === null || Date.parse(grant.expiresAt) > nowMs;
      if (grant.effect === 'deny' && counts) {
        if (grant.userId === userIdOf(actor.principal)) refuse('Nobody lifts a deny about themselves.');
        const { scope } = grant;
        const integration = scope.kind === 'integration' ? await findIntegrationRef(tx, scope.value) : null;
        powers.requireGift({ ...grant, integration, untilMs: Number.POSITIVE_INFINITY });
      }
      await tx.deleteFrom('grants').where('id', '=', id).execute();
      await record({ action: 'grant.removed', target: { kind: 'user', id: grant.userId }, before: toAudit(grant) });
    });
  }

  /** Keeps two additions from passing the limit together, and a deny from meeting a promotion to owner. */
  async #lockUser({ tx, nowMs }: Changing, userId: string, effect: 'allow' | 'deny'): Promise<void> {
    const user = await tx.selectFrom('users').select('role').where('id', '=', userId).forUpdate().executeTakeFirst();
    if (user === undefined) throw new UserNotFoundError(userId);
    if (effect === 'deny' && user.role === OWNER)
      throw invalidInput('The grant', [
        { pointer: '/effect', detail: 'An owner has no denies. Give the user another role instead.' },
      ]);
    if ((await countGrants(tx, userId, new Date(nowMs))) >= MAX_PER_USER) {
      const detail = `The user has ${MAX_PER_USER} grants, which is the limit. Make a role of them.`;
      throw invalidInput('The grant', [{ pointer: '', detail }]);
    }
  }
}

/** The integration that the scope names. One that the actor may not see is as good as unknown. */
async function seenIntegration({ tx, powers }: Changing, scope: Scope): Promise<IntegrationRef | null> {
  if (scope.kind !== 'integration') return null;
  const integration = await findIntegrationRef(tx, scope.value);
  if (integration !== null && powers.maySee(integration)) return integration;
  const detail = `There is no integration ${JSON.stringify(scope.value)}.`;
  throw invalidInput('The grant', [{ pointer: '/scope/value', detail }]);
}

function toAudit({ id, effect, permissions, scope, reason, expiresAt }: Grant): JsonObject {
  return { id, effect, permissions: [...permissions], scope: { ...scope }, reason, expiresAt };
}
