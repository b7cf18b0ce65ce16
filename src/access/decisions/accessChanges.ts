import type { Transaction } from 'kysely';
import type { AuditEvent, AuditTrail } from '../../audit/types.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { AccessMap } from './accessMap.ts';
import { type Actor, auditActor } from './actor.ts';
import { AccessDeniedError } from './errors.ts';
import { Powers } from './powers.ts';

interface Dependencies {
  readonly database: Database;
  readonly map: AccessMap;
  readonly audit: AuditTrail;
  readonly clock?: Clock;
}

/** What a change is, as the audit log has it. */
type Change = Pick<AuditEvent, 'action' | 'target' | 'integrationId' | 'before' | 'after' | 'details'>;

/** What a change works with. */
export interface Changing {
  readonly tx: Transaction<Schema>;
  readonly powers: Powers;
  readonly nowMs: number;
  /** Records the change in its own transaction. */
  record(change: Change): Promise<void>;
}

/**
 * The one way to change access: with what the actor may, in one transaction with its audit event, and counting
 * before it is acknowledged. A refusal is recorded as well.
 */
export class AccessChanges {
  readonly #deps: Dependencies;
  readonly #clock: Clock;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
  }

  /**
   * @param attempt what is recorded when the actor may not
   * @throws AccessDeniedError, UnavailableError, and whatever `run` throws; nothing was changed then
   */
  async make<T>(
    actor: Actor,
    attempt: Pick<AuditEvent, 'action' | 'target'>,
    run: (changing: Changing) => Promise<T>,
  ): Promise<T> {
    const { database, map, audit } = this.#deps;
    const nowMs = this.#clock.now();
    const powers = new Powers(await map.fresh(), actor.principal, nowMs);
    const by = { actor: auditActor(actor.principal), origin: actor.origin };
    const result = await database
      .transaction((tx) =>
        run({
          tx,
          powers,
          nowMs,
          record: (change) => audit.record(tx, { ...by, outcome: 'success', ...change }),
        }),
      )
      .catch(async (error: unknown) => {
        if (error instanceof AccessDeniedError) {
          const details = { attempted: attempt.action, reason: error.message };
          await audit.record(database.db, {
            ...by,
            action: 'access.denied',
            outcome: 'denied',
            target: attempt.target,
            details,
          });
          error.recorded = true;
        }
        throw error;
      });
    await map.changed();
    return result;
  }

  /** What the actor may, for a read. @throws UnavailableError */
  async powersOf(actor: Actor): Promise<Powers> {
    return new Powers(await this.#deps.map.fresh(), actor.principal, this.#clock.now());
  }
}
