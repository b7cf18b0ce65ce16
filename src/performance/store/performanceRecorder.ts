import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { type PollLoop, startPollLoop } from '../../core/pollLoop.ts';
import type { AttemptRecord, AttemptSink, OperationKind, Outcome } from '../../outgoing/types.ts';
import type { Database } from '../../store/database.ts';
import { bucketStart, PHASE_AT, type Phase } from '../types.ts';
import { SeriesCell } from './seriesCell.ts';
import { writeCells } from './seriesWriter.ts';

/** From the beginning of one write to the next, so that with a write of a fifth of a second nothing is lost that is older than a second. */
const FLUSH_INTERVAL_MS = 800;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_BACK_OFF_MS = 30_000;
/** Series of a minute held in memory; those that are written are let go of when there are more. */
const MAX_CELLS = 10_000;
const BATCH_CELLS = 500;
/** Minutes older than their table keeps would have no partition to go to. */
const MAX_AGE_MS = 24 * 3_600_000;

/**
 * Counts every attempt of the pipeline into histograms, one for each phase of integration × operation × outcome ×
 * minute, and writes what has changed every 0.8 seconds. A process that is killed loses at most what it measured
 * since its last write began. While the database is away, up to 10,000 series-minutes are kept; what comes on top is dropped and counted.
 */
export class PerformanceRecorder implements AttemptSink {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #maxCells: number;
  readonly #process = randomBytes(6).toString('base64url');
  #parts = 0;
  #bucketMs = Number.NaN;
  /** Of the current minute. */
  #cells = new Map<string, SeriesCell[]>();
  /** Cells in `#cells`. */
  #current = 0;
  #dirty: SeriesCell[] = [];
  #dropped = 0;
  #saidDropped = false;
  #marked = { hourMs: Number.NaN, integrations: new Set<string>() };
  #writing: Promise<void> | null = null;
  #failures = 0;
  #loop: PollLoop | null = null;
  #closed = false;

  /** @param options.maxCells series-minutes held at once; default 10,000 */
  constructor(options: { database: Database; clock: Clock; log: Log; maxCells?: number }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#maxCells = options.maxCells ?? MAX_CELLS;
  }

  /** Measurements that could not be kept since the process started. */
  get dropped(): number {
    return this.#dropped;
  }

  record(attempt: AttemptRecord): void {
    const cell = this.#cell(attempt.integrationId, attempt.operation, attempt.outcome);
    if (cell === null) return;
    const { phases } = attempt;
    cell.calls += 1;
    cell.responseBytes += attempt.responseBytes;
    cell.record(PHASE_AT.total, attempt.durationMs);
    cell.record(PHASE_AT.queue, phases.queueMs);
    cell.record(PHASE_AT.rate_limit, phases.rateLimitMs);
    if (attempt.attempt > 1) cell.record(PHASE_AT.backoff, phases.backoffMs);
    if (phases.connectMs !== null) cell.record(PHASE_AT.connect, phases.connectMs);
    if (phases.firstByteMs !== null) cell.record(PHASE_AT.first_byte, phases.firstByteMs);
    if (phases.bodyMs !== null) cell.record(PHASE_AT.body, phases.bodyMs);
  }

  /** A duration that is no attempt's, such as the storing of a page; it counts as no call. */
  recordPhase(
    integrationId: string,
    operation: OperationKind,
    outcome: Outcome,
    phase: Phase,
    durationMs: number,
  ): void {
    this.#cell(integrationId, operation, outcome)?.record(PHASE_AT[phase], durationMs);
  }

  /**
   * Writes everything recorded before the call.
   * @throws UnavailableError the database is away; it is tried again by itself
   */
  async flush(): Promise<void> {
    // What is being written now may have begun before the latest records.
    await this.#writing?.catch(() => {});
    await this.#write();
  }

