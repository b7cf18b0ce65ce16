import type { Transaction } from 'kysely';
import type { ConnectorSession } from '../connectors/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { type DeletionRules, decideDeletions } from './deletionSafety.ts';
import { RunInterruption } from './errors.ts';
import { writeInBatches } from './pageBatches.ts';
import type { StreamReader } from './reader.ts';
import type { RecordBatch } from './recordBatch.ts';
import { deleteUnseen, type WriteCounts, writeRecords } from './recordQueries.ts';
import type { RunClaim, RunProblem, StreamPhase } from './runQueries.ts';
import { pagesCanShift } from './shiftingPages.ts';
import {
  advanceRun,
  beginFullRead,
  completeFullRead,
  countDeletions,
  type DueDeletions,
  fence,
  findState,
  type RunAdvance,
  type SyncStateRow,
  saveDueDeletions,
  saveState,
} from './stateQueries.ts';
import { startOfStream } from './streamStart.ts';

export interface StreamSyncContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly reader: StreamReader;
  readonly session: ConnectorSession;
  readonly claim: RunClaim;
  readonly fullRefresh: boolean;
  readonly safetyPercent: number;
  readonly signal: AbortSignal;
  /** Called after every transaction. */
  readonly onWritten: () => void;
}

/**
 * One stream of a run. Every transaction starts with the fence and holds records, position and counts together,
 * so that a worker killed anywhere leaves a state that the next one goes on from.
 */
export class StreamSync {
  readonly #context: StreamSyncContext;
  readonly #stream: string;
  readonly #target: { readonly integrationId: string; readonly stream: string };
  #readId: number | null = null;
  #completeReadId = 0;
  #due: DueDeletions | null = null;
  #phase: StreamPhase | undefined;
  #warnedOfReplacements = false;

  /** @param phase how far this run is with the stream already */
  constructor(context: StreamSyncContext, stream: string, phase: StreamPhase | undefined) {
    this.#context = context;
    this.#stream = stream;
    this.#target = { integrationId: context.claim.integrationId, stream };
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
    const { database, claim } = this.#context;
    const row = await findState(database.db, claim.integrationId, this.#stream);
    // Of this run, or of an earlier one that was ended in the middle of them.
    const left = row?.due_deletions ?? null;
    if (left !== null) await this.#makeDeletions(left);
    if (this.#phase === 'read' || this.#phase === 'done') return;
    await this.#readPages(row);
    if (this.#due !== null) await this.#makeDeletions(this.#due);
  }

  async #readPages(row: SyncStateRow | undefined): Promise<void> {
    const { clock, reader, session, fullRefresh, signal } = this.#context;
    const stream = this.#stream;
    // A full refresh starts over once, not again when another worker goes on with the run.
    const stored = fullRefresh && this.#phase === undefined ? null : (row?.state ?? null);
    const start = startOfStream(row, stored, (state) => reader.planRead(session, stream, state));
    this.#readId = start.readId;
    this.#completeReadId = row?.complete_read_id ?? 0;
    await writeInBatches({
      stream,
      read: (signal) => reader.readStream(session, { stream, state: start.state, signal }),
      write: (batch) => this.#write(batch, start.full),
      clock,
      signal,
    });
  }

  async #write(batch: RecordBatch, full: boolean): Promise<void> {
    const { claim, signal } = this.#context;
    const warnings = this.#warningsOf(batch);
    const completed = full && batch.last;
    const { readId, due, phase } = await this.#fenced(async (tx) => {
      const readId = this.#readId ?? (await beginFullRead(tx, claim.integrationId, this.#stream));
      const target = { ...this.#target, readId, completeReadId: this.#completeReadId };
      const counts: WriteCounts = { added: 0, updated: 0, deleted: 0, seen: 0, found: 0 };
      for (const portion of batch.portions) {
        // What is rolled back here is read again.
        signal.throwIfAborted();
        add(counts, await writeRecords(tx, target, portion));
      }
      const row = await saveState(tx, this.#target, batch.state, counts);
      const decision = completed ? decideDeletions(this.#stream, row, this.#rulesFor(batch)) : null;
      if (decision !== null) await completeFullRead(tx, this.#target, decision);
      const due = decision?.due ?? null;
      const phase = !batch.last ? 'reading' : due === null ? 'done' : 'read';
      await this.#advance(tx, {
        stream: this.#stream,
        phase,
        pages: batch.pages,
        recordsRead: batch.recordsRead,
        counts,
        warnings: [...warnings, ...(decision?.warnings ?? [])],
      });
      return { readId, due, phase } as const;
    });
    this.#readId = readId;
    this.#due = due;
    this.#phase = phase;
    this.#context.onWritten();
  }

  #rulesFor(batch: RecordBatch): DeletionRules {
    const { session, safetyPercent, clock } = this.#context;
    const stream = session.connector.streams.find(({ name }) => name === this.#stream);
    const onePage = this.#readId === null && batch.pages === 1 && stream?.parent === undefined;
    return {
      percent: safetyPercent,
      proof: onePage || !pagesCanShift(session.connector, this.#stream) ? 'once' : 'twice',
      onDemand: stream?.incremental !== undefined,
      now: new Date(clock.now()),
    };
  }

  /** Window by window, so that it can be interrupted and gone on with, by this run or the next. */
  async #makeDeletions({ readId, count }: DueDeletions): Promise<void> {
    const { signal, onWritten } = this.#context;
    const phase = this.#phase === 'read' ? 'done' : this.#phase;
    let left = { after: null as string | null, count };
    do {
      signal.throwIfAborted();
      const { after } = left;
      left = await this.#fenced(async (tx) => {
        const { deleted, last } = await deleteUnseen(tx, { ...this.#target, readId }, after);
        const rest = { after: last, count: last === null ? 0 : left.count - deleted };
        if (deleted > 0) await countDeletions(tx, this.#target, deleted);
        const counts = { added: 0, updated: 0, deleted };
        const due = rest.count > 0 ? { readId, count: rest.count } : null;
        await saveDueDeletions(tx, this.#target, due);
        await this.#advance(tx, { stream: this.#stream, phase: due === null ? phase : this.#phase, counts });
        return rest;
      });
      onWritten();
    } while (left.count > 0);
    this.#phase = phase;
    this.#due = null;
  }

  /** A transaction that is rolled back unless this worker still has the run. */
  #fenced<T>(work: (tx: Transaction<Schema>) => Promise<T>): Promise<T> {
    const { database, claim } = this.#context;
    return database.transaction(async (tx) => {
      const held = await fence(tx, claim);
      if (held === undefined) throw new RunInterruption('lease_lost');
      if (held.stop) throw new RunInterruption('stopped');
      return work(tx);
    });
  }

  async #advance(tx: Transaction<Schema>, advance: RunAdvance): Promise<void> {
    if (!(await advanceRun(tx, this.#context.claim, advance))) throw new RunInterruption('lease_lost');
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

function add(sum: WriteCounts, more: WriteCounts): void {
  sum.added += more.added;
  sum.updated += more.updated;
  sum.deleted += more.deleted;
  sum.seen += more.seen;
  sum.found += more.found;
}
