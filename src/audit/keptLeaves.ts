import { type FileHandle, open } from 'node:fs/promises';
import type { Checkpoint } from './checkpoint.ts';
import { CompactTree, HASH_BYTES } from './merkleTree.ts';

const PAGE_HASHES = 8_192;

/**
 * Leaf hashes kept outside the database. The file needs no trust: it counts as far as the tree over it has the roots
 * of signed checkpoints.
 */
export class KeptLeaves {
  readonly #file: FileHandle;
  #page: Buffer = Buffer.alloc(0);
  #pageStart = 0;
  /** How many of the hashes a checkpoint vouches for. */
  #trusted = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Null where there is no file. @param checkpoints signed ones, by size */
  static async open(path: string, checkpoints: readonly Checkpoint[]): Promise<KeptLeaves | null> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    const leaves = new KeptLeaves(file);
    await leaves.#trustAsSigned(checkpoints);
    return leaves;
  }

  get trusted(): number {
    return this.#trusted;
  }

  /** The hash of this leaf, which is one of the trusted. */
  async at(index: number): Promise<Buffer> {
    if (index < this.#pageStart || index >= this.#pageStart + this.#page.length / HASH_BYTES) await this.#read(index);
    const from = (index - this.#pageStart) * HASH_BYTES;
    return this.#page.subarray(from, from + HASH_BYTES);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #trustAsSigned(checkpoints: readonly Checkpoint[]): Promise<void> {
    const tree = CompactTree.empty();
    const { size } = await this.#file.stat();
    for (const checkpoint of checkpoints) {
      if (checkpoint.size > size / HASH_BYTES) return;
      while (tree.size < checkpoint.size) tree.append(Buffer.from(await this.at(tree.size)));
      if (!tree.root().equals(checkpoint.root)) return;
      this.#trusted = checkpoint.size;
    }
  }

  async #read(from: number): Promise<void> {
    const page = Buffer.alloc(PAGE_HASHES * HASH_BYTES);
    const { bytesRead } = await this.#file.read(page, 0, page.length, from * HASH_BYTES);
    this.#page = page.subarray(0, bytesRead - (bytesRead % HASH_BYTES));
    this.#pageStart = from;
  }
}
