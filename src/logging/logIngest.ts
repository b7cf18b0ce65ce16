import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../core/errors.ts';
import type { Database } from '../store/database.ts';
import { LogsOverloadedError } from './errors.ts';
import { Journal } from './journal.ts';
import { isMissingPartition, JournalLoader, makePartitions } from './journalLoader.ts';
import { finishJournal, loadLeftJournals } from './leftJournals.ts';
import { loadLines } from './loadLines.ts';
import { SEVERITIES } from './types.ts';

/** What is logged within this time shares a transaction; more than half a megabyte does not wait. */
const GATHER_MS = 40;
const GATHER_BYTES = 512 * 1024;
const FIRST_BACK_OFF_MS = 200;
const LONGEST_BACK_OFF_MS = 5_000;
const LOOK_FOR_LEFT_MS = 15_000;
const CLOSE_MS = 5_000;
/** Lines that wait for the file system. */
const MAX_WAITING = 100_000;
/** Lines that wait for the database directly, because the journal takes none. */
const MAX_DIRECT = 1_000;

export interface LogIngestOptions {
  /** Where journals are kept. */
  readonly root: string;
  /** How much may wait for the database. Records of error and critical may take a tenth more. */
  readonly maxBytes: number;
  /** Said to whoever watches the process; must not throw. */
  readonly onTrouble: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface LogIngestState {
  /** Records taken since the start. */
  readonly accepted: number;
  /** Records that were not taken, or not taken by the database, since the start. */
  readonly dropped: number;
  /** Bytes of this process that wait for the database. */
  readonly waitingBytes: number;
  /** Why the last try to load did not work; null when it did. */
  readonly failure: string | null;
}

/**
 * Takes lines at the speed of a file, and brings them into the database behind. While the database is away they wait
 * in the journal; when it holds its fill, what comes is dropped and counted.
 */
export class LogIngest {
  readonly #options: LogIngestOptions;
  readonly #journal: Journal;
  readonly #closing = new AbortController();
  #loader: JournalLoader | null = null;
  #database: Database | null = null;
  #loops: Promise<unknown> = Promise.resolve();
  #wake = Promise.withResolvers<void>();
  #failure: string | null = null;
  #accepted = 0;
  #dropped = 0;
  #direct = 0;
  #closed = false;
  #onCommitted: () => void = () => {};

