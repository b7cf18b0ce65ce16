import type { Clock } from '../core/clock.ts';
import { AbortedError, ConflictError, InvalidInputError, UnavailableError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import { currentTraceParent } from '../core/tracing.ts';
import type { Database } from '../store/database.ts';
import { SyncRunNotFoundError } from './errors.ts';
import { findActiveRun, findRun, insertRun, LEASE_MS, requestStop, type SyncRunRow, toSyncRun } from './runQueries.ts';
import type { RunWatch } from './runWatch.ts';
import type { SyncOptions, SyncResult, SyncRun } from './types.ts';
import type { SyncWorkers } from './workers.ts';

/** How often a run of another process is looked at; one of this process tells by itself. */
const POLL_MS = 200;
const STOP_DEADLINE_MS = LEASE_MS + 7_000;

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly watch: RunWatch;
  readonly workers: SyncWorkers;
  readonly onRunFinished?: (run: SyncRun) => Promise<void>;
}

export interface RunRequest extends Pick<SyncOptions, 'fullRefresh' | 'streams'> {
  readonly trigger: 'schedule' | 'manual';
}

/** Asks for runs, waits for them and stops them, whichever process carries them out. */
export class RunControl {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** @throws ConflictError when the integration was deleted */
  async request(integrationId: string, { trigger, fullRefresh = false, streams }: RunRequest): Promise<SyncRun> {
    if (streams?.length === 0) {
      const detail = 'takes at least one stream; leave it out for all.';
      throw new InvalidInputError(`streams ${detail}`, [{ pointer: '/streams', detail }]);
    }
    const { db } = this.#deps.database;
    // The active run may end between the two statements; then the next try inserts one.
    for (let attempt = 0; attempt < 10; attempt++) {
      const traceParent = currentTraceParent();
      const run = { id: newId('syncRun'), integrationId, trigger, fullRefresh, streams: streams ?? null, traceParent };
      const row = (await insertRun(db, run).catch(refuseDeleted)) ?? (await findActiveRun(db, integrationId));
      if (row === undefined) continue;
      this.#deps.workers.wake();
      return toSyncRun(row);
    }
    throw new ConflictError(`The integration ${integrationId} starts and ends runs all the time. Try again.`);
  }

  /**
   * @throws SyncRunNotFoundError also when its integration is deleted meanwhile
   * @throws AbortedError when the signal fires; the run goes on
   */
  async wait(runId: string, signal?: AbortSignal, onProgress?: (run: SyncRun) => void): Promise<SyncResult> {
    let pages = 0;
    for (;;) {
      const moved = this.#moved(runId, signal);
      const row = await findRun(this.#deps.database.db, runId);
      if (row === undefined) throw new SyncRunNotFoundError(runId);
      if (row.pages !== pages) onProgress?.(toSyncRun(row));
      pages = row.pages;
      if (row.finished_at !== null) return toSyncResult(row);
      await moved;
      if (signal?.aborted)
        throw new AbortedError(`Waiting for the sync run ${runId} was aborted; it goes on.`, { cause: signal.reason });
    }
  }

  /**
   * Ends the active run of an integration and resolves when it has ended: within two seconds for one that a live
   * worker has, wherever that is; a dead worker's ends with its lease.
   */
  async stop(integrationId: string): Promise<void> {
    const { database, clock, workers, watch, onRunFinished } = this.#deps;
    const deadlineMs = clock.monotonicMs() + STOP_DEADLINE_MS;
    workers.interrupt(integrationId);
    let row = await requestStop(database.db, integrationId);
    while (row !== undefined && row.status !== 'stopped') {
      await this.#moved(row.id);
      row = await requestStop(database.db, integrationId, row.id);
      if (row !== undefined && clock.monotonicMs() > deadlineMs)
        throw new UnavailableError(`The sync run ${row.id} was told to stop and does not end. Try again.`);
    }
    if (row === undefined) return;
    watch.notify(row.id);
    await onRunFinished?.(toSyncRun(row));
  }

  /** Resolves when the run may have moved: this process says so, some time passed, or the signal fired. */
  #moved(runId: string, signal?: AbortSignal): Promise<void> {
    const { clock, watch } = this.#deps;
    const wake = new AbortController();
    const unsubscribe = watch.subscribe(runId, () => wake.abort());
    const either = signal === undefined ? wake.signal : AbortSignal.any([wake.signal, signal]);
    return clock
      .sleep(POLL_MS, either)
      .catch(() => {})
      .finally(unsubscribe);
  }
}

function toSyncResult(row: SyncRunRow): SyncResult {
  const beganAt = row.started_at ?? row.queued_at;
  return {
    ...toSyncRun(row),
    success: row.status === 'succeeded',
    durationMs: Math.max(0, row.finished_at!.getTime() - beganAt.getTime()),
  };
}

function refuseDeleted(error: unknown): never {
  const foreignKeyViolation = (error as { code?: unknown } | null)?.code === '23503';
  if (!foreignKeyViolation) throw error;
  throw new ConflictError('The integration was deleted and cannot be synced any more.', { cause: error });
}
