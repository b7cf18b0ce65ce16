import type { Transaction } from 'kysely';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { type Checkpoint, signCheckpoint } from './checkpoint.ts';
import { searchColumns } from './event.ts';
import { CompactTree, leafHash } from './merkleTree.ts';
import {
  findWork,
  insertCheckpoint,
  insertEntries,
  insertNodes,
  lockTree,
  type NewEntry,
  type PendingRow,
  type StoredNode,
  takePending,
  updateTree,
} from './sequencerQueries.ts';
import type { SignerKey } from './signedNote.ts';
import { NODE_LEVELS } from './storedHashes.ts';

const BATCH_ROWS = 1_000;
/** A checkpoint is signed after so many entries, or so long after the first one that none covers. */
const CHECKPOINT_ROWS = 1_000;
const CHECKPOINT_MS = 60_000;

export interface SequencerOptions {
  /** Rows moved in one transaction. Default 1,000. */
  readonly batchRows?: number;
  /** Default 1,000. */
  readonly checkpointRows?: number;
  /** Default 60,000. */
  readonly checkpointMs?: number;
}

interface Dependencies {
  readonly database: Database;
  /** The key to sign with, made at its first use; in the transaction, which has the tree locked. */
  readonly signer: (tx: Transaction<Schema>) => Promise<SignerKey>;
  /** Has a new checkpoint sent out if and only if the transaction commits. */
  readonly announce: (tx: Transaction<Schema>, checkpoint: Checkpoint) => Promise<void>;
}

/**
 * Gives what was recorded its place: moves it from audit_pending into the tree, in batches, and signs checkpoints.
 * One process at a time does it, whoever has the row of audit_tree locked; a batch is one transaction, so a process
 * killed anywhere leaves nothing half done.
 */
export class Sequencer {
  readonly #deps: Dependencies;
  readonly #batchRows: number;
  readonly #checkpointRows: number;
  readonly #checkpointMs: number;

  constructor(deps: Dependencies, options: SequencerOptions = {}) {
    this.#deps = deps;
    this.#batchRows = options.batchRows ?? BATCH_ROWS;
    this.#checkpointRows = options.checkpointRows ?? CHECKPOINT_ROWS;
    this.#checkpointMs = options.checkpointMs ?? CHECKPOINT_MS;
  }

  /** Moves a batch of what is pending and signs what is due, unless another process is at it. */
  async run(): Promise<{ moved: number; full: boolean; signedSize: number }> {
    const { pending, unsignedMs, signedSize } = await findWork(this.#deps.database.db);
    if (!pending && unsignedMs < this.#checkpointMs) return { moved: 0, full: false, signedSize };
    const moved = await this.#moveBatch({ wait: false, sign: false });
    return { moved, full: moved === this.#batchRows, signedSize };
  }

  /** Moves everything that was committed before the call and signs it; for who needs a proof now. */
  async runAndSign(): Promise<void> {
    while ((await this.#moveBatch({ wait: true, sign: true })) === this.#batchRows);
  }

  /** One transaction; gives how many rows it moved. */
  #moveBatch({ wait, sign }: { wait: boolean; sign: boolean }): Promise<number> {
    return this.#deps.database.transaction(async (tx) => {
      const row = await lockTree(tx, { wait });
      if (row === null) return 0;
      const tree = CompactTree.restore(row.size, row.frontier);
      const pending = await takePending(tx, this.#batchRows);
      if (pending.length > 0) {
        const { entries, nodes } = append(tree, pending);
        await insertEntries(tx, entries);
        await insertNodes(tx, nodes);
        await updateTree(tx, tree.size, tree.frontier);
      }
      const unsigned = tree.size - row.signed_size;
      const due = sign || unsigned >= this.#checkpointRows || row.unsigned_ms >= this.#checkpointMs;
      if (due && unsigned > 0) {
        const checkpoint = signCheckpoint(tree.size, tree.root(), await this.#deps.signer(tx));
        await insertCheckpoint(tx, checkpoint);
        await this.#deps.announce(tx, checkpoint);
      }
      return pending.length;
    });
  }
}

function append(tree: CompactTree, pending: readonly PendingRow[]): { entries: NewEntry[]; nodes: StoredNode[] } {
  const nodes: StoredNode[] = [];
  const entries = pending.map(({ event }): NewEntry => {
    const entry = { ...searchColumns(event), seq: tree.size, event, leafHash: leafHash(event) };
    tree.append(entry.leafHash, (level, index, hash) => {
      if (level % NODE_LEVELS === 0) nodes.push({ level, index, hash });
    });
    return entry;
  });
  return { entries, nodes };
}
