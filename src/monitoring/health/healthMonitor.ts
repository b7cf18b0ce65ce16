import type { Clock } from '../../core/clock.ts';
import { type PollLoop, startPollLoop } from '../../core/pollLoop.ts';
import type { RateLimitStoreState } from '../../rateLimits/types.ts';
import type { Database } from '../../store/database.ts';
import type { LoopDelay } from '../metrics/loopDelay.ts';
import type { SystemRecorder } from '../metrics/systemRecorder.ts';
import {
  type HealthCheck,
  type HealthObservation,
  HealthProbe,
  type HealthStatus,
  worstStatus,
} from './healthProbe.ts';
import { observeAlerting } from './observeAlerting.ts';
import { observeIntegrations } from './observeIntegrations.ts';
import { observeAuditLog, observeFailedLogins, observeKeys } from './observeSecurity.ts';
import { observeDatabase, observeMigrations, observeRateLimits, observeWorkers } from './observeServices.ts';
import { observeDisk, observeEventLoop, observeMeasurements, observeMemory } from './observeSystem.ts';

export const HEALTH_GROUPS = ['services', 'system', 'security', 'integrations'] as const;
export type HealthGroup = (typeof HEALTH_GROUPS)[number];

/** So that an answer that must not wait knows what was seen a moment ago. */
const LOOK_EVERY_MS = 5_000;
const LOOK_FOR_MS = 1_000;

export interface HealthReport {
  readonly status: HealthStatus;
  /** The worst of each group. */
  readonly groups: Readonly<Record<HealthGroup, HealthStatus>>;
  readonly checks: Readonly<Record<HealthGroup, Readonly<Record<string, HealthCheck>>>>;
}

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly system: SystemRecorder;
  readonly loopDelay: LoopDelay;
  readonly rateLimits: () => RateLimitStoreState;
  /** Whether alert rules are meant to be evaluated, here or elsewhere. */
  readonly alerting: boolean;
  /** Monotonic milliseconds since when this process watches; what was due before waits for it only since then. */
  readonly watchingSinceMs?: number;
}

/**
 * What every part of the product looks like now. Parts are looked at every five seconds, and when somebody asks, at
 * most once a second; nobody waits longer than they say for one that hangs.
 */
export class HealthMonitor {
  readonly #probes: Readonly<Record<HealthGroup, Readonly<Record<string, HealthProbe>>>>;
  readonly #clock: Clock;
  #loop: PollLoop | null = null;

  constructor(deps: Dependencies) {
    const { database, clock, system, loopDelay, rateLimits, alerting, watchingSinceMs = performance.now() } = deps;
    this.#clock = clock;
    const probe = (observe: () => Promise<HealthObservation> | HealthObservation) =>
      new HealthProbe(async () => observe(), clock);
    this.#probes = {
      services: {
        database: probe(() => observeDatabase(database)),
        migrations: probe(() => observeMigrations(database)),
        workers: probe(() => observeWorkers(database, watchingSinceMs)),
        rateLimits: probe(() => observeRateLimits(rateLimits())),
        ...(alerting ? { alerting: probe(() => observeAlerting(database, watchingSinceMs)) } : {}),
      },
      system: {
        eventLoop: probe(() => observeEventLoop(loopDelay.read())),
        memory: probe(() => observeMemory()),
        disk: probe(() => observeDisk(system.latest)),
        measurements: probe(() => observeMeasurements(system.writes, clock)),
      },
      security: {
        auditLog: probe(() => observeAuditLog(database)),
        failedLogins: probe(() => observeFailedLogins(database)),
        keys: probe(() => observeKeys(database)),
      },
      integrations: {
        integrations: probe(() => observeIntegrations(database)),
      },
    };
  }

  /** Looks by itself from now on. */
  start(): void {
    this.#loop ??= startPollLoop(async () => {
      await this.check(LOOK_FOR_MS);
      return LOOK_EVERY_MS;
    }, this.#clock);
  }

  async close(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Every part, each answer known within `waitMs`. */
  async check(waitMs: number): Promise<HealthReport> {
    const groups = await Promise.all(
      HEALTH_GROUPS.map(async (group) => {
        const checks = await Promise.all(
          Object.entries(this.#probes[group]).map(async ([name, probe]) => [name, await probe.check(waitMs)] as const),
        );
        return [group, Object.fromEntries(checks)] as const;
      }),
    );
    const checks = Object.fromEntries(groups) as Record<HealthGroup, Record<string, HealthCheck>>;
    const worst = Object.fromEntries(groups.map(([group, parts]) => [group, worstStatus(Object.values(parts))]));
    const statuses = worst as Record<HealthGroup, HealthStatus>;
    return { status: worstStatus(Object.values(statuses).map((status) => ({ status }))), groups: statuses, checks };
  }
}
