import type { AuditTrail } from '../audit/types.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Database } from '../store/database.ts';
import type { Budget } from './budgets.ts';
import { deleteStaleLearned, LearnedLimits } from './learnedLimits.ts';
import type { Limiter } from './limiter.ts';
import { LimitSettings } from './limitSettings.ts';
import { MemoryLimiter } from './memoryLimiter.ts';
import { OutgoingBudgets } from './outgoingBudgets.ts';
import { PostgresLimitStore } from './postgresLimitStore.ts';
import { RateLimitingService } from './rateLimitingService.ts';
import { ShareChanges } from './shareChanges.ts';
import { SharedLimiter } from './sharedLimiter.ts';

const DELETE_BATCH_ROWS = 5_000;

interface Parts {
  readonly config: Config;
  readonly database: Database;
  readonly jobs: Jobs;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly log: Log;
  readonly budgetsOf: (integrationId: string) => Promise<readonly Budget[] | undefined>;
}

/** What limits calls, of the service's callers and of the pipeline. */
export interface RateLimits {
  readonly outgoing: OutgoingBudgets;
  readonly settings: LimitSettings;
  readonly service: RateLimitingService;
  /** Gives back what is held. */
  close(): Promise<void>;
}

/**
 * Limits counted in Redis where `REDIS_URL` is set, else in the database of `DATABASE_URL`, else, as nobody else can
 * share the embedded database, in memory. Connects and asks nothing before the first call.
 */
export async function openRateLimits(parts: Parts): Promise<RateLimits> {
  const { config, database, clock, log } = parts;
  const settings = new LimitSettings(parts);
  const limiter = await limiterOf(parts, () => settings.replicas);
  const shareChanges = new ShareChanges({ clock, log });
  const learned = new LearnedLimits({
    database,
    replicaId: settings.replicaId,
    hear: (one) => outgoing.hear(one),
  });
  const outgoing = new OutgoingBudgets({
    limiter,
    settings,
    defaultBudget: config.defaultRateLimit,
    clock,
    budgetsOf: parts.budgetsOf,
    changed: (integrationId, change) => shareChanges.add(integrationId, change),
    tell: (one) => learned.tell(one),
  });
  settings.onChange(() => outgoing.keys.wakeAll());
  if (limiter.isShared) settings.alsoRead(() => learned.read());
  const defaultBudget = config.defaultRateLimit;
  const service = new RateLimitingService({ limiter, settings, outgoing, defaultBudget, clock, log, shareChanges });
  parts.jobs.define('rateLimits.deleteIdle', (_payload, signal) => deleteIdle(database, signal), {
    cron: '*/5 * * * *',
  });
  return {
    outgoing,
    settings,
    service,
    close: async () => {
      await service.close();
      await limiter.close();
      await settings.close();
      await learned.flush();
    },
  };
}

async function limiterOf({ config, database, clock, log }: Parts, replicas: () => number): Promise<Limiter> {
  if (config.redisUrl !== null) {
    const { RedisLimitStore } = await import('./redisLimitStore.ts');
    return new SharedLimiter({ store: new RedisLimitStore({ url: config.redisUrl }), clock, log, replicas });
  }
  if (config.databaseUrl === null) return new MemoryLimiter({ clock });
  return new SharedLimiter({ store: new PostgresLimitStore({ database }), clock, log, replicas });
}

/** In small transactions, so that nobody waits long for a lock. */
async function deleteIdle(database: Database, signal: AbortSignal): Promise<void> {
  const store = new PostgresLimitStore({ database });
  do signal.throwIfAborted();
  while ((await store.deleteIdle(DELETE_BATCH_ROWS)) === DELETE_BATCH_ROWS);
  // Replicas that died without saying so.
  await database.db
    .deleteFrom('rate_limit_replicas')
    .where('seen_at', '<', new Date(Date.now() - 3_600_000))
    .execute();
  await deleteStaleLearned(database);
}
