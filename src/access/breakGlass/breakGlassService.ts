import { z } from 'zod';
import { type Clock, systemClock } from '../../core/clock.ts';
import { namedId, newIdName } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Database } from '../../store/database.ts';
import type { AccessChanges } from '../decisions/accessChanges.ts';
import { type Actor, makerOf, userIdOf } from '../decisions/actor.ts';
import { findIntegrationRef } from '../decisions/integrationRefs.ts';
import { permissionsMatching } from '../decisions/permissionNames.ts';
import { refuse } from '../decisions/powers.ts';
import { patternsSchema, scopeProblems } from '../decisions/ruleInput.ts';
import { type Scope, scopeSchema } from '../decisions/scope.ts';
import {
  type BreakGlass,
  countOpenBreakGlass,
  listBreakGlass,
  lockBreakGlass,
  toBreakGlass,
} from './breakGlassQueries.ts';
import { BreakGlassNotFoundError, BreakGlassOverError } from './errors.ts';
import { isClosedToBreakGlass, MAX_DURATION_SECONDS, MIN_REASON_CHARS } from './limits.ts';

const MAX_OPEN_PER_USER = 20;

export const requestBreakGlassSchema = z.strictObject({
  permissions: patternsSchema,
  scope: scopeSchema.default({ kind: 'all' }),
  reason: z.string().trim().min(MIN_REASON_CHARS).max(500),
  durationSeconds: z.int().min(60).max(MAX_DURATION_SECONDS),
});

export type RequestBreakGlassData = z.input<typeof requestBreakGlassSchema>;

/** More rights for some hours, with a reason and a second person. It ends by itself. */
export class BreakGlassService {
  readonly #database: Database;
  readonly #changes: AccessChanges;
  readonly #clock: Clock;

  constructor(database: Database, changes: AccessChanges, clock: Clock = systemClock) {
    this.#database = database;
    this.#changes = changes;
    this.#clock = clock;
  }

