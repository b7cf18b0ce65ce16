import type { Checkpoint } from './checkpoint.ts';
import type { EntryRow } from './entryQueries.ts';
import { AuditTamperedError } from './errors.ts';
import { inclusionRanges, verifyInclusion } from './merkleProof.ts';
import { leafHash } from './merkleTree.ts';
import type { StoredHashes } from './storedHashes.ts';

/**
 * The inclusion proof of an entry in the tree of a checkpoint, made of stored hashes and checked before it is given.
 * @throws AuditTamperedError when what is stored does not lead to the signed root
 */
export async function proveInclusion(
  hashes: StoredHashes,
  { seq, event }: Pick<EntryRow, 'seq' | 'event'>,
  checkpoint: Checkpoint,
): Promise<Buffer[]> {
  const proof: Buffer[] = [];
  for (const range of inclusionRanges(seq, checkpoint.size)) proof.push(await hashes.nodeOver(range));
  if (verifyInclusion(leafHash(event), seq, checkpoint.size, proof, checkpoint.root)) return proof;
  throw new AuditTamperedError(
    `Entry ${seq} is not in the log that was signed with ${checkpoint.size} entries: it, or a hash of the log, was changed. "audit verify" says more.`,
    { details: { seq, size: checkpoint.size } },
  );
}
