import type { Checkpoint } from './checkpoint.ts';
import { type SearchColumns, searchColumns } from './event.ts';
import { classifyDifference, type Finding, findExchange, type TamperingKind } from './findings.ts';
import type { KeptLeaves } from './keptLeaves.ts';
import { Lookahead } from './lookahead.ts';
import { CompactTree, leafHash } from './merkleTree.ts';

/** How far ahead a moved entry is looked for. */
const LOOKAHEAD_ROWS = 2_048;
/** Subtrees up to so many leaves are searched for two exchanged ones. */
const EXCHANGE_LEAVES = 256;

export interface VerifiedRow {
  readonly seq: number;
  readonly event: Buffer;
  /** As it is stored beside the event. */
  readonly leafHash: Buffer;
  /** As they are stored beside the event; null where there are none, as in an export. */
  readonly columns: SearchColumns | null;
}

/** What the database says about its own tree. Nothing vouches for it, but who changes an entry has to change it too. */
export interface RecordedTree {
  readonly size: number;
  /** One more than the highest seq there is. */
  readonly rows: number;
  /** The stored hash of a complete subtree; undefined where none is stored. */
  readonly nodeHash: (level: number, index: number) => Promise<Buffer | undefined>;
}

/** A tree over the first entries, to go on from. */
export interface TreeState {
  readonly size: number;
  /** As `CompactTree.frontier` gives it. */
  readonly frontier: Buffer;
}

export interface VerificationInput {
  readonly rows: AsyncIterable<VerifiedRow>;
  /** Signed by the log's key, by size. */
  readonly checkpoints: readonly Checkpoint[];
  readonly leaves: KeptLeaves | null;
  readonly recorded: RecordedTree | null;
  /** Entries that were verified before; default none. `rows` and `checkpoints` are those after it. */
  readonly from?: TreeState;
  /** Whether the rows go on to the end of the log. Default true. */
  readonly toEnd?: boolean;
  readonly onProgress?: (entries: number) => void;
}

export interface EntriesVerdict {
  readonly entries: number;
  readonly root: Buffer;
  /** To go on from, when nothing was found. */
  readonly tree: TreeState;
  /** How many of the entries a checkpoint vouches for. */
  readonly signedSize: number;
  readonly finding: Finding | null;
}

/** Recomputes the whole tree from the entries, and stops at the first thing that is wrong. */
export async function verifyEntries(input: VerificationInput): Promise<EntriesVerdict> {
  const verification = new Verification(input);
  const finding = await verification.run();
  return {
    entries: verification.tree.size,
    root: verification.tree.root(),
    tree: { size: verification.tree.size, frontier: verification.tree.frontier },
    signedSize: verification.signedSize,
    finding,
  };
}

class Verification {
  readonly tree: CompactTree;
  signedSize: number;
  readonly #input: VerificationInput;
  readonly #rows: Lookahead<VerifiedRow>;
  /** The last leaf hashes, for who looks back. */
  readonly #recent: Buffer[] = [];
  #nextCheckpoint = 0;

  constructor(input: VerificationInput) {
    this.#input = input;
    this.#rows = new Lookahead(input.rows);
    const { from } = input;
    this.tree = from === undefined ? CompactTree.empty() : CompactTree.restore(from.size, from.frontier);
    this.signedSize = this.tree.size;
  }

  async run(): Promise<Finding | null> {
    try {
      for (;;) {
        const row = await this.#rows.peek();
        if (row === undefined) return this.#input.toEnd === false ? null : this.#atEnd();
        const finding = (await this.#checkRow(row)) ?? (await this.#append(row));
        if (finding !== null) return finding;
        this.#rows.skip();
        if (this.tree.size % 10_000 === 0) this.#input.onProgress?.(this.tree.size);
      }
    } finally {
      await this.#rows.close();
    }
  }

  async #checkRow({ seq, event, leafHash: stored, columns }: VerifiedRow): Promise<Finding | null> {
    const index = this.tree.size;
    if (seq !== index) return await this.#outOfSequence(seq);
    const { recorded, leaves } = this.#input;
    const hash = leafHash(event);
    const expected = index < (leaves?.trusted ?? 0) ? await leaves!.at(index) : stored;
    if (!hash.equals(expected)) return await this.#classify(index);
    if (!hash.equals(stored)) return found('edit', index, 'the stored leaf hash does not belong to the event');
    const column = columns === null ? undefined : differentColumn(columns, searchColumns(event));
    if (column !== undefined) return found('edit', index, `the column ${column} does not say what the event says`);
    if (recorded !== null && index >= recorded.size)
      return found('insertion', index, `the tree has only ${recorded.size} entries`);
    return null;
  }

