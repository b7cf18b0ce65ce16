import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../core/ids.ts';
import { type Lines, readLines, type Segment, segmentAt } from './journalFiles.ts';
import { type JournalOwner, ownJournal } from './journalOwner.ts';

const SEGMENT_BYTES = 8 * 1024 * 1024;
/** Of one write. */
const MAX_GROUP_BYTES = 1024 * 1024;

interface Waiting {
  readonly line: string;
  readonly durable: boolean;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Lines of one process on their way to the database, in files that only grow. A line that was appended outlives the
 * process, however it ends; a durable one outlives the machine, too. Lines appended at the same time share a write.
 */
export class Journal {
  readonly id = newId('journal');
  readonly #folder: string;
  readonly #segments: Segment[] = [];
  #owner: JournalOwner | null = null;
  #handle: FileHandle | null = null;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #end = 0;

  /** @param root where the journals of all processes are; a folder of its own is made at the first line */
  constructor(root: string) {
    this.#folder = join(root, this.id);
  }

  /** Bytes appended so far. */
  get end(): number {
    return this.#end;
  }

  /** Lines that are not written yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Rejects with what the file system says; then the line is not in the journal. */
  append(line: string, durable: boolean): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ line, durable, done });
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return done.promise;
  }

  /** Resolves when every line appended before is written, or refused. */
  async settled(): Promise<void> {
    if (this.#running !== null) await this.append('', false).catch(() => {});
  }

  /** Lines appended from byte `from` on; null when there are none. */
  read(from: number, maxBytes: number): Promise<Lines | null> {
    return readLines(this.#segments, from, maxBytes, this.#end);
  }

  /** Deletes the files whose lines are all before byte `upTo`. */
  async forget(upTo: number): Promise<void> {
    // The last one is written to.
    while (this.#segments.length > 1 && this.#segments[1]!.start <= upTo) {
      const [oldest] = this.#segments.splice(0, 1);
      await rm(oldest!.path, { force: true });
    }
  }

  /** Ends it, and with `emptied` deletes its folder: all of it is in the database. */
  async close(emptied: boolean): Promise<void> {
    await this.#running;
    await this.#handle?.close();
    this.#handle = null;
    if (this.#owner === null) return;
    this.#owner.release();
    if (emptied) await rm(this.#folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    // What is logged in the same turn goes with the first write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#take();
      try {
        await this.#write(group);
        for (const { done } of group) done.resolve();
      } catch (error) {
        for (const { done } of group) done.reject(error);
      }
    }
  }

  #take(): Waiting[] {
    let chars = 0;
    const upTo = this.#waiting.findIndex(({ line }, index) => {
      chars += line.length;
      return chars > MAX_GROUP_BYTES && index > 0;
    });
    return this.#waiting.splice(0, upTo === -1 ? this.#waiting.length : upTo);
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    const bytes = Buffer.from(group.length === 1 ? group[0]!.line : group.map(({ line }) => line).join(''));
    const handle = await this.#currentFile();
    try {
      await handle.appendFile(bytes);
      if (group.some(({ durable }) => durable)) await handle.datasync();
    } catch (error) {
      // So that no half of a line stands before the next one.
      await handle.truncate(this.#end - this.#segments.at(-1)!.start).catch(() => {});
      throw error;
    }
    this.#end += bytes.length;
  }

  async #currentFile(): Promise<FileHandle> {
    const current = this.#segments.at(-1);
    if (this.#handle !== null && this.#end - current!.start < SEGMENT_BYTES) return this.#handle;
    if (this.#owner === null) {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      this.#owner = await ownJournal(this.#folder, this.id);
    }
    const segment = segmentAt(this.#folder, this.#end);
    const handle = await open(segment.path, 'a', 0o600);
    await this.#handle?.close();
    this.#handle = handle;
    if (current?.start !== segment.start) this.#segments.push(segment);
    return handle;
  }
}
