import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from '../core/ids.ts';
import { type Lines, readLines, type Segment, segmentAt } from './journalFiles.ts';
import { type JournalOwner, ownJournal } from './journalOwner.ts';

const SEGMENT_BYTES = 8 * 1024 * 1024;
/** Of one write; a line more may be in it. */
const MAX_GROUP_CHARS = 1024 * 1024;

/** Lines that share a write, and one promise for all who wait for it: a promise each would cost more than the write. */
class Group {
  readonly lines: string[] = [];
  readonly done = Promise.withResolvers<void>();
  durable = false;
  chars = 0;

  add(line: string, durable: boolean): void {
    this.lines.push(line);
    this.chars += line.length;
    if (durable) this.durable = true;
  }
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
  readonly #onWritten: (lines: number) => void;
  #groups: Group[] = [];
  #waiting = 0;
  #running: Promise<void> | null = null;
  #end = 0;

  /**
   * @param root where the journals of all processes are; a folder of its own is made at the first line
   * @param onWritten called after each write with how many lines it had; must not throw
   */
  constructor(root: string, onWritten: (lines: number) => void = () => {}) {
    this.#folder = join(root, this.id);
    this.#onWritten = onWritten;
  }

  /** Bytes appended so far. */
  get end(): number {
    return this.#end;
  }

  /** Lines that are not written yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Rejects with what the file system says; then the line is not in the journal. */
  append(line: string, durable: boolean): Promise<void> {
    let group = this.#groups.at(-1);
    if (group === undefined || group.chars >= MAX_GROUP_CHARS) {
      group = new Group();
      this.#groups.push(group);
    }
    group.add(line, durable);
    this.#waiting += 1;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return group.done.promise;
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
    for (let group = this.#groups.shift(); group !== undefined; group = this.#groups.shift()) {
      const count = group.lines.length;
      try {
        await this.#write(group);
        this.#onWritten(count);
        group.done.resolve();
      } catch (error) {
        group.done.reject(error);
      } finally {
        this.#waiting -= count;
      }
    }
  }

  async #write({ lines, durable }: Group): Promise<void> {
    const bytes = Buffer.from(lines.length === 1 ? lines[0]! : lines.join(''));
    const handle = await this.#currentFile();
    try {
      await handle.appendFile(bytes);
      if (durable) await handle.datasync();
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
