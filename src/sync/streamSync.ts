import type { Transaction } from 'kysely';
import type { ConnectorSession } from '../connectors/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { decideDeletions } from './deletionSafety.ts';
import { RunInterruption } from './errors.ts';
import { writeInBatches } from './pageBatches.ts';
import type { StreamReader } from './reader.ts';
import type { RecordBatch } from './recordBatch.ts';
import { deleteUnseen, type WriteCounts, writeRecords } from './recordQueries.ts';
import type { RunClaim, RunProblem, StreamPhase } from './runQueries.ts';
import {
  advanceRun,
  beginFullRead,
  countDeletions,
  fence,
  findState,
  type RunAdvance,
  savePendingDeletions,
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
  #phase: StreamPhase | undefined;
  #warnedOfReplacements = false;

  /** @param phase how far this run is with the stream already */
  constructor(context: StreamSyncContext, stream: string, phase: StreamPhase | undefined) {
    this.#context = context;
    this.#stream = stream;
    this.#target = { integrationId: context.claim.integrationId, stream };
    this.#phase = phase;
  }

  /**
   * @throws RunInterruption when the worker has to let go of the run; else what reading or writing throws. What
   * was written stays.
   */
  async run(): Promise<void> {
    if (this.#phase !== 'read') await this.#readPages();
    if (this.#phase === 'read') await this.#makeDeletions();
  }

  async #readPages(): Promise<void> {
    const { database, clock, reader, session, claim, fullRefresh, signal } = this.#context;
    const stream = this.#stream;
    const row = await findState(database.db, claim.integrationId, stream);
    // A full refresh starts over once, not again when another worker goes on with the run.
    const stored = fullRefresh && this.#phase === undefined ? null : (row?.state ?? null);
    const start = startOfStream(row, stored, (state) => reader.planRead(session, stream, state));
    this.#readId = start.readId;
    await writeInBatches({
      stream,
      read: (signal) => reader.readStream(session, { stream, state: start.state, signal }),
      write: (batch) => this.#write(batch, start.full),
      clock,
      signal,
    });
  }

  async #write(batch: RecordBatch, full: boolean): Promise<void> {
    const { claim, safetyPercent, clock, signal } = this.#context;
    const warnings = this.#warningsOf(batch);
    const { readId, phase } = await this.#fenced(async (tx) => {
      const readId = this.#readId ?? (await beginFullRead(tx, claim.integrationId, this.#stream));
      const counts: WriteCounts = { added: 0, updated: 0, deleted: 0, seen: 0 };
      for (const portion of batch.portions) {
        // What is rolled back here is read again.
        signal.throwIfAborted();
        add(counts, await writeRecords(tx, { ...this.#target, readId }, portion));
      }
      const completed = full && batch.last;
      const row = await saveState(tx, this.#target, batch.state, counts, completed);
      const decision = completed
        ? decideDeletions(this.#stream, row, safetyPercent, new Date(clock.now()))
        : {
            phase: batch.last ? ('done' as const) : ('reading' as const),
            pending: row.pending_deletions,
            warnings: [],
          };
      if (completed && (decision.pending ?? row.pending_deletions) !== null)
        await savePendingDeletions(tx, this.#target, decision.pending);
      await this.#advance(tx, {
        stream: this.#stream,
        phase: decision.phase,
        pages: batch.pages,
        recordsRead: batch.recordsRead,
        counts,
        warnings: [...warnings, ...decision.warnings],
      });
      return { readId, phase: decision.phase };
    });
    this.#readId = readId;
    this.#phase = phase;
    this.#context.onWritten();
  }

  /** After a complete full read: window by window, so that it can be interrupted and gone on with. */
  async #makeDeletions(): Promise<void> {
    const { database, claim, signal, onWritten } = this.#context;
    const row = await findState(database.db, claim.integrationId, this.#stream);
    const readId = row!.full_read_id!;
    let after: string | null = null;
    do {
      signal.throwIfAborted();
      after = await this.#fenced(async (tx) => {
        const { deleted, last } = await deleteUnseen(tx, { ...this.#target, readId }, after);
        const unseen = deleted > 0 ? await countDeletions(tx, this.#target, deleted) : Number.POSITIVE_INFINITY;
        const rest = unseen > 0 ? last : null;
        await this.#advance(tx, {
          stream: this.#stream,
          phase: rest === null ? 'done' : 'read',
          counts: { added: 0, updated: 0, deleted, seen: 0 },
        });
        return rest;
      });
      onWritten();
    } while (after !== null);
    this.#phase = 'done';
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
}