  async #outOfSequence(seq: number): Promise<Finding> {
    const index = this.tree.size;
    if (seq < index) return found('insertion', index, `number ${seq} comes a second time`);
    const later = (await this.#rows.window(LOOKAHEAD_ROWS)).some((row) => row.seq === index);
    if (later) return found('reordering', index, `number ${seq} stands in its place`);
    return found('deletion', index, index === seq - 1 ? 'it is missing' : `${index} to ${seq - 1} are missing`);
  }

  /** The hash of an event is not the expected one. */
  async #classify(index: number): Promise<Finding> {
    const window = await this.#rows.window(LOOKAHEAD_ROWS);
    const trusted = this.#input.leaves?.trusted ?? 0;
    const actual = window.map(({ event }) => leafHash(event));
    const expected: Buffer[] = [];
    if (index < trusted) {
      const { leaves } = this.#input;
      for (let at = index; at < Math.min(trusted, index + LOOKAHEAD_ROWS); at++) expected.push(await leaves!.at(at));
    } else {
      for (const row of window) expected.push(row.leafHash);
    }
    const kind = classifyDifference(actual, expected);
    const witness = index < trusted ? 'the kept leaf hash' : 'the leaf hash beside it';
    return found(kind, index, `the event is not the one that ${witness} was made of`);
  }

  /** Adds the leaf, and compares every subtree that it completes, and the root where one was signed. */
  async #append(row: VerifiedRow): Promise<Finding | null> {
    const hash = leafHash(row.event);
    const completed: { level: number; index: number; hash: Buffer }[] = [{ level: 0, index: row.seq, hash }];
    this.tree.append(hash, (level, index, node) => void completed.push({ level, index, hash: node }));
    this.#recent.push(hash);
    if (this.#recent.length > 2 * EXCHANGE_LEAVES) this.#recent.splice(0, EXCHANGE_LEAVES);
    for (const node of completed) {
      const stored = await this.#input.recorded?.nodeHash(node.level, node.index);
      if (stored !== undefined && !stored.equals(node.hash))
        return this.#subtreeDiffers(node.level, node.index, stored);
    }
    return this.#checkRoot();
  }

  #checkRoot(): Finding | null {
    const { checkpoints } = this.#input;
    for (let next = checkpoints[this.#nextCheckpoint]; next !== undefined; next = checkpoints[this.#nextCheckpoint]) {
      if (next.size > this.tree.size) return null;
      if (next.size === this.tree.size && !next.root.equals(this.tree.root())) {
        const detail = `the tree of ${next.size} entries is not the one that was signed`;
        return { kind: this.#kindByCount('rewrite'), seq: this.signedSize, lastSeq: next.size - 1, detail };
      }
      this.signedSize = next.size;
      this.#nextCheckpoint += 1;
    }
    return null;
  }

  #subtreeDiffers(level: number, index: number, stored: Buffer): Finding {
    const leaves = 2 ** level;
    const [seq, lastSeq] = [index * leaves, (index + 1) * leaves - 1];
    const detail = 'the stored hash of their subtree is not made of them';
    // Of a subtree that began before this verification did, not all leaves are at hand.
    const atHand = leaves <= Math.min(EXCHANGE_LEAVES, this.#recent.length);
    const exchanged = atHand ? findExchange(this.#recent.slice(-leaves), stored) : null;
    if (exchanged === null) return { kind: this.#kindByCount('edit'), seq, lastSeq, detail };
    const [first, second] = exchanged;
    return found('reordering', seq + first, `it and ${seq + second} stand in each other's place`);
  }

  /** Only the number of entries tells what was done to them. */
  #kindByCount(otherwise: TamperingKind): TamperingKind {
    const { recorded, checkpoints } = this.#input;
    if (recorded === null) return otherwise;
    if (recorded.rows < Math.max(recorded.size, checkpoints.at(-1)?.size ?? 0)) return 'deletion';
    return recorded.rows > recorded.size ? 'insertion' : otherwise;
  }

  #atEnd(): Finding | null {
    const { recorded, checkpoints } = this.#input;
    const size = Math.max(recorded?.size ?? 0, checkpoints.at(-1)?.size ?? 0);
    const rows = this.tree.size;
    if (rows >= size) return null;
    return {
      kind: 'truncation',
      seq: rows,
      lastSeq: size - 1,
      detail: `the log had ${size} entries and ends after ${rows}`,
    };
  }
}

function found(kind: TamperingKind, seq: number, detail: string): Finding {
  return { kind, seq, lastSeq: seq, detail };
}

function differentColumn(stored: SearchColumns, wanted: SearchColumns): string | undefined {
  const text = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));
  const names = Object.keys(wanted) as (keyof SearchColumns)[];
  return names.find((name) => text(stored[name]) !== text(wanted[name]));
}
