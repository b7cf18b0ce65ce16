import { actAs } from '../audit/acting.ts';
import { errorMessage } from '../core/errors.ts';
import { OncePerMinute } from '../core/oncePerMinute.ts';
import { type PollLoop, startPollLoop } from '../core/pollLoop.ts';
import { RunInterruption } from './errors.ts';
import { executeRun, type RunDependencies } from './runExecution.ts';
import { claimRuns, LEASE_MS, renewLeases, type SyncRunRow, toSyncRun } from './runQueries.ts';
import type { RunWatch } from './runWatch.ts';
import { fireDueSchedules } from './scheduler.ts';
import type { SyncRun } from './types.ts';

const IDLE_POLL_MS = 1_000;
/** A quarter of what it takes to stop a run, and far below the lease. */
const HEARTBEAT_MS = 500;
const RETRY_AFTER_ERROR_MS = 2_000;
/** Credentials that a run takes are released to it, whoever asked for it: that is in the event `sync.requested`. */
const SYNC = { actor: { kind: 'system', id: 'sync' } } as const;
/** Does nothing, as rarely as possible. */
const KEEP_ALIVE_MS = 2 ** 31 - 1;

interface WorkerDependencies extends RunDependencies {
  readonly watch: RunWatch;
  readonly onRunFinished?: (run: SyncRun) => Promise<void>;
}

interface ActiveRun {
  readonly row: SyncRunRow;
  readonly controller: AbortController;
  renewedAtMs: number;
}

/**
 * The part of this process in the work of all replicas: fires due schedules, and carries out queued runs, at most
 * `concurrency` at a time. An integration has one run at a time, so none takes more than one place, and the queue
 * is served in its order.
 */
export class SyncWorkers {
  readonly #deps: WorkerDependencies;
  readonly #concurrency: number;
  readonly #trouble: OncePerMinute;
  readonly #active = new Map<string, ActiveRun>();
  readonly #settled = new Set<Promise<void>>();
  #scheduler: PollLoop | null = null;
  #queue: PollLoop | null = null;
  #heartbeat: PollLoop | null = null;
  /** A run waits for what does not keep a process alive: the next of a poll loop, a connection of a pool. */
  #keepAlive: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: WorkerDependencies, concurrency: number) {
    this.#deps = deps;
    const say = (reason: string) => deps.log.warn('Syncing waits for the database', { reason });
    this.#trouble = new OncePerMinute(say, deps.clock);
    this.#concurrency = concurrency;
  }

  /** Starts to work; `schedules: false` leaves schedules to other processes. */
  start(options: { schedules: boolean }): void {
    if (this.#closed) return;
    const { clock } = this.#deps;
    this.#queue ??= startPollLoop(() => this.#guard(() => this.#claim()), clock);
    this.#heartbeat ??= startPollLoop(() => this.#guard(() => this.#renew()), clock);
    if (options.schedules) this.#scheduler ??= startPollLoop(() => this.#guard(() => this.#fire()), clock);
  }

  /** Something was queued by this process. */
  wake(): void {
    this.#queue?.wake();
  }

  /** Stops what this process runs for an integration; others notice the request in their heartbeat. */
  interrupt(integrationId: string): void {
    for (const { row, controller } of this.#active.values())
      if (row.integration_id === integrationId) controller.abort(new RunInterruption('stopped'));
  }

  /** Gives runs under way back to the queue, where another process finds them, and waits until this is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#scheduler?.stop(), this.#queue?.stop()]);
    for (const { controller } of this.#active.values()) controller.abort(new RunInterruption('shutdown'));
    await Promise.all(this.#settled);
    await this.#heartbeat?.stop();
  }

  async #fire(): Promise<number> {
    const { queued, waitMs } = await fireDueSchedules(this.#deps.database, this.#deps.log);
    if (queued > 0) this.wake();
    return waitMs;
  }

  async #claim(): Promise<number> {
    const free = this.#concurrency - this.#active.size;
    if (free <= 0) return IDLE_POLL_MS;
    const rows = await claimRuns(this.#deps.database.db, free);
    for (const row of rows) this.#execute(row);
    return IDLE_POLL_MS;
  }

  #execute(row: SyncRunRow): void {
    const { clock, log, watch, onRunFinished } = this.#deps;
    const run: ActiveRun = { row, controller: new AbortController(), renewedAtMs: clock.monotonicMs() };
    // A run that this process had lost and claimed again: its earlier execution may still be ending.
    this.#active.get(row.id)?.controller.abort(new RunInterruption('lease_lost'));
    this.#active.set(row.id, run);
    const ended = () => {
      if (this.#active.get(row.id) === run) this.#active.delete(row.id);
    };
    const work = async () => {
      const finished = await executeRun(this.#deps, row, run.controller.signal, () => watch.notify(row.id));
      ended();
      if (finished !== undefined) await onRunFinished?.(toSyncRun(finished));
    };
    const settled = actAs(SYNC, work)
      .catch((error: unknown) =>
        log.error('A sync run could not be ended', { runId: row.id, reason: errorMessage(error) }),
      )
      .finally(() => {
        ended();
        this.#settled.delete(settled);
        if (this.#settled.size === 0) this.#keepAlive = void clearInterval(this.#keepAlive);
        watch.notify(row.id);
        this.wake();
      });
    this.#settled.add(settled);
    this.#keepAlive ??= setInterval(() => {}, KEEP_ALIVE_MS);
  }

  async #renew(): Promise<number> {
    if (this.#active.size === 0) return HEARTBEAT_MS;
    const runs = [...this.#active.values()];
    const claims = runs.map(({ row }) => ({
      id: row.id,
      integrationId: row.integration_id,
      leaseToken: row.lease_token,
    }));
    const askedAtMs = this.#deps.clock.monotonicMs();
    const own = new Map((await renewLeases(this.#deps.database.db, claims)).map(({ id, stop }) => [id, stop]));
    for (const run of runs) {
      const stop = own.get(run.row.id);
      if (stop === undefined) run.controller.abort(new RunInterruption('lease_lost'));
      else if (stop) run.controller.abort(new RunInterruption('stopped'));
      else run.renewedAtMs = askedAtMs;
    }
    return HEARTBEAT_MS;
  }

  /** A database that is away for a while ends no loop. */
  async #guard(step: () => Promise<number>): Promise<number> {
    try {
      return await step();
    } catch (error) {
      this.#trouble.say(errorMessage(error));
      this.#dropExpired();
      return RETRY_AFTER_ERROR_MS;
    }
  }

  /** Without a sign of life for a lease, somebody else may have the run: no more calls for it. */
  #dropExpired(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const { controller, renewedAtMs } of this.#active.values())
      if (nowMs - renewedAtMs > LEASE_MS) controller.abort(new RunInterruption('lease_lost'));
  }
}
