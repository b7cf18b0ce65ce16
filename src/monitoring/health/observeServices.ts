import type { RateLimitStoreState } from '../../rateLimits/types.ts';
import type { Database } from '../../store/database.ts';
import { readMigrations } from '../../store/migrate.ts';
import type { HealthObservation } from './healthProbe.ts';
import { query } from './query.ts';

const SCHEDULE_FAIL_S = 60;
const QUEUE_WARN_S = 60;

export async function observeDatabase(database: Database): Promise<HealthObservation> {
  const startedMs = performance.now();
  await query(database, 'select 1');
  return { status: 'pass', observedValue: Math.round(performance.now() - startedMs), observedUnit: 'ms' };
}

export async function observeMigrations(database: Database): Promise<HealthObservation> {
  const wanted = (await readMigrations()).at(-1)!;
  const { rows } = await query<{ version: number | null }>(
    database,
    'select max(version) as version from schema_migrations',
  );
  const version = rows[0]?.version ?? 0;
  // A newer replica may have gone ahead; migrations keep the version before them working.
  if (version >= wanted.version) return { status: 'pass', observedValue: version, threshold: wanted.version };
  return {
    status: 'fail',
    observedValue: version,
    threshold: wanted.version,
    output: `The database is at migration ${version}, this version needs ${wanted.version}. Run "npm run migrate".`,
  };
}

/**
 * Whether anybody, here or in another process, takes the work that is due. Firing a schedule costs almost nothing,
 * so one that waits long has nobody to fire it; a queued run may also wait for its turn.
 */
export async function observeWorkers(database: Database, watchingSinceMs: number): Promise<HealthObservation> {
  const { rows } = await query<{ schedule_s: number | null; queue_s: number | null }>(
    database,
    `select extract(epoch from now() - (select min(next_due_at) from sync_schedules))::float8 as schedule_s,
            extract(epoch from now() - (select min(queued_at) from sync_runs where status = 'queued'))::float8 as queue_s`,
  );
  // What became due while everything was down waits for this process only since it is there.
  const watchedS = (performance.now() - watchingSinceMs) / 1000;
  const scheduleLag = Math.min(watchedS, Math.max(0, rows[0]?.schedule_s ?? 0));
  const queueLag = Math.min(watchedS, Math.max(0, rows[0]?.queue_s ?? 0));
  const observed = {
    observedValue: Math.round(Math.max(scheduleLag, queueLag)),
    observedUnit: 's',
    threshold: QUEUE_WARN_S,
  };
  if (scheduleLag > SCHEDULE_FAIL_S)
    return { status: 'fail', ...observed, output: 'Schedules are due and no process fires them.' };
  if (queueLag > QUEUE_WARN_S)
    return { status: 'warn', ...observed, output: 'Syncs wait in the queue: too few workers, or none.' };
  return { status: 'pass', ...observed };
}

/** Without their store limits are still kept, only less evenly, so nothing fails. */
export function observeRateLimits({ name, state, lostSince, replicas }: RateLimitStoreState): HealthObservation {
  if (state === 'ok') return { status: 'pass', observedValue: name };
  return {
    status: 'warn',
    observedValue: name,
    output: `The store of rate limits does not answer since ${lostSince}; each of ${replicas} replicas allows its part.`,
  };
}