  /** Those of everybody for who may approve or see users, else one's own; up to `limit` after the id `after`. */
  async list(actor: Actor, after: string | null, limit: number): Promise<BreakGlass[]> {
    const powers = await this.#changes.powersOf(actor);
    const all = powers.has('breakGlass:approve') || powers.has('users:read');
    const page = { after, limit, nowMs: this.#clock.now() };
    return listBreakGlass(this.#database.db, all ? null : userIdOf(actor.principal), page);
  }

  /**
   * Opens nothing yet. `name` makes it repeatable: a request made under this name before is answered instead of a
   * second one.
   * @throws InvalidInputError, AccessDeniedError
   */
  async request(actor: Actor, data: RequestBreakGlassData, name: string = newIdName()): Promise<BreakGlass> {
    const input = parseInput(requestBreakGlassSchema, data, 'The request');
    const id = namedId('breakGlass', name);
    const target = { kind: 'breakGlass', id };
    return this.#changes.make(
      actor,
      { action: 'breakGlass.requested', target },
      async ({ tx, powers, nowMs, record }) => {
        powers.require('breakGlass:request');
        const userId = userIdOf(actor.principal);
        if (userId === null) throw problem('', 'The installation itself may do everything; break-glass is for users.');
        refuseClosed(input.permissions, input.scope);
        // The row lock keeps two requests from passing the limit together.
        await tx.selectFrom('users').select('id').where('id', '=', userId).forUpdate().executeTakeFirst();
        const made = await lockBreakGlass(tx, id, nowMs);
        if (made !== null) return made;
        if ((await countOpenBreakGlass(tx, userId, nowMs, MAX_OPEN_PER_USER)) >= MAX_OPEN_PER_USER)
          throw problem('', `${MAX_OPEN_PER_USER} requests are open, which is the limit. End one first.`);
        const row = await tx
          .insertInto('break_glass')
          .values({
            id,
            user_id: userId,
            permissions: input.permissions,
            scope_kind: input.scope.kind,
            scope_value: input.scope.kind === 'all' ? null : input.scope.value,
            reason: input.reason,
            duration_seconds: input.durationSeconds,
            requested_at: new Date(nowMs),
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        const requested = toBreakGlass(row, nowMs);
        await record({ action: 'breakGlass.requested', target, after: toAudit(requested) });
        return requested;
      },
    );
  }

  /**
   * Opens it from now on for as long as was asked for. By another person than asked, who holds what is opened.
   * @throws BreakGlassNotFoundError, BreakGlassOverError, AccessDeniedError
   */
  async approve(actor: Actor, id: string): Promise<BreakGlass> {
    const target = { kind: 'breakGlass', id };
    return this.#changes.make(
      actor,
      { action: 'breakGlass.approved', target },
      async ({ tx, powers, nowMs, record }) => {
        powers.require('breakGlass:approve');
        const stored = await lockBreakGlass(tx, id, nowMs);
        if (stored === null) throw new BreakGlassNotFoundError(id);
        // A key may lie in a program that whoever asks can read.
        if (actor.principal.kind !== 'user')
          refuse('An approval takes a person: sign in as another user than the one who asks.');
        const approverId = actor.principal.userId;
        if (approverId === stored.userId) refuse('Nobody approves their own request.');
        if (stored.status !== 'requested') throw new BreakGlassOverError(id, stored.status);
        const untilMs = nowMs + stored.durationSeconds * 1_000;
        const { scope } = stored;
        const integration = scope.kind === 'integration' ? await findIntegrationRef(tx, scope.value) : null;
        const opened = stored.permissions.flatMap(permissionsMatching).filter((one) => !isClosedToBreakGlass(one));
        powers.requireGift({ permissions: opened, scope, integration, untilMs });
        const row = await tx
          .updateTable('break_glass')
          .set({ approved_by: approverId, approved_at: new Date(nowMs), expires_at: new Date(untilMs) })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow();
        const approved = toBreakGlass(row, nowMs);
        await record({ action: 'breakGlass.approved', target, before: toAudit(stored), after: toAudit(approved) });
        return approved;
      },
    );
  }

  /**
   * Closes it before its time, or withdraws or refuses the request. By who asked or who may approve; to others it is
   * unknown.
   * @throws BreakGlassNotFoundError, BreakGlassOverError
   */
  async end(actor: Actor, id: string): Promise<BreakGlass> {
    const target = { kind: 'breakGlass', id };
    return this.#changes.make(actor, { action: 'breakGlass.ended', target }, async ({ tx, powers, nowMs, record }) => {
      const stored = await lockBreakGlass(tx, id, nowMs);
      const isTheirs = stored?.userId === userIdOf(actor.principal);
      if (stored === null || !(isTheirs || powers.has('breakGlass:approve'))) throw new BreakGlassNotFoundError(id);
      if (stored.status !== 'requested' && stored.status !== 'active') throw new BreakGlassOverError(id, stored.status);
      const row = await tx
        .updateTable('break_glass')
        .set({ ended_by: makerOf(actor.principal), ended_at: new Date(nowMs) })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      const ended = toBreakGlass(row, nowMs);
      await record({ action: 'breakGlass.ended', target, before: toAudit(stored), after: toAudit(ended) });
      return ended;
    });
  }
}

/** What is named and stays closed is refused; a pattern opens what of it may be opened. */
function refuseClosed(patterns: readonly string[], scope: Scope): void {
  const problems = scopeProblems(patterns, scope);
  patterns.forEach((pattern, index) => {
    if (permissionsMatching(pattern).every(isClosedToBreakGlass))
      problems.push({ pointer: `/permissions/${index}`, detail: `${pattern} is never opened by break-glass.` });
  });
  if (problems.length > 0) throw invalidInput('The request', problems);
}

function problem(pointer: string, detail: string) {
  return invalidInput('The request', [{ pointer, detail }]);
}

function toAudit(one: BreakGlass): JsonObject {
  const { userId, permissions, scope, reason, durationSeconds, status, approvedBy, expiresAt } = one;
  return {
    userId,
    permissions: [...permissions],
    scope: { ...scope },
    reason,
    durationSeconds,
    status,
    approvedBy,
    expiresAt,
  };
}
