import { sql } from 'kysely';
import { type Clock, systemClock } from '../../core/clock.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Database } from '../../store/database.ts';
import { wordBits } from './wordBits.ts';

const BLOCK_RECORDS = 512;
/** Read at a time. */
const BLOCKS = 8;
const EVERY_MS = 5_000;
const MAX_RETRY_MS = 60_000;

/**
 * Notes for every 512 records which words their messages may hold, some seconds after they were written: writers pay
 * nothing for it. Any number of replicas may run one; they take turns.
 */
export class BlockMaker {
  readonly #database: Database;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: { readonly database: Database; readonly log: Log; readonly clock?: Clock }) {
    this.#database = parts.database;
    this.#log = parts.log;
    this.#clock = parts.clock ?? systemClock;
  }

  start(): void {
    this.#ended = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  /** Makes all that can be made now. */
  async catchUp(): Promise<void> {
    while (!this.#closing.signal.aborted && (await makeBlocks(this.#database)));
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#closing.signal.aborted) {
      const waitMs = Math.min(EVERY_MS * 2 ** failures, MAX_RETRY_MS);
      await this.#clock.sleep(waitMs, this.#closing.signal, { keepAlive: false }).catch(() => {});
      try {
        await this.catchUp();
        failures = 0;
      } catch (error) {
        if (failures++ === 0)
          this.#log.warn('Words of logs could not be noted; tried again', { reason: errorMessage(error) });
      }
    }
  }
}

/** Makes the next blocks that are full. @returns false when there were none, or somebody else is at it */
function makeBlocks(database: Database): Promise<boolean> {
  return database.transaction(async (tx) => {
    const { rows } = await sql<{ upto: number; next: number }>`
      select p.upto, s.next from log_block_progress p cross join log_sequence s for update of p skip locked`.execute(
      tx,
    );
    const progress = rows[0];
    if (progress === undefined) return false;
    const { upto } = progress;
    const count = Math.min(BLOCKS, Math.floor((progress.next - 1 - upto) / BLOCK_RECORDS));
    if (count === 0) return false;
    const last = upto + count * BLOCK_RECORDS;
    // A millisecond more, because a Date has no fractions of it. Messages hold no control characters, so that a word cannot reach from one into the next.
    const blocks = await sql<{ block: number; from_at: Date; to_at: Date; messages: string }>`
      select (seq - ${upto + 1}::bigint) / ${BLOCK_RECORDS}::bigint as block, min(observed_at) as from_at,
        max(observed_at) + interval '1 ms' as to_at, string_agg(message, ${'\n\n'}) as messages
      from logs where seq > ${upto}::bigint and seq <= ${last}::bigint group by 1`.execute(tx);
    for (const { block, from_at, to_at, messages } of blocks.rows) {
      const first_seq = upto + 1 + block * BLOCK_RECORDS;
      const row = { first_seq, last_seq: first_seq + BLOCK_RECORDS - 1, from_at, to_at, words: wordBits(messages) };
      await tx
        .insertInto('log_blocks')
        .values(row)
        .onConflict((oc) => oc.column('first_seq').doUpdateSet(row))
        .execute();
    }
    await tx.updateTable('log_block_progress').set({ upto: last }).execute();
    return true;
  });
}
