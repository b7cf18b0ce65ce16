import { SpanKind } from '@opentelemetry/api';
import { sql, type Transaction } from 'kysely';
import type { ConnectorSession } from '../connectors/types.ts';
import type { Clock } from '../core/clock.ts';
import { inSpan } from '../core/tracing.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { deleteUnseen } from './deletionQueries.ts';
import { type DeletionRules, decideDeletions } from './deletionSafety.ts';
import { RunInterruption } from './errors.ts';
import { answerOf, confirmable, type KnownAnswer } from './knownAnswer.ts';
import { writeInBatches } from './pageBatches.ts';
import type { StreamReader } from './reader.ts';
import type { RecordBatch } from './recordBatch.ts';
import { NOTHING, type Progress, type WriteResult, writePortion, writeRecords } from './recordQueries.ts';
import { LEASE_MS, type RunClaim, type RunProblem, type StreamPhase } from './runQueries.ts';
import { pagesCanShift } from './shiftingPages.ts';
import {
  completeFullRead,
  confirmAnswer,
  type DueDeletions,
  ensureState,
  forgetKnownAnswers,
  isFullReadUnderWay,
  type SyncStateRow,
} from './stateQueries.ts';
import { startOfStream } from './streamStart.ts';
import type { Turns } from './turns.ts';

export interface StreamSyncContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly reader: StreamReader;
  readonly session: ConnectorSession;
  readonly claim: RunClaim;
  readonly fullRefresh: boolean;
  readonly safetyPercent: number;
  readonly signal: AbortSignal;
  /** Called after every write. */
  readonly onWritten: () => void;
  /** What of the run writes records does so in turn: their change numbers become visible in order. */
  readonly writes: Turns;
  readonly measureWrite: (integrationId: string, durationMs: number) => void;
}

/**
 * One stream of a run. Every write starts with the fence and holds records, position and counts together, so that a
 * worker killed anywhere leaves a state that the next one goes on from.
 */
export class StreamSync {
  readonly #context: StreamSyncContext;
  readonly #stream: string;
  readonly #target: { readonly claim: RunClaim; readonly stream: string };
  #readId: number | null = null;
  #completeReadId = 0;
  #phase: StreamPhase | undefined;
  #due: DueDeletions | null = null;
  #warnedOfReplacements = false;
  /** Of the read before, and whether this one may ask only if it is still so. */
  #before: KnownAnswer | null = null;
  #known: KnownAnswer | undefined;

  /** @param phase how far this run is with the stream already */
  constructor(context: StreamSyncContext, stream: string, phase: StreamPhase | undefined) {
    this.#context = context;
    this.#stream = stream;
    this.#target = { claim: context.claim, stream };
    this.#phase = phase;
  }

  /** How far this run is with the stream. */
  get phase(): StreamPhase | undefined {
    return this.#phase;
  }

