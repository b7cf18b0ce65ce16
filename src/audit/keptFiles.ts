import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { Schema } from '../store/schema.ts';
import { splitNotes } from './checkpoint.ts';
import { HASH_BYTES } from './merkleTree.ts';

const PAGE_CHECKPOINTS = 500;
const PAGE_LEAVES = 10_000;
const TAIL_BYTES = 64 * 1024;

/** Where a process keeps outside the database what convicts a changed database. */
export interface KeptPaths {
  /** Every checkpoint, one after the other. */
  readonly checkpoints: string;
  /** The leaf hashes, 32 bytes each, in the order of the entries: with them a changed row is found, not only noticed. */
  readonly leaves: string;
}

export function keptPaths(dataDir: string): KeptPaths {
  const folder = join(dataDir, 'audit');
  return { checkpoints: join(folder, 'checkpoints.log'), leaves: join(folder, 'leaves.bin') };
}

/** The checkpoints that were kept; none where there is no file. */
export async function readKeptNotes(dataDir: string): Promise<string[]> {
  const text = await readFile(keptPaths(dataDir).checkpoints, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return splitNotes(text);
}

/** Copies new checkpoints and the leaf hashes under them into files, each synced to the disk. */
export class KeptFiles {
  readonly #folder: string;
  readonly #paths: KeptPaths;
  #keptSize: number | null = null;

  constructor(dataDir: string) {
    this.#folder = join(dataDir, 'audit');
    this.#paths = keptPaths(dataDir);
  }

  /**
   * Catches up with a database whose newest checkpoint covers `signedSize` entries; goes on where a killed process was.
   * @returns how many entries the kept checkpoints cover; more than `signedSize`: the database is an older one
   */
  async catchUp(db: Kysely<Schema>, signedSize: number): Promise<number> {
    this.#keptSize ??= await this.#open();
    while (this.#keptSize < signedSize) {
      const rows = await db
        .selectFrom('audit_checkpoints')
        .select(['tree_size', 'note'])
        .where('tree_size', '>', this.#keptSize)
        .orderBy('tree_size')
        .limit(PAGE_CHECKPOINTS)
        .execute();
      const last = rows.at(-1);
      if (last === undefined) break;
      // Leaves first: of every kept checkpoint the leaves are there.
      await this.#copyLeaves(db, last.tree_size);
      await appendSynced(this.#paths.checkpoints, rows.map(({ note }) => `${note}\n`).join(''));
      this.#keptSize = last.tree_size;
    }
    return this.#keptSize;
  }

  /** Makes the folder, takes back what a killed process had half written, and gives the size of the last checkpoint. */
  async #open(): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(this.#paths.checkpoints, 'a+', 0o600);
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - TAIL_BYTES);
      const tail = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const text = tail.buffer.toString();
      const whole = /^[\s\S]*\n— [^\n]*\n\n/.exec(text)?.[0] ?? '';
      if (whole.length < text.length) await file.truncate(size - Buffer.byteLength(text.slice(whole.length)));
      return sizeOf(splitNotes(whole).at(-1));
    } finally {
      await file.close();
    }
  }

  /** At their places, so that writing them twice, or by two processes, does no harm. */
  async #copyLeaves(db: Kysely<Schema>, until: number): Promise<void> {
    const { leaves } = this.#paths;
    const file = await open(leaves, 'a', 0o600).then((made) => made.close().then(() => open(leaves, 'r+')));
    try {
      let next = Math.floor((await file.stat()).size / HASH_BYTES);
      while (next < until) {
        const rows = await db
          .selectFrom('audit_entries')
          .select('leaf_hash')
          .where('seq', '>=', next)
          .where('seq', '<', Math.min(until, next + PAGE_LEAVES))
          .orderBy('seq')
          .execute();
        if (rows.length === 0) break;
        const bytes = Buffer.concat(rows.map(({ leaf_hash }) => leaf_hash));
        await file.write(bytes, 0, bytes.length, next * HASH_BYTES);
        next += rows.length;
      }
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

function sizeOf(note: string | undefined): number {
  return Number(note?.split('\n')[1] ?? 0) || 0;
}

async function appendSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.write(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}
