import type { Transaction } from 'kysely';
import { acting } from '../audit/acting.ts';
import type { AuditTrail } from '../audit/types.ts';
import { ConflictError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { readChanges } from './changeFeed.ts';
import { confirmDeletions } from './confirmDeletions.ts';
import { eraseAllRecords } from './erasure.ts';
import { SyncRunNotFoundError } from './errors.ts';
import { exportCsv, exportNdjson } from './exportRecords.ts';
import { nextDue, parseFrequency } from './frequency.ts';
import { RunControl, type RunRequest } from './runControl.ts';
import type { RunDependencies } from './runExecution.ts';
import { findRun, listRuns, toSyncRun } from './runQueries.ts';
import { RunWatch } from './runWatch.ts';
import { deleteSchedule, hasSchedule, upsertSchedule } from './scheduleQueries.ts';
import { listStates } from './stateQueries.ts';
import type {
  ChangesOptions,
  ExportOptions,
  RecordPage,
  StreamStatus,
  SyncOptions,
  SyncResult,
  SyncRun,
} from './types.ts';
import { SyncWorkers } from './workers.ts';

const DEFAULT_CONCURRENCY = 8;

export interface SyncServiceOptions extends RunDependencies {
  readonly audit: AuditTrail;
  /** Runs that this process carries out at a time. Default 8. */
  readonly concurrency?: number;
  /** Told of every run that this process ended. A crash at that moment keeps it from being told. */
  readonly onRunFinished?: (run: SyncRun) => Promise<void>;
}

/** Schedules, runs and the records they bring. Ids of integrations are the caller's to check. */
export class SyncService {
  readonly #deps: SyncServiceOptions;
  readonly #workers: SyncWorkers;
  readonly #control: RunControl;
  readonly #concurrency: number;

  constructor(options: SyncServiceOptions) {
    const watch = new RunWatch();
    this.#deps = options;
    this.#concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
    this.#workers = new SyncWorkers({ ...options, watch }, this.#concurrency);
    this.#control = new RunControl({ ...options, watch, workers: this.#workers });
  }

  /** Begins to carry out queued runs and, unless `schedules` is false, to fire due schedules. */
  startWorkers({ schedules = true }: { schedules?: boolean } = {}): void {
    this.#workers.start({ schedules });
  }

  /** Runs under way go back into the queue; another process, or the next start, goes on with them. */
  close(): Promise<void> {
    return this.#workers.close();
  }

  /** Schedules an integration; `manual` takes its schedule away. @throws InvalidInputError */
  async schedule(tx: Transaction<Schema>, integrationId: string, text: string, timezone: string): Promise<void> {
    const nextMs = nextDue(parseFrequency(text, timezone), integrationId, this.#deps.clock.now());
    if (nextMs === null) return deleteSchedule(tx, integrationId);
    await upsertSchedule(tx, { integrationId, frequency: text, timezone, nextDueAt: new Date(nextMs) });
  }

  /** Changes the schedule of an integration that has one. @throws InvalidInputError */
  async reschedule(tx: Transaction<Schema>, integrationId: string, text: string, timezone: string): Promise<void> {
    if (await hasSchedule(tx, integrationId)) await this.schedule(tx, integrationId, text, timezone);
  }

  unschedule(tx: Transaction<Schema>, integrationId: string): Promise<void> {
    return deleteSchedule(tx, integrationId);
  }

  /** Schedules and queues a run now. @throws InvalidInputError, ConflictError */
  async start(integrationId: string, frequency: string, timezone: string): Promise<SyncRun> {
    await this.#deps.database.transaction(async (tx) => {
      await this.schedule(tx, integrationId, frequency, timezone);
      await this.#record(tx, integrationId, 'sync.scheduled', { frequency, timezone });
    });
    return this.requestRun(integrationId, { trigger: 'manual' });
  }

  /** Takes the schedule away and ends a run under way. */
  async halt(integrationId: string): Promise<void> {
    await this.#deps.database.transaction(async (tx) => {
      await deleteSchedule(tx, integrationId);
      await this.#record(tx, integrationId, 'sync.stopped');
    });
    await this.stop(integrationId);
  }

  /** Ends a run under way, or waiting, within two seconds. What it wrote stays; the next run goes on from it. */
  stop(integrationId: string): Promise<void> {
    return this.#control.stop(integrationId);
  }

  /**
   * Queues a run. An integration has one at a time: when one is active, that is the answer. One that has not begun
   * takes over `fullRefresh` and `streams`; one that has keeps its own, as its fields show.
   */
  async requestRun(integrationId: string, request: RunRequest): Promise<SyncRun> {
    const { fullRefresh = false, streams = null } = request;
    await this.#record(this.#deps.database.db, integrationId, 'sync.requested', {
      fullRefresh,
      streams: streams && [...streams],
    });
    return this.#control.request(integrationId, request);
  }

  /** @throws SyncRunNotFoundError, AbortedError */
  waitForRun(runId: string, signal?: AbortSignal, onProgress?: (run: SyncRun) => void): Promise<SyncResult> {
    return this.#control.wait(runId, signal, onProgress);
  }

  /** Requests a run and waits for its end, working on the queue if this process does not yet. */
  async run(integrationId: string, { signal, onProgress, ...options }: SyncOptions = {}): Promise<SyncResult> {
    this.startWorkers({ schedules: false });
    const { id } = await this.requestRun(integrationId, { ...options, trigger: 'manual' });
    return this.waitForRun(id, signal, onProgress);
  }

  /**
   * Runs many, at most twice `concurrency` requested at a time. Integrations deleted meanwhile are left out. After
   * an error no more are requested, and it is thrown when those that were have ended.
   */
  async runAll(integrationIds: readonly string[], options: Pick<SyncOptions, 'signal'> = {}): Promise<SyncResult[]> {
    const results = new Map<number, SyncResult>();
    const errors: unknown[] = [];
    const waiting = integrationIds.entries();
    const runSome = async () => {
      for (const [index, integrationId] of waiting) {
        try {
          const result = await this.run(integrationId, options);
          if (result.error?.code !== 'INTEGRATION_NOT_FOUND') results.set(index, result);
        } catch (error) {
          if (!(error instanceof ConflictError || error instanceof SyncRunNotFoundError)) errors.push(error);
        }
        if (errors.length > 0) return;
      }
    };
    await Promise.all(Array.from({ length: 2 * this.#concurrency }, runSome));
    if (errors.length > 0) throw errors[0];
    return [...results].sort(([a], [b]) => a - b).map(([, result]) => result);
  }

  /** @throws SyncRunNotFoundError */
  async getRun(runId: string): Promise<SyncRun> {
    const row = await findRun(this.#deps.database.db, runId);
    if (row === undefined) throw new SyncRunNotFoundError(runId);
    return toSyncRun(row);
  }

  /** Newest first. `before` is the last id of the page before; `finished` leaves active ones out. */
  async listRuns(
    integrationId: string,
    options: { limit?: number; before?: string; finished?: boolean } = {},
  ): Promise<SyncRun[]> {
    const limit = Math.min(options.limit ?? LIMITS.pageSizeDefault, LIMITS.pageSizeMax);
    return (await listRuns(this.#deps.database.db, integrationId, { ...options, limit })).map(toSyncRun);
  }

  /** Every stream that was synced, by name. */
  async streamStatus(integrationId: string): Promise<StreamStatus[]> {
    const rows = await listStates(this.#deps.database.db, integrationId);
    return rows.map(({ pending_deletions: pending, known_answer: known, ...row }) => ({
      stream: row.stream,
      records: row.record_count,
      lastFullReadAt: row.full_read_completed_at?.toISOString() ?? null,
      updatedAt: row.updated_at.toISOString(),
      pendingDeletions: pending && { count: pending.count, total: pending.total, foundAt: pending.foundAt },
      knownAnswer: known && {
        validator: known.etag === undefined ? 'last_modified' : 'etag',
        readAt: new Date(known.readAtMs).toISOString(),
        confirmed: known.confirmed,
      },
    }));
  }

  /**
   * Makes deletions that were held back; gives how many records it marked.
   * @throws NoPendingDeletionsError
   * @throws ConflictError while the integration is synced
   */
  async confirmDeletions(integrationId: string, stream: string): Promise<number> {
    await this.#record(this.#deps.database.db, integrationId, 'deletions.confirmed', { stream });
    return confirmDeletions(this.#deps.database, integrationId, stream);
  }

  /** Records in the order they changed. @throws InvalidInputError */
  changes(integrationId: string, options: ChangesOptions = {}): Promise<RecordPage> {
    return readChanges(this.#deps.database.db, integrationId, options);
  }

  /** The live records of a stream as text, piece by piece. That they leave is recorded before the first piece. */
  async *export(
    integrationId: string,
    stream: string,
    format: 'ndjson' | 'csv',
    { includeDeleted = false }: ExportOptions = {},
  ): AsyncGenerator<string> {
    const { db } = this.#deps.database;
    await this.#record(db, integrationId, 'records.exported', { stream, format, includeDeleted });
    yield* (format === 'csv' ? exportCsv : exportNdjson)(db, { integrationId, stream, includeDeleted });
  }

  /** Before the effect, so that there is none without it. */
  #record(db: Database['db'], integrationId: string, action: string, details: JsonObject = {}): Promise<void> {
    const target = { kind: 'integration', id: integrationId };
    return this.#deps.audit.record(db, { ...acting(), action, outcome: 'success', target, integrationId, details });
  }

  /** Erases the records of a deleted integration, in batches; may be interrupted and called again. */
  erase(integrationId: string, signal?: AbortSignal): Promise<void> {
    return eraseAllRecords(this.#deps.database, integrationId, signal);
  }
}