  /**
   * @throws RunInterruption when the worker has to let go of the run; else what reading or writing throws. What
   * was written stays.
   */
  async run(): Promise<void> {
    const { database, claim, writes } = this.#context;
    const row = await ensureState(database.db, claim.integrationId, this.#stream);
    const { due_deletions: left } = row;
    // Of this run, or of an earlier one that was ended in the middle of them.
    if (left !== null) await writes.take(() => this.#makeDeletions(left));
    if (this.#phase === 'done') return;
    if (this.#phase !== 'read') await this.#readPages(row);
    else if (isFullReadUnderWay(row)) await writes.take(() => this.#complete(row, false));
    const due = this.#due;
    if (due !== null) await writes.take(() => this.#makeDeletions(due));
  }

  async #readPages(row: SyncStateRow): Promise<void> {
    const { claim, clock, database, reader, session, fullRefresh, signal, writes } = this.#context;
    const stream = this.#stream;
    // A full refresh starts over once, not again when another worker goes on with the run.
    const stored = fullRefresh && this.#phase === undefined ? null : row.state;
    const start = startOfStream(row, stored, (state) => reader.planRead(session, stream, state));
    this.#readId = start.readId;
    this.#completeReadId = row.complete_read_id ?? 0;
    this.#before = row.known_answer;
    const mayAsk = session.cacheValidators === true && !fullRefresh;
    this.#known = mayAsk ? confirmable(row, clock.now()) : undefined;
    const reading = writeInBatches({
      stream,
      read: (signal) => reader.readStream(session, { stream, state: start.state, signal, known: this.#known }),
      write: (batch) =>
        writes.take(() => (batch.notModified ? this.#confirm(start.full) : this.#write(batch, start.full))),
      clock,
      signal,
    });
    await reading.catch(async (error: unknown) => {
      // It may be the condition that the provider fails at.
      if (this.#known !== undefined && !signal.aborted && !(error instanceof RunInterruption))
        await forgetKnownAnswers(database.db, claim.integrationId, stream).catch(() => {});
      throw error;
    });
  }

  /** Nothing came, because nothing has changed. */
  async #confirm(full: boolean): Promise<void> {
    this.#context.signal.throwIfAborted();
    const { database, onWritten } = this.#context;
    if (!(await confirmAnswer(database.db, this.#target, this.#known!, full))) throw new RunInterruption('lease_lost');
    this.#phase = 'done';
    onWritten();
  }

  async #write(batch: RecordBatch, full: boolean): Promise<void> {
    // Its turn may come after the run has ended.
    this.#context.signal.throwIfAborted();
    const startedMs = this.#context.clock.monotonicMs();
    const begins = this.#readId === null;
    const progress: Progress = {
      state: batch.state,
      ends: batch.last ? (full ? 'full' : 'incremental') : null,
      begins,
      pages: batch.pages,
      recordsRead: batch.recordsRead,
      warnings: this.#warningsOf(batch),
      // What came before this page in a full read was other answers.
      answer: full && !begins ? undefined : answerOf(batch, this.#before, this.#context.clock.now()),
    };
    const { database } = this.#context;
    const [first, ...more] = batch.portions;
    const mark = { readId: this.#readId, completeReadId: this.#completeReadId };
    const settings = {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': 'write pages',
        'integration_services.sync.pages': batch.pages,
        'integration_services.sync.records_read': batch.recordsRead,
      },
    };
    const row = await inSpan('write pages', settings, async () =>
      more.length === 0
        ? writeRecords(database.db, this.#target, first!, mark, progress)
        : this.#writeLargePage(batch, progress),
    );
    this.#require(row);
    this.#context.measureWrite(this.#target.claim.integrationId, this.#context.clock.monotonicMs() - startedMs);
    this.#readId = row.full_read_id ?? 0;
    const complete = !isFullReadUnderWay(row);
    this.#phase = !batch.last ? 'reading' : full && !complete ? 'read' : 'done';
    if (this.#phase === 'read') await this.#complete(row, begins && batch.pages === 1);
    this.#context.onWritten();
    if (row.stop && this.#phase !== 'done') throw new RunInterruption('stopped');
  }

  /** In one transaction, like every page. */
  #writeLargePage(batch: RecordBatch, progress: Progress): Promise<WriteResult | undefined> {
    const { database, signal } = this.#context;
    const portions = batch.portions;
    return database.transaction(async (tx) => {
      // A worker that is suspended in here must not keep others from the records for longer than its lease.
      await sql`select set_config('idle_in_transaction_session_timeout', ${String(LEASE_MS)}, true)`.execute(tx);
      const readId = this.#readId ?? (await nextReadId(tx));
      const mark = { readId, completeReadId: this.#completeReadId };
      let counts = NOTHING;
      for (const portion of portions.slice(0, -1)) {
        // What is rolled back here is read again.
        signal.throwIfAborted();
        const after = await writePortion(tx, this.#target, portion, mark, counts);
        this.#require(after);
        counts = after;
      }
      signal.throwIfAborted();
      const row = await writeRecords(tx, this.#target, portions.at(-1)!, mark, progress, counts);
      this.#require(row);
      return row;
    });
  }

  /** @param onePage whether the read was a single page, which nothing can slip past */
  async #complete(row: SyncStateRow, onePage: boolean): Promise<void> {
    const decision = decideDeletions(this.#stream, row, this.#rulesFor(onePage));
    const { database } = this.#context;
    if (!(await completeFullRead(database.db, this.#target, decision))) throw new RunInterruption('lease_lost');
    this.#due = decision.due;
    if (decision.due === null) this.#phase = 'done';
  }

  #rulesFor(onePage: boolean): DeletionRules {
    const { session, safetyPercent, clock } = this.#context;
    const stream = session.connector.streams.find(({ name }) => name === this.#stream);
    const certain = (onePage && stream?.parent === undefined) || !pagesCanShift(session.connector, this.#stream);
    return {
      percent: safetyPercent,
      proof: certain ? 'once' : 'twice',
      onDemand: stream?.incremental !== undefined,
      now: new Date(clock.now()),
    };
  }

  /** Window by window, so that it can be interrupted and gone on with, by this run or the next. */
  async #makeDeletions(due: DueDeletions): Promise<void> {
    const { database, signal, onWritten } = this.#context;
    const phase = this.#phase === 'read' ? 'done' : this.#phase;
    let left = due.count;
    let after: string | null = null;
    do {
      signal.throwIfAborted();
      const rest: DueDeletions = { readId: due.readId, count: left };
      const result: Awaited<ReturnType<typeof deleteUnseen>> = await deleteUnseen(
        database.db,
        this.#target,
        rest,
        after,
        phase,
      );
      this.#require(result);
      left -= result.deleted;
      after = result.after;
      onWritten();
      if (result.stop) throw new RunInterruption('stopped');
    } while (after !== null);
    this.#phase = phase;
    this.#due = null;
  }

  #require<T>(result: T | undefined): asserts result is T {
    if (result === undefined) throw new RunInterruption('lease_lost');
  }

  #warningsOf(batch: RecordBatch): RunProblem[] {
    if (batch.replaced === 0 || this.#warnedOfReplacements) return [];
    this.#warnedOfReplacements = true;
    return [
      {
        code: 'CHARACTERS_REPLACED',
        message: `Records of the stream ${JSON.stringify(this.#stream)} hold what PostgreSQL cannot store: U+0000 and lone surrogates became U+FFFD, numbers beyond the double range null.`,
        stream: this.#stream,
      },
    ];
  }
}

async function nextReadId(tx: Transaction<Schema>): Promise<number> {
  const { rows } = await sql<{ id: number }>`select nextval('records_change_seq') as id`.execute(tx);
  return rows[0]!.id;
}
