import { type Kysely, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import type { SearchColumns } from './event.ts';
import type { Finding } from './findings.ts';
import { KeptLeaves } from './keptLeaves.ts';
import { HASH_BYTES, subtreesOf } from './merkleTree.ts';
import type { VerifierKey } from './signedNote.ts';
import { NODE_LEVELS } from './storedHashes.ts';
import {
  type EntriesVerdict,
  type RecordedTree,
  type TreeState,
  type VerifiedRow,
  verifyEntries,
} from './verifyEntries.ts';

const BATCH_ROWS = 1_000;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Of more checkpoints every second, third, … is looked at, and the newest. */
const MAX_CHECKPOINTS = 10_000;

export interface DatabaseVerification {
  readonly key: VerifierKey;
  /** Notes kept outside the database. */
  readonly keptNotes: readonly string[];
  /** The file of kept leaf hashes, where there may be one. */
  readonly keptLeavesPath: string | null;
  /** Entries that were verified before; default none. */
  readonly from?: TreeState;
  /** At most so many entries; default all that there are. */
  readonly limit?: number;
  readonly onProgress?: (entries: number) => void;
}

export interface LogVerdict extends EntriesVerdict {
  /** How many signed checkpoints were compared. */
  readonly checkpoints: number;
  /** Whether kept leaf hashes were there to find the exact entry. */
  readonly exact: boolean;
  /** Whether it came to the end of the log. */
  readonly toEnd: boolean;
}

/**
 * Recomputes the audit log of a database: every leaf, every stored hash, every signed root. Entries that are added
 * meanwhile are left for the next time.
 */
export async function verifyDatabase(db: Kysely<Schema>, options: DatabaseVerification): Promise<LogVerdict> {
  const { key, from, limit = Number.POSITIVE_INFINITY } = options;
  const start = from?.size ?? 0;
  const stored = await readCheckpoints(db, key, start, start + limit);
  const recorded = await readTree(db);
  const size = Math.max(recorded.size, recorded.rows);
  const end = Math.min(size, start + limit);
  const toEnd = end === size;
  const keptNotes = options.keptNotes.filter((note) => isWithin(note, start, toEnd ? Number.POSITIVE_INFINITY : end));
  const kept = openAll(keptNotes, key);
  const checkpoints = merge(kept, stored.checkpoints);
  const leaves = options.keptLeavesPath === null ? null : await KeptLeaves.open(options.keptLeavesPath, checkpoints);
  try {
    const rows = readRows(db, start, end);
    const input = { rows, checkpoints, leaves, recorded, from, toEnd, onProgress: options.onProgress };
    const verdict = await verifyEntries(input);
    const finding =
      verdict.finding ??
      (size < start ? cutOff(size, start) : null) ??
      foreignFinding(keptNotes, key, verdict.entries) ??
      (await checkpointFinding(db, stored.forged, kept));
    return { ...verdict, finding, checkpoints: checkpoints.length, exact: (leaves?.trusted ?? 0) > 0, toEnd };
  } finally {
    await leaves?.close();
  }
}

/** Of a note, without looking at its signature. */
function isWithin(note: string, after: number, until: number): boolean {
  const size = Number(note.split('\n')[1]);
  // What names no size is looked at, once.
  return Number.isNaN(size) ? after === 0 : (size > after || after === 0) && size <= until;
}

function cutOff(size: number, verified: number): Finding {
  const detail = `${verified} entries were verified before, and the log ends after ${size}`;
  return { kind: 'truncation', seq: size, lastSeq: verified - 1, detail };
}

/** The checkpoints among notes; what is not signed by the key is left out. */
export function openAll(notes: readonly string[], key: VerifierKey): Checkpoint[] {
  const checkpoints = thin(notes).flatMap((note) => openCheckpoint(note, key) ?? []);
  return checkpoints.sort((a, b) => a.size - b.size);
}

function thin(notes: readonly string[]): readonly string[] {
  const every = Math.ceil(notes.length / MAX_CHECKPOINTS);
  return notes.filter((_, at) => at % every === 0 || at === notes.length - 1);
}

/** By size. Two of one size with different roots both stay, so that one of them cannot hold. */
export function merge(...lists: readonly (readonly Checkpoint[])[]): Checkpoint[] {
  const known = new Map(lists.flat().map((one) => [`${one.size} ${one.root.toString('hex')}`, one]));
  return [...known.values()].sort((a, b) => a.size - b.size);
}

async function readCheckpoints(
  db: Kysely<Schema>,
  key: VerifierKey,
  after: number,
  until: number,
): Promise<{ checkpoints: Checkpoint[]; forged: number | null }> {
  const { rows } = await sql<{ tree_size: number; root_hash: Buffer; note: string }>`
    select tree_size, root_hash, note
    from (
      select *, row_number() over (order by tree_size desc) - 1 as place, count(*) over () as total
      from audit_checkpoints
      where tree_size > ${after === 0 ? -1 : after} and tree_size <= ${Math.min(until, Number.MAX_SAFE_INTEGER)}
    ) numbered
    where place % ((total + ${MAX_CHECKPOINTS} - 1) / ${MAX_CHECKPOINTS}) = 0
    order by tree_size`.execute(db);
  const checkpoints: Checkpoint[] = [];
  for (const row of rows) {
    const checkpoint = openCheckpoint(row.note, key);
    if (checkpoint === null || checkpoint.size !== row.tree_size || !checkpoint.root.equals(row.root_hash))
      return { checkpoints, forged: row.tree_size };
    checkpoints.push(checkpoint);
  }
  return { checkpoints, forged: null };
}

/** Kept checkpoints that the key has not signed: the key that the database names is not the one there was. */
function foreignFinding(notes: readonly string[], key: VerifierKey, entries: number): Finding | null {
  const foreign = thin(notes).find((note) => openCheckpoint(note, key) === null);
  if (foreign === undefined) return null;
  const detail = 'a kept checkpoint is not signed by the key that verification was done with';
  return { kind: 'rewrite', seq: 0, lastSeq: Math.max(0, entries - 1), detail };
}

/** What is wrong with the table of checkpoints, where the entries themselves are right. */
async function checkpointFinding(
  db: Kysely<Schema>,
  forged: number | null,
  kept: readonly Checkpoint[],
): Promise<Finding | null> {
  if (forged !== null) {
    const detail = `the stored checkpoint of ${forged} entries is not signed by the key`;
    return { kind: 'edit', seq: forged - 1, lastSeq: forged - 1, detail };
  }
  const sizes = kept.map(({ size }) => size);
  const { rows } = await sql<{ size: number }>`
    select size from unnest(${sizes}::bigint[]) as size
    where not exists (select from audit_checkpoints where tree_size = size)
    order by size limit 1`.execute(db);
  const [missing] = rows;
  if (missing === undefined) return null;
  const detail = `the stored checkpoint of ${missing.size} entries is missing`;
  return { kind: 'deletion', seq: missing.size - 1, lastSeq: missing.size - 1, detail };
}

async function readTree(db: Kysely<Schema>): Promise<RecordedTree> {
  const { rows } = await sql<{ size: number | null; frontier: Buffer | null; rows: number }>`
    select coalesce((select max(seq) + 1 from audit_entries), 0) as rows, size, frontier
    from (values (1)) one left join audit_tree on true`.execute(db);
  const { size, frontier, rows: count } = rows[0]!;
  const expected = new Map<string, Buffer>();
  for (const [at, { start, end }] of subtreesOf(0, size ?? 0).entries()) {
    const leaves = end - start;
    const hash = frontier?.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
    if (hash?.length === HASH_BYTES) expected.set(`${Math.log2(leaves)}/${start / leaves}`, hash);
  }
  return {
    size: size ?? 0,
    rows: count,
    nodeHash: async (level, index) => {
      if (level === 0 || level % NODE_LEVELS !== 0) return expected.get(`${level}/${index}`);
      const row = await db
        .selectFrom('audit_nodes')
        .select('hash')
        .where('level', '=', level)
        .where('idx', '=', index)
        .executeTakeFirst();
      return row?.hash ?? expected.get(`${level}/${index}`);
    },
  };
}

async function* readRows(db: Kysely<Schema>, start: number, end: number): AsyncGenerator<VerifiedRow> {
  for (let next = start; next < end; ) {
    const { rows } = await sql<SearchColumns & { seq: number; event: Buffer; leaf_hash: Buffer }>`
      select seq, id, event, leaf_hash, occurred_at, actor_kind, actor_id, action, outcome, target_kind, target_id, integration_id
      from (
        select *, sum(length(event)) over (order by seq) - length(event) as bytes_before
        from (
          select * from audit_entries where seq >= ${next} and seq < ${end} order by seq limit ${BATCH_ROWS}
        ) next
      ) sized
      where bytes_before < ${BATCH_BYTES}
      order by seq`.execute(db);
    for (const { seq, event, leaf_hash, ...columns } of rows) yield { seq, event, leafHash: leaf_hash, columns };
    if (rows.length === 0) return;
    next = rows.at(-1)!.seq + 1;
  }
}
