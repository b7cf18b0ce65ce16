import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import { sql, type Transaction } from 'kysely';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { LogSearchBusyError, LogSearchStoppedError } from './errors.ts';

/** Longest a search may take the database. */
export const SEARCH_TIMEOUT_MS = 3_000;
/** Of the pool's connections, so that searches never take all. */
const MAX_RUNNING = 3;
const MAX_WAITING = 60;
const QUERY_CANCELED = '57014';

/** Runs reads of the logs that may turn out to be large: few at a time, and none for long. */
export class BoundedReads {
  readonly #database: Database;
  readonly #timeoutMs: number;
  readonly #places = bulkhead(MAX_RUNNING, MAX_WAITING);

  constructor(database: Database, timeoutMs: number) {
    this.#database = database;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws LogSearchStoppedError, LogSearchBusyError, UnavailableError */
  async run<T>(read: (tx: Transaction<Schema>) => Promise<T>, timeoutMs: number = this.#timeoutMs): Promise<T> {
    try {
      return await this.#places.execute(() =>
        this.#database.transaction(async (tx) => {
          // Of this transaction alone. Compiling a plan (jit) would cost more than it saves here.
          await sql`select set_config('statement_timeout', ${String(timeoutMs)}, true), set_config('jit', 'off', true),
            set_config('transaction_read_only', 'on', true)`.execute(tx);
          return await read(tx);
        }),
      );
    } catch (error) {
      if (error instanceof BulkheadRejectedError) throw new LogSearchBusyError();
      if ((error as { code?: unknown } | null)?.code === QUERY_CANCELED) throw new LogSearchStoppedError(timeoutMs);
      throw error;
    }
  }
}
