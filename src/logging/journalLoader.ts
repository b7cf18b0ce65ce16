import type { Database } from '../store/database.ts';
import { ensurePartitions } from '../store/partitions.ts';
import type { Lines } from './journalFiles.ts';
import { loadLines } from './loadLines.ts';

/** Of one transaction, which holds the next number meanwhile. */
const BATCH_BYTES = 4 * 1024 * 1024;

const NEWLINE = 10;
const NO_LINES = Buffer.alloc(0);

/** Where lines come from: a journal of this process, or what another one left. */
export interface LineSource {
  readonly journalId: string;
  read(from: number, maxBytes: number): Promise<Lines | null>;
}

export interface LoaderOptions {
  readonly database: Database;
  /** A line that the table does not take, which a crash of the machine may have made of it. */
  readonly onRefused: (reason: unknown) => void;
}

/** Brings the lines of a journal into the database, in order, each once. */
export class JournalLoader {
  readonly #source: LineSource;
  readonly #options: LoaderOptions;
  #loaded = 0;
  /** Read while the database took what was before it. */
  #ahead: Lines | null = null;

  constructor(source: LineSource, options: LoaderOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Bytes of the journal that are in the database. */
  get loaded(): number {
    return this.#loaded;
  }

  /**
   * Loads up to four megabytes.
   * @returns false when there was nothing to load
   * @throws whatever the database does; nothing of it is loaded then, or all, and the next call finds out
   */
  async loadNext(): Promise<boolean> {
    const lines = await this.#read();
    if (lines === null) return false;
    const reading = this.#source.read(lines.to, BATCH_BYTES).catch(() => null);
    // What lies between is the rest of a line that was cut off.
    await this.#load(lines.bytes, this.#loaded, lines.to);
    this.#ahead = await reading;
    return true;
  }

  #read(): Promise<Lines | null> | Lines | null {
    const ahead = this.#ahead;
    this.#ahead = null;
    // When there was little to read, there is more by now.
    const isGood = ahead !== null && ahead.bytes.length > BATCH_BYTES / 2 && this.#loaded === ahead.from;
    return isGood ? ahead : this.#source.read(this.#loaded, BATCH_BYTES);
  }

  async #load(lines: Buffer, from: number, to: number): Promise<void> {
    const { database } = this.#options;
    const place = { journalId: this.#source.journalId, from, to };
    try {
      this.#loaded = await loadLines(database, lines, place);
    } catch (error) {
      if (isMissingPartition(error)) {
        await makePartitions(database, lines);
        this.#loaded = await loadLines(database, lines, place);
        return;
      }
      if (!isFaultOfData(error)) throw error;
      // A line that the table does not take must not keep the others out: halve until it stands alone.
      const half = middleOf(lines);
      if (half === lines.length) {
        this.#options.onRefused(error);
        this.#loaded = await loadLines(database, NO_LINES, place);
        return;
      }
      const middle = to - (lines.length - half);
      await this.#load(lines.subarray(0, half), from, middle);
      if (this.#loaded === middle) await this.#load(lines.subarray(half), middle, to);
    }
  }
}

/** Where the line after the one in the middle begins; the end when there is one line. */
function middleOf(lines: Buffer): number {
  const before = lines.lastIndexOf(NEWLINE, Math.floor(lines.length / 2)) + 1;
  return before > 0 ? before : lines.indexOf(NEWLINE) + 1;
}

/** Lines that waited for days, or come from an archive, may be of a day that has no partition any more. */
export async function makePartitions(database: Database, lines: Buffer): Promise<void> {
  const days = new Set(
    lines
      .toString('latin1')
      .split('\n')
      .map((line) => line.slice(0, 10)),
  );
  for (const day of days) {
    const date = new Date(`${day}T00:00:00Z`);
    if (!Number.isNaN(date.getTime())) await ensurePartitions(database, 'logs', date, 1);
  }
}

/** check_violation: "no partition of relation found for row". */
export function isMissingPartition(error: unknown): boolean {
  return codeOf(error) === '23514';
}

/** SQLSTATE classes 22 (data exception) and 23 (constraint). */
function isFaultOfData(error: unknown): boolean {
  return /^2[23]/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}
