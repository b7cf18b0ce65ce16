import { randomUUID } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { CompiledQuery, sql, type Transaction } from 'kysely';
import { type ConstructorOptions, type JobWithMetadata, PgBoss } from 'pg-boss';
import { errorMessage } from '../core/errors.ts';
import { lazy } from '../core/lazy.ts';
import { OncePerMinute } from '../core/oncePerMinute.ts';
import { inSpan } from '../core/tracing.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { UnknownJobError } from './errors.ts';

/** Does one job. Runs again after a failure or a crash, so doing it twice must be as good as once. */
type JobHandler<P extends object> = (payload: P, signal: AbortSignal) => Promise<void>;

interface JobOptions {
  /** After this many seconds the signal fires and the job counts as failed. Default 900. */
  readonly deadlineSeconds?: number;
  /** How often a failed job is tried again, with growing waits, before it goes to the dead letters. Default 5. */
  readonly retryLimit?: number;
  /** Runs it, with an empty payload, at these times (UTC, five fields): once, however many processes there are. */
  readonly cron?: string;
}

interface EnqueueOptions {
  /** The job exists if and only if this transaction commits. */
  readonly tx?: Transaction<Schema>;
  /** While a job of this name and key waits, another is not added. One that runs already does not count. */
  readonly singletonKey?: string;
  readonly delayMs?: number;
}

/** Durable jobs in the database that everything else is in. */
export interface Jobs {
  /** Says how jobs of this name are done; before `start`. */
  define<P extends object>(name: string, handler: JobHandler<P>, options?: JobOptions): void;
  /** Begins to take jobs. */
  start(): Promise<void>;
  /** Aborts running handlers, whose jobs are then tried again, here or elsewhere, and stops taking jobs. */
  stop(): Promise<void>;
  /** Adds a job; works without `start`, for a process that leaves the work to others. */
  enqueue(name: string, payload: object, options?: EnqueueOptions): Promise<void>;
}

interface Definition {
  readonly handler: JobHandler<object>;
  readonly options: JobOptions;
}

const START_LOCK_KEY = 7_204_118_305;
const DEAD_LETTERS = 'dead_letters';
const WORK_OPTIONS = { includeMetadata: true, pollingIntervalSeconds: 1 } as const;
const STOP_TIMEOUT_MS = 10_000;

/** A job whose worker has not been heard of for this long is given to another one. */
const HEARTBEAT_SECONDS = 10;

export function createJobs(database: Database, log: (line: string) => void): Jobs {
  const definitions = new Map<string, Definition>();
  const stopping = new AbortController();
  const ensured = new Map<string, () => Promise<void>>();
  const workers = new Map<string, string>();
  let current: PgBoss | undefined;

  const open = lazy(async () => {
    const boss = new PgBoss(bossOptions(database));
    current = boss;
    const trouble = new OncePerMinute(log);
    // Each worker adds its name; the trouble is that of the database, which all of them meet every second.
    boss.on('error', (error) => trouble.say(`jobs: ${errorMessage(error).replace(/ \(Queue: .*\)$/, '')}`));
    boss.on('warning', (warning) => log(`jobs: ${warning.message}`));
    // One process at a time makes or upgrades pg-boss's tables: its own lock does not keep two first starts apart
    // (12.38: CREATE SCHEMA IF NOT EXISTS behind the lock may fail on what a session cached before it waited).
    await database.transaction(async (tx) => {
      await sql`select pg_advisory_xact_lock(${START_LOCK_KEY})`.execute(tx);
      await boss.start();
      await boss.createQueue(DEAD_LETTERS, { retentionSeconds: 30 * 86_400 });
    });
    return boss;
  });

  /** The queue of a job, made or adjusted at its first use by this process. */
  const openQueue = async (name: string) => {
    const definition = definitions.get(name);
    if (!definition) throw new UnknownJobError(`No job is called ${name}.`);
    const boss = await open();
    let ensure = ensured.get(name);
    if (!ensure) {
      ensure = lazy(() => ensureQueue(boss, name, definition.options));
      ensured.set(name, ensure);
    }
    await ensure();
    return boss;
  };

  const wake = (boss: PgBoss, name: string) => {
    const worker = workers.get(name);
    if (worker) boss.notifyWorker(worker);
  };

  const work = async (name: string, { handler, options }: Definition) => {
    const boss = await openQueue(name);
    const worker = await boss.work(name, WORK_OPTIONS, async ([job]: JobWithMetadata[]) => {
      try {
        const signal = AbortSignal.any([job!.signal, stopping.signal]);
        // Taken in the moment in which the process was told to stop: whoever only listens would not hear of it.
        signal.throwIfAborted();
        const attributes = {
          'messaging.system': 'pg-boss',
          'messaging.message.id': job!.id,
          'job.retry': job!.retryCount,
        };
        const settings = { kind: SpanKind.CONSUMER, root: true, attributes };
        await inSpan(`job ${name}`, settings, () => handler(job!.data as object, signal));
      } catch (error) {
        log(`jobs: ${name} failed (try ${job!.retryCount + 1} of ${job!.retryLimit + 1}): ${errorMessage(error)}`);
        throw error;
      } finally {
        // The next one at once; without this, one job would be taken a polling interval.
        wake(boss, name);
      }
    });
    workers.set(name, worker);
    if (options.cron) await boss.schedule(name, options.cron, {}, { tz: 'UTC' });
    else await boss.unschedule(name);
  };

  return {
    define(name, handler, options = {}) {
      definitions.set(name, { handler: handler as JobHandler<object>, options });
    },
    async start() {
      for (const [name, definition] of definitions) await work(name, definition);
    },
    async stop() {
      stopping.abort();
      await current?.stop({ graceful: true, timeout: STOP_TIMEOUT_MS });
    },
    async enqueue(name, payload, { tx, singletonKey, delayMs } = {}) {
      const boss = await openQueue(name);
      await boss.send(name, payload, {
        // Under the policy `stately` a missing key would make all jobs of the queue share one.
        singletonKey: singletonKey ?? randomUUID(),
        ...(delayMs && { startAfter: new Date(Date.now() + delayMs) }),
        ...(tx && { db: { executeSql: (text, values) => tx.executeQuery(CompiledQuery.raw(text, values)) as never } }),
      });
      if (!tx) wake(boss, name);
    },
  };
}

function bossOptions({ pool }: Database): ConstructorOptions {
  return {
    // Our pool: bounded, and nothing that pg-boss does through it needs a session of its own.
    db: { executeSql: (text, values) => pool.query(text, values) },
    useListenNotify: false,
    registerInstance: false,
    // Look for lost heartbeats every second; the default is once a minute.
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
    cronMonitorIntervalSeconds: 10,
    cronWorkerIntervalSeconds: 1,
    clock: patientClock,
  };
}

/** Timers that do not keep a program running which has nothing else to do. */
const patientClock: ConstructorOptions['clock'] = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  setInterval: (run, ms) => setInterval(run, ms).unref(),
  clearInterval: (timer) => clearInterval(timer as NodeJS.Timeout),
};

async function ensureQueue(boss: PgBoss, name: string, options: JobOptions): Promise<void> {
  const settings = {
    deadLetter: DEAD_LETTERS,
    expireInSeconds: options.deadlineSeconds ?? 900,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    retryLimit: options.retryLimit ?? 5,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 600,
    deleteAfterSeconds: 86_400,
  };
  // stately: of one key, at most one job waits and at most one runs.
  await boss.createQueue(name, { ...settings, policy: 'stately' });
  // A queue that exists keeps its old settings until told.
  await boss.updateQueue(name, settings);
}
