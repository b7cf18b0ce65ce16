import type { QueryConfig } from 'pg';
import { errorMessage } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { translateError } from '../store/pool.ts';
import type { AttemptRecord, AttemptSink } from './types.ts';

const MAX_BUFFERED = 10_000;
const BATCH_ROWS = 500;
const BATCH_INTERVAL_MS = 500;
const FIRST_BACK_OFF_MS = 1_000;
const LONGEST_BACK_OFF_MS = 30_000;
const QUERY_TIMEOUT_MS = 10_000;
const MAX_ERROR_CHARS = 1_000;

/** The columns, their types, and where their values come from. */
const COLUMNS: readonly (readonly [name: string, type: string, value: (attempt: AttemptRecord) => unknown])[] = [
  ['id', 'text', (one) => one.id],
  ['operation_id', 'text', (one) => one.operationId],
  ['integration_id', 'text', (one) => one.integrationId],
  ['operation', 'text', (one) => one.operation],
  ['attempt', 'smallint', (one) => one.attempt],
  ['method', 'text', (one) => one.method],
  ['host', 'text', (one) => one.host],
  ['path', 'text', (one) => one.path],
  ['status', 'smallint', (one) => one.status],
  ['outcome', 'text', (one) => one.outcome],
  ['started_at', 'timestamptz', (one) => one.startedAt],
  ['duration_ms', 'real', (one) => one.durationMs],
  ['wait_ms', 'real', (one) => one.waitMs],
  ['first_byte_ms', 'real', (one) => one.firstByteMs],
  ['response_bytes', 'bigint', (one) => one.responseBytes],
  // PostgreSQL stores no NUL.
  ['error', 'text', (one) => one.error?.replaceAll('\0', '').slice(0, MAX_ERROR_CHARS) ?? null],
];

/** A batch may be sent twice when its confirmation was lost, so rows already there are passed over. */
const INSERT = {
  text: `
  insert into outgoing_attempts (${COLUMNS.map(([name]) => name).join(', ')})
  select * from unnest(${COLUMNS.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ')})
  on conflict do nothing`,
};

/**
 * Writes what the pipeline records into `outgoing_attempts`: in batches of up to 500 rows, at the latest after
 * half a second. While the database is away up to 10,000 attempts are kept and tried again with growing pauses
 * (1 to 30 seconds); what comes on top is dropped and counted. What is not yet written is lost with the process:
 * attempts are evidence, not state.
 */
export class AttemptLog implements AttemptSink {
  readonly #database: Pick<Database, 'pool'>;
  readonly #log: Log;
  readonly #buffer: AttemptRecord[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> | null = null;
  #batchRows = BATCH_ROWS;
  #backOffMs = 0;
  /** Attempts taken in, and those of them that are written or given up. */
  #accepted = 0;
  #finished = 0;
  #dropped = 0;
  #closed = false;

  constructor(database: Pick<Database, 'pool'>, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /** Attempts that could not be kept. */
  get dropped(): number {
    return this.#dropped;
  }

  record(attempt: AttemptRecord): void {
    if (this.#closed || this.#buffer.length >= MAX_BUFFERED) {
      this.#drop(1, this.#closed ? 'the log is closed' : 'the buffer is full');
      return;
    }
    this.#buffer.push(attempt);
    this.#accepted += 1;
    if (this.#backOffMs === 0) this.#schedule(this.#buffer.length % BATCH_ROWS === 0 ? 0 : BATCH_INTERVAL_MS);
  }

  /**
   * Writes everything recorded before the call.
   * @throws UnavailableError the database is away; it is tried again by itself
   */
  async flush(): Promise<void> {
    const until = this.#accepted;
    while (this.#finished < until) await this.#write();
  }

  /** Writes what is left, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer ?? undefined);
    try {
      await this.flush();
    } catch (error) {
      this.#drop(this.#buffer.length, errorMessage(error));
    }
  }

  #schedule(delayMs: number): void {
    if (this.#closed || (this.#timer !== null && delayMs > 0)) return;
    clearTimeout(this.#timer ?? undefined);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#write().catch(() => {
        // Said and scheduled again by #writeBatch.
      });
    }, delayMs);
    this.#timer.unref();
  }

  /** One batch at a time, whoever asks. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeBatch().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#buffer.slice(0, this.#batchRows);
    if (batch.length === 0) return;
    try {
      const values = COLUMNS.map(([, , value]) => batch.map(value));
      const statement: QueryConfig & { query_timeout: number } = { ...INSERT, values, query_timeout: QUERY_TIMEOUT_MS };
      await this.#database.pool.query(statement);
    } catch (error) {
      if (!isFaultOfData(error)) {
        this.#backOff(error);
        throw translateError(error);
      }
      // A row that the table does not take must not keep the others out: halve until it stands alone.
      if (batch.length > 1) this.#batchRows = Math.ceil(batch.length / 2);
      else {
        this.#finish(1);
        this.#drop(1, errorMessage(error));
      }
      this.#schedule(0);
      return;
    }
    this.#finish(batch.length);
    this.#backOffMs = 0;
    this.#batchRows = Math.min(BATCH_ROWS, this.#batchRows * 2);
    if (this.#buffer.length > 0) this.#schedule(this.#buffer.length >= this.#batchRows ? 0 : BATCH_INTERVAL_MS);
  }

  #backOff(error: unknown): void {
    if (this.#backOffMs === 0) {
      this.#log.warn('The attempts of outgoing calls cannot be written; trying again', { reason: errorMessage(error) });
    }
    this.#backOffMs = Math.min(LONGEST_BACK_OFF_MS, this.#backOffMs * 2 || FIRST_BACK_OFF_MS);
    this.#schedule(this.#backOffMs);
  }

  #finish(rows: number): void {
    this.#buffer.splice(0, rows);
    this.#finished += rows;
  }

  #drop(rows: number, reason: string): void {
    // Said for the first and for every thousandth after it, not for each.
    const said = Math.ceil(this.#dropped / 1_000);
    this.#dropped += rows;
    if (Math.ceil(this.#dropped / 1_000) > said) {
      this.#log.warn('Attempts of outgoing calls were not recorded', { dropped: this.#dropped, reason });
    }
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (constraint, a missing partition included). */
function isFaultOfData(error: unknown): boolean {
  return /^2[23]/.test(String((error as { code?: unknown } | null)?.code ?? ''));
}
