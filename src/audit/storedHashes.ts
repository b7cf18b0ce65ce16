import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Schema } from '../store/schema.ts';
import { AuditTamperedError } from './errors.ts';
import { foldSubtrees, type LeafRange, nodeHash, subtreesOf } from './merkleTree.ts';

/** Of so many levels one is stored: level 0 with the entries, levels 8, 16, … in audit_nodes. */
export const NODE_LEVELS = 8;

/** Hashes read at a time: those below one stored hash of the next stored level. */
const PAGE_HASHES = 2 ** NODE_LEVELS;
const MAX_PAGES = 64;

/**
 * The hashes of nodes of the tree as it was with `size` entries, from what is stored. Nothing vouches for what is
 * stored: compare what is made of it with a checkpoint. Pages that were read are remembered, so that the proofs of
 * entries close to each other read little more than one.
 */
export class StoredHashes {
  readonly #db: Kysely<Schema>;
  readonly #pages = new LRUCache<string, readonly Buffer[]>({ max: MAX_PAGES });

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** The hash of the node over these leaves. @throws AuditTamperedError when hashes are missing */
  async nodeOver({ start, end }: LeafRange): Promise<Buffer> {
    const hashes: Buffer[] = [];
    for (const subtree of subtreesOf(start, end)) hashes.push(await this.#subtree(subtree));
    return foldSubtrees(hashes);
  }

  async #subtree({ start, end }: LeafRange): Promise<Buffer> {
    const leaves = end - start;
    let [level, leavesOfStored] = [0, 1];
    while (leavesOfStored * PAGE_HASHES <= leaves) {
      level += NODE_LEVELS;
      leavesOfStored *= PAGE_HASHES;
    }
    // A complete subtree begins at a multiple of its size, so what is below it lies in one page.
    const first = start / leavesOfStored;
    const page = await this.#page(level, Math.floor(first / PAGE_HASHES));
    let hashes = page.slice(first % PAGE_HASHES, (first % PAGE_HASHES) + leaves / leavesOfStored);
    if (hashes.length !== leaves / leavesOfStored) throw missing(start, end, level);
    while (hashes.length > 1) hashes = pairs(hashes);
    return hashes[0]!;
  }

  async #page(level: number, index: number): Promise<readonly Buffer[]> {
    const name = `${level}/${index}`;
    let page = this.#pages.get(name);
    if (page === undefined) {
      page = await readHashes(this.#db, level, index * PAGE_HASHES);
      this.#pages.set(name, page);
    }
    return page;
  }
}

function pairs(hashes: readonly Buffer[]): Buffer[] {
  return Array.from({ length: hashes.length / 2 }, (_, at) => nodeHash(hashes[2 * at]!, hashes[2 * at + 1]!));
}

function missing(start: number, end: number, level: number): AuditTamperedError {
  const what = level === 0 ? 'entries' : 'hashes of subtrees';
  return new AuditTamperedError(
    `Of the audit log's entries ${start} to ${end - 1}, ${what} are missing. "audit verify" says more.`,
    { details: { firstSeq: start, lastSeq: end - 1 } },
  );
}

async function readHashes(db: Kysely<Schema>, level: number, from: number): Promise<Buffer[]> {
  const rows =
    level === 0
      ? await db
          .selectFrom('audit_entries')
          .select('leaf_hash as hash')
          .where('seq', '>=', from)
          .where('seq', '<', from + PAGE_HASHES)
          .orderBy('seq')
          .execute()
      : await db
          .selectFrom('audit_nodes')
          .select('hash')
          .where('level', '=', level)
          .where('idx', '>=', from)
          .where('idx', '<', from + PAGE_HASHES)
          .orderBy('idx')
          .execute();
  return rows.map(({ hash }) => hash);
}
