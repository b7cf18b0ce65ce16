import type { App } from '../app.ts';
import { systemClock } from '../core/clock.ts';
import { readMigrations } from '../store/migrate.ts';
import { type HealthCheck, type HealthObservation, HealthProbe } from './health.ts';

const DATABASE_DEADLINE_MS = 1_000;
const SCHEDULE_FAIL_S = 60;
const QUEUE_WARN_S = 60;
const LOOP_WARN_MS = 100;
const LOOP_FAIL_MS = 1_000;

const HEALTH_PARTS = ['database', 'migrations', 'workers', 'rateLimits', 'eventLoop'] as const;
type HealthPart = (typeof HEALTH_PARTS)[number];

/** Looks at the parts this process cannot work without; each answer comes within `waitMs`. */
export type CheckHealth = (waitMs: number) => Promise<Record<HealthPart, HealthCheck>>;

export function healthChecks(
  app: App,
  eventLoopDelayMs: () => number,
  watchingSinceMs = performance.now(),
): CheckHealth {
  const probes: Record<HealthPart, HealthProbe> = {
    database: new HealthProbe(() => observeDatabase(app), systemClock),
    migrations: new HealthProbe(() => observeMigrations(app), systemClock),
    workers: new HealthProbe(() => observeWorkers(app, watchingSinceMs), systemClock),
    rateLimits: new HealthProbe(async () => observeRateLimits(app), systemClock),
    eventLoop: new HealthProbe(async () => observeEventLoop(eventLoopDelayMs()), systemClock),
  };
  return async (waitMs) => {
    const entries = await Promise.all(
      HEALTH_PARTS.map(async (part) => [part, await probes[part].check(waitMs)] as const),
    );
    return Object.fromEntries(entries) as Record<HealthPart, HealthCheck>;
  };
}

async function observeDatabase({ database }: App): Promise<HealthObservation> {
  const startedMs = performance.now();
  await query(database, 'select 1');
  return { status: 'pass', observedValue: Math.round(performance.now() - startedMs), observedUnit: 'ms' };
}

async function observeMigrations({ database }: App): Promise<HealthObservation> {
  const wanted = (await readMigrations()).at(-1)!;
  const { rows } = await query<{ version: number | null }>(
    database,
    'select max(version) as version from schema_migrations',
  );
  const version = rows[0]?.version ?? 0;
  // A newer replica may have gone ahead; migrations keep the version before them working.
  if (version >= wanted.version) return { status: 'pass', observedValue: version };
  return {
    status: 'fail',
    observedValue: version,
    output: `The database is at migration ${version}, this version needs ${wanted.version}. Run "npm run migrate".`,
  };
}

/**
 * Whether anybody, here or in another process, takes the work that is due. Firing a schedule costs almost nothing,
 * so one that waits long has nobody to fire it; a queued run may also wait for its turn.
 */
async function observeWorkers({ database }: App, watchingSinceMs: number): Promise<HealthObservation> {
  const { rows } = await query<{ schedule_s: number | null; queue_s: number | null }>(
    database,
    `select extract(epoch from now() - (select min(next_due_at) from sync_schedules))::float8 as schedule_s,
            extract(epoch from now() - (select min(queued_at) from sync_runs where status = 'queued'))::float8 as queue_s`,
  );
  // What became due while everything was down waits for this process only since it is there.
  const watchedS = (performance.now() - watchingSinceMs) / 1000;
  const scheduleLag = Math.min(watchedS, Math.max(0, rows[0]?.schedule_s ?? 0));
  const queueLag = Math.min(watchedS, Math.max(0, rows[0]?.queue_s ?? 0));
  const observed = { observedValue: Math.round(Math.max(scheduleLag, queueLag)), observedUnit: 's' };
  if (scheduleLag > SCHEDULE_FAIL_S)
    return { status: 'fail', ...observed, output: 'Schedules are due and no process fires them.' };
  if (queueLag > QUEUE_WARN_S)
    return { status: 'warn', ...observed, output: 'Syncs wait in the queue: too few workers, or none.' };
  return { status: 'pass', ...observed };
}

/** Without their store limits are still kept, only less evenly, so nothing fails. */
function observeRateLimits({ rateLimitingService }: App): HealthObservation {
  const { name, state, lostSince, replicas } = rateLimitingService.storeState();
  if (state === 'ok') return { status: 'pass', observedValue: name };
  return {
    status: 'warn',
    observedValue: name,
    output: `The store of rate limits does not answer since ${lostSince}; each of ${replicas} replicas allows its part.`,
  };
}

function query<Row extends object>(database: App['database'], text: string) {
  // Its own deadline: a connection that hangs is given up and not used again.
  return database.pool.query<Row>({ text, query_timeout: DATABASE_DEADLINE_MS } as { text: string });
}

function observeEventLoop(delayMs: number): HealthObservation {
  const observed = { observedValue: Math.round(delayMs), observedUnit: 'ms' };
  if (delayMs < LOOP_WARN_MS) return { status: 'pass', ...observed };
  return {
    status: delayMs < LOOP_FAIL_MS ? 'warn' : 'fail',
    ...observed,
    output: 'The process has more work than it can do in time.',
  };
}
