import type { Kysely } from 'kysely';
import type { Schema } from '../store/schema.ts';
import { AuditTamperedError } from './errors.ts';
import { foldSubtrees, type LeafRange, nodeHash, subtreesOf } from './merkleTree.ts';

/** Of so many levels one is stored: level 0 with the entries, levels 8, 16, … in audit_nodes. */
export const NODE_LEVELS = 8;

/**
 * The hash of a node over these leaves, from what is stored: reads at most 256 hashes for each complete subtree.
 * Nothing vouches for what is stored; compare what is made of it with a checkpoint.
 * @throws AuditTamperedError when hashes are missing
 */
export async function storedNodeHash(db: Kysely<Schema>, { start, end }: LeafRange): Promise<Buffer> {
  const hashes: Buffer[] = [];
  for (const subtree of subtreesOf(start, end)) hashes.push(await subtreeHash(db, subtree));
  return foldSubtrees(hashes);
}

async function subtreeHash(db: Kysely<Schema>, { start, end }: LeafRange): Promise<Buffer> {
  const leaves = end - start;
  let [stored, leavesOfStored] = [0, 1];
  while (leavesOfStored * 2 ** NODE_LEVELS <= leaves) {
    stored += NODE_LEVELS;
    leavesOfStored *= 2 ** NODE_LEVELS;
  }
  const count = leaves / leavesOfStored;
  let hashes = await readHashes(db, stored, start / leavesOfStored, count);
  if (hashes.length !== count) {
    const what = stored === 0 ? 'entries' : 'hashes of subtrees';
    throw new AuditTamperedError(
      `Of the audit log's entries ${start} to ${end - 1}, ${what} are missing. "audit verify" says more.`,
      { details: { firstSeq: start, lastSeq: end - 1 } },
    );
  }
  while (hashes.length > 1) hashes = pairs(hashes);
  return hashes[0]!;
}

function pairs(hashes: readonly Buffer[]): Buffer[] {
  return Array.from({ length: hashes.length / 2 }, (_, at) => nodeHash(hashes[2 * at]!, hashes[2 * at + 1]!));
}

async function readHashes(db: Kysely<Schema>, level: number, from: number, count: number): Promise<Buffer[]> {
  const rows =
    level === 0
      ? await db
          .selectFrom('audit_entries')
          .select('leaf_hash as hash')
          .where('seq', '>=', from)
          .where('seq', '<', from + count)
          .orderBy('seq')
          .execute()
      : await db
          .selectFrom('audit_nodes')
          .select('hash')
          .where('level', '=', level)
          .where('idx', '>=', from)
          .where('idx', '<', from + count)
          .orderBy('idx')
          .execute();
  return rows.map(({ hash }) => hash);
}