  /** Writes what is left, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#loop?.stop();
    await this.flush().catch((error: unknown) => {
      this.#log.warn('The last measurements of calls are lost', { reason: errorMessage(error) });
    });
  }

  #cell(integrationId: string, operation: OperationKind, outcome: Outcome): SeriesCell | null {
    if (this.#closed) return this.#drop();
    const bucketMs = bucketStart(this.#clock.now(), 'minute');
    if (bucketMs !== this.#bucketMs) this.#begin(bucketMs);
    let cells = this.#cells.get(integrationId);
    if (cells === undefined) {
      cells = [];
      this.#cells.set(integrationId, cells);
    }
    for (const cell of cells) {
      if (cell.key.outcome === outcome && cell.key.operation === operation) return this.#touch(cell);
    }
    if (this.#current + this.#dirty.length >= this.#maxCells && !this.#forgetWritten()) return this.#drop();
    const part = `${this.#process}-${this.#parts++}`;
    const cell = new SeriesCell({ integrationId, operation, outcome }, bucketMs, part);
    // `cells` may have been let go of just now.
    this.#cells.set(integrationId, [...(this.#cells.get(integrationId) ?? []), cell]);
    this.#current += 1;
    return this.#touch(cell);
  }

  #touch(cell: SeriesCell): SeriesCell {
    if (cell.isDirty) return cell;
    cell.isDirty = true;
    this.#dirty.push(cell);
    this.#loop ??= startPollLoop(() => this.#round(), this.#clock);
    return cell;
  }

  /** Another minute: what is not written of the last one stays in `#dirty`. */
  #begin(bucketMs: number): void {
    this.#bucketMs = bucketMs;
    this.#cells = new Map();
    this.#current = 0;
  }

  /** Makes room; false when all of them wait for the database. */
  #forgetWritten(): boolean {
    const kept = new Map<string, SeriesCell[]>();
    let count = 0;
    for (const cell of this.#dirty) {
      if (cell.bucketMs !== this.#bucketMs) continue;
      const { integrationId } = cell.key;
      kept.set(integrationId, [...(kept.get(integrationId) ?? []), cell]);
      count += 1;
    }
    this.#cells = kept;
    this.#current = count;
    return this.#dirty.length < this.#maxCells;
  }

  #drop(): null {
    this.#dropped += 1;
    if (!this.#saidDropped && !this.#closed) {
      this.#saidDropped = true;
      this.#log.warn('Measurements of calls are dropped until the database takes them again', { kept: this.#maxCells });
    }
    return null;
  }

  async #round(): Promise<number> {
    // The first round begins in the middle of the first record.
    await Promise.resolve();
    const begunMs = this.#clock.monotonicMs();
    try {
      await this.#write();
      return Math.max(SHORTEST_PAUSE_MS, FLUSH_INTERVAL_MS - (this.#clock.monotonicMs() - begunMs));
    } catch (error) {
      if (this.#failures === 1) {
        this.#log.warn('Measurements of calls cannot be written; trying again', { reason: errorMessage(error) });
      }
      return Math.min(LONGEST_BACK_OFF_MS, FLUSH_INTERVAL_MS * 2 ** Math.min(this.#failures, 10));
    }
  }

  /** One at a time, so that an earlier state of a cell never overwrites a later one. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeDirty().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeDirty(): Promise<void> {
    const oldestMs = this.#clock.now() - MAX_AGE_MS;
    let left = this.#dirty.length;
    while (left > 0) {
      const batch = this.#dirty.splice(0, Math.min(left, BATCH_CELLS));
      left -= batch.length;
      const young = batch.filter((cell) => cell.bucketMs >= oldestMs);
      for (const cell of batch) cell.isDirty = false;
      this.#dropped += batch.reduce((sum, cell) => sum + (cell.bucketMs < oldestMs ? cell.calls : 0), 0);
      try {
        await writeCells(this.#database, young, (cell) => this.#isMarked(cell));
      } catch (error) {
        this.#failures += 1;
        // They may have been touched, and stand in line, again meanwhile.
        for (const cell of young) if (!cell.isDirty) this.#putBack(cell);
        throw error;
      }
      this.#failures = 0;
      this.#saidDropped = false;
      this.#mark(young);
    }
  }

  #putBack(cell: SeriesCell): void {
    cell.isDirty = true;
    this.#dirty.push(cell);
  }

  /** Whether this process has said already that the hour has to be merged. An hour that is over may be merged by now. */
  #isMarked({ bucketMs, key }: SeriesCell): boolean {
    const hourMs = bucketStart(bucketMs, 'hour');
    return (
      hourMs === this.#marked.hourMs &&
      hourMs === bucketStart(this.#clock.now(), 'hour') &&
      this.#marked.integrations.has(key.integrationId)
    );
  }

  #mark(cells: readonly SeriesCell[]): void {
    const hourMs = bucketStart(this.#clock.now(), 'hour');
    if (hourMs !== this.#marked.hourMs) this.#marked = { hourMs, integrations: new Set() };
    for (const { bucketMs, key } of cells) {
      if (bucketStart(bucketMs, 'hour') === hourMs) this.#marked.integrations.add(key.integrationId);
    }
  }
}
