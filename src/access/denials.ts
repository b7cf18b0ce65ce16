import type { AuditActor, AuditEvent, AuditOrigin, AuditTrail } from '../audit/types.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type PollLoop, startPollLoop } from '../core/pollLoop.ts';
import type { Database } from '../store/database.ts';

/** Denials of one actor at one route within it are one event and a count. */
const WINDOW_MS = 60_000;
const SWEEP_MS = 5_000;
/** Actors and routes counted at once; beyond them only the sum is kept. */
const MAX_COUNTED = 5_000;

export interface Denial {
  readonly actor: AuditActor;
  /** Such as `POST /api/v1/integrations/:id/sync`. */
  readonly route: string;
  readonly reason: string;
  readonly permission?: string;
  readonly integrationId?: string;
  readonly origin?: AuditOrigin;
}

interface Counted {
  readonly denial: Denial;
  readonly untilMs: number;
  /** Since the one that was recorded. */
  repeated: number;
}

/**
 * Records denials in the audit log, so that a flood of them does not fill it: the first of an actor at a route at
 * once, before it is answered; those of the following minute as one event with their number.
 */
export class DenialLog {
  readonly #deps: { database: Database; audit: AuditTrail; log: Log; clock: Clock };
  readonly #counted = new Map<string, Counted>();
  readonly #loop: PollLoop;
  #uncounted = 0;

  constructor(deps: { database: Database; audit: AuditTrail; log: Log; clock?: Clock }) {
    this.#deps = { ...deps, clock: deps.clock ?? systemClock };
    this.#loop = startPollLoop(async () => {
      await this.#sweep(this.#deps.clock.monotonicMs());
      return SWEEP_MS;
    }, this.#deps.clock);
  }

  /** Never throws: what cannot be recorded is denied all the same, and is in the log. */
  async note(denial: Denial): Promise<void> {
    const nowMs = this.#deps.clock.monotonicMs();
    const key = JSON.stringify([denial.actor.kind, denial.actor.id, denial.route]);
    const counted = this.#counted.get(key);
    if (counted !== undefined && counted.untilMs > nowMs) {
      counted.repeated++;
      return;
    }
    if (counted === undefined && this.#counted.size >= MAX_COUNTED) {
      this.#uncounted++;
      return;
    }
    this.#counted.set(key, { denial, untilMs: nowMs + WINDOW_MS, repeated: 0 });
    if (counted !== undefined && counted.repeated > 0) await this.#record(toEvent(counted.denial, counted.repeated));
    await this.#record(toEvent(denial, 0));
  }

  /** Records what was only counted so far. */
  async close(): Promise<void> {
    await this.#loop.stop();
    await this.#sweep(Number.POSITIVE_INFINITY);
  }

  async #sweep(nowMs: number): Promise<void> {
    for (const [key, { denial, untilMs, repeated }] of this.#counted) {
      if (untilMs > nowMs) continue;
      this.#counted.delete(key);
      if (repeated > 0) await this.#record(toEvent(denial, repeated));
    }
    if (this.#uncounted === 0) return;
    const denials = this.#uncounted;
    this.#uncounted = 0;
    await this.#record({
      actor: { kind: 'system', id: 'guard' },
      action: 'access.denied',
      outcome: 'denied',
      details: { denials, reason: `More than ${MAX_COUNTED} actors and routes were denied at the same time.` },
    });
  }

  async #record(event: AuditEvent): Promise<void> {
    const { database, audit, log } = this.#deps;
    try {
      await audit.record(database.db, event);
    } catch (error) {
      log.error('A denial could not be recorded', { actor: event.actor.id, reason: errorMessage(error) });
    }
  }
}

function toEvent({ actor, route, reason, permission, integrationId, origin }: Denial, repeated: number): AuditEvent {
  return {
    actor,
    action: 'access.denied',
    outcome: 'denied',
    ...(integrationId === undefined ? {} : { integrationId, target: { kind: 'integration', id: integrationId } }),
    ...(origin === undefined ? {} : { origin }),
    details: {
      route,
      reason,
      ...(permission === undefined ? {} : { permission }),
      ...(repeated > 0 ? { repeated } : {}),
    },
  };
}