  constructor(options: LogIngestOptions) {
    this.#options = options;
    this.#journal = new Journal(options.root, (lines) => {
      this.#accepted += lines;
      this.#wake.resolve();
    });
  }

  get state(): LogIngestState {
    return {
      accepted: this.#accepted,
      dropped: this.#dropped,
      waitingBytes: this.#waitingBytes,
      failure: this.#failure,
    };
  }

  get #waitingBytes(): number {
    return this.#journal.end - (this.#loader?.loaded ?? 0);
  }

  /**
   * Begins to load, also what processes before left. Lines may have been added already.
   * @param onCommitted called after each batch that is in the database; must not throw
   */
  start(database: Database, onCommitted: () => void): void {
    this.#onCommitted = onCommitted;
    this.#database = database;
    const onRefused = (reason: unknown): void => {
      this.#dropped += 1;
      this.#options.onTrouble('A log record was refused by the database', { reason: errorMessage(reason) });
    };
    const onFinished = (journal: string): void =>
      this.#options.onTrouble(
        'A process was killed, or ended while the database was away; what it had logged has been loaded',
        { eventName: 'log.recovered', journal },
      );
    const journal = this.#journal;
    const read = (from: number, maxBytes: number) => journal.read(from, maxBytes);
    const loader = new JournalLoader({ journalId: journal.id, read }, { database, onRefused });
    this.#loader = loader;
    this.#loops = Promise.all([this.#load(loader), this.#lookForLeft({ database, onRefused, onFinished })]);
  }

  /**
   * Resolves when the line outlives this process; with severity error and above, when it outlives the machine.
   * @throws LogsOverloadedError
   */
  add(line: string, severity: number): Promise<void> {
    const durable = severity >= SEVERITIES.error;
    if (this.#closed) return Promise.reject(this.#drop('The log is closed.'));
    const reserve = durable ? 1.1 : 1;
    if (this.#waitingBytes > this.#options.maxBytes * reserve) {
      const megabytes = Math.round(this.#options.maxBytes / 1024 / 1024);
      const why = this.#failure === null ? '' : ` (${this.#failure})`;
      return Promise.reject(
        this.#drop(`${megabytes} MB of log records wait for the database${why}, as many as LOG_SPILL_MB allows.`),
      );
    }
    if (this.#journal.waiting >= MAX_WAITING)
      return Promise.reject(this.#drop(`${MAX_WAITING} log records wait for the disk of the data folder.`));
    return this.#journal.append(line, durable).catch((error: unknown) => this.#insertDirectly(line, error));
  }

  /** Resolves when everything that was added before is in the database. Rejects when that does not work now. */
  async flush(): Promise<void> {
    await this.#journal.settled();
    const until = this.#journal.end;
    while (this.#loader !== null && this.#loader.loaded < until) {
      if (this.#failure !== null) throw new LogsOverloadedError(`The log cannot be written: ${this.#failure}`);
      this.#wake.resolve();
      await delay(5);
    }
  }

  /** Loads what is there, for a few seconds at most; the rest stays in the journal for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#journal.settled();
    if (this.#loader !== null) {
      const done = new AbortController();
      await Promise.race([
        this.flush().catch(() => {}),
        delay(CLOSE_MS, undefined, { signal: done.signal }).catch(() => {}),
      ]);
      // A process that waited for nothing else would otherwise stay until the time is over.
      done.abort();
    }
    this.#closing.abort();
    this.#wake.resolve();
    await this.#loops;
    const emptied = this.#loader !== null && this.#waitingBytes <= 0;
    if (emptied && this.#journal.end > 0) await finishJournal(this.#database!, this.#journal.id).catch(() => {});
    await this.#journal.close(emptied || this.#journal.end === 0);
  }

  async #load(loader: JournalLoader): Promise<void> {
    let backOffMs = 0;
    while (!this.#closing.signal.aborted) {
      try {
        const more = await loader.loadNext();
        if (more) this.#onCommitted();
        backOffMs = 0;
        if (this.#failure !== null) {
          this.#failure = null;
          this.#options.onTrouble('Log records are written again', {});
        }
        await this.#journal.forget(loader.loaded);
        if (more && this.#waitingBytes > 0) await this.#gather();
        else if (!more || this.#waitingBytes <= 0) await this.#idle();
      } catch (error) {
        const reason = errorMessage(error);
        if (this.#failure === null) this.#options.onTrouble('Log records wait for the database', { reason });
        this.#failure = reason;
        backOffMs = Math.min(LONGEST_BACK_OFF_MS, backOffMs * 2 || FIRST_BACK_OFF_MS);
        await this.#pause(backOffMs);
      }
    }
  }

  /** Waits for lines, and then for those that come soon after. */
  async #idle(): Promise<void> {
    if (this.#waitingBytes <= 0) await this.#wake.promise;
    this.#wake = Promise.withResolvers();
    await this.#gather();
  }

  async #gather(): Promise<void> {
    if (this.#waitingBytes < GATHER_BYTES && !this.#closed) await this.#pause(GATHER_MS);
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#closing.signal, ref: false }).catch(() => {});
  }

  async #lookForLeft(options: Parameters<typeof loadLeftJournals>[1]): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await loadLeftJournals(this.#options.root, options, this.#closing.signal);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#options.onTrouble('Log records of an earlier process wait', { reason: errorMessage(error) });
      }
      await this.#pause(LOOK_FOR_LEFT_MS);
    }
  }

  /** When the journal takes no line, such as on a full disk, only the database can keep it. */
  async #insertDirectly(line: string, cause: unknown): Promise<void> {
    const database = this.#database;
    if (database === null || this.#direct >= MAX_DIRECT) throw this.#drop(errorMessage(cause));
    this.#direct += 1;
    try {
      const lines = Buffer.from(line);
      await loadLines(database, lines, null).catch(async (error: unknown) => {
        if (!isMissingPartition(error)) throw error;
        await makePartitions(database, lines);
        await loadLines(database, lines, null);
      });
      this.#accepted += 1;
      this.#onCommitted();
    } catch (error) {
      throw this.#drop(errorMessage(error));
    } finally {
      this.#direct -= 1;
    }
  }

  #drop(reason: string): LogsOverloadedError {
    this.#dropped += 1;
    return new LogsOverloadedError(`The log record was dropped. ${reason}`);
  }
}
