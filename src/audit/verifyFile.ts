import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { InvalidAuditFileError } from './errors.ts';
import { type EntryProof, EXPORT_FORMAT, type ExportedEntry, PROOF_FORMAT, parseEntryLine } from './exportFormat.ts';
import type { Finding } from './findings.ts';
import { verifyInclusion } from './merkleProof.ts';
import { leafHash } from './merkleTree.ts';
import type { VerifierKey } from './signedNote.ts';
import { merge } from './verifyDatabase.ts';
import { type EntriesVerdict, type VerifiedRow, verifyEntries } from './verifyEntries.ts';

export interface FileVerdict extends Omit<EntriesVerdict, 'tree'> {
  readonly checkpoints: number;
  /** Whether the export has all entries; of a choice nobody can tell that some are missing. */
  readonly complete: boolean;
}

/**
 * Verifies a JSONL export with nothing but the public key, and with checkpoints that were kept.
 * @throws InvalidAuditFileError when the file is no export
 */
export async function verifyExport(
  path: string,
  key: VerifierKey,
  keptCheckpoints: readonly Checkpoint[],
): Promise<FileVerdict> {
  const { complete, note } = await readEnds(path);
  const own = note === null ? null : openCheckpoint(note, key);
  const checkpoints = merge(keptCheckpoints, own === null ? [] : [own]);
  if (complete) {
    const verdict = await verifyEntries({ rows: readEntries(path), checkpoints, leaves: null, recorded: null });
    const finding = verdict.finding ?? unsignedEnd(verdict.entries, note, own);
    return { ...verdict, finding, checkpoints: checkpoints.length, complete };
  }
  if (own === null) throw new InvalidAuditFileError(`${path} ends without a checkpoint that the key has signed.`);
  return { ...(await verifyChoice(readEntries(path), own)), checkpoints: checkpoints.length, complete };
}

function unsignedEnd(entries: number, note: string | null, own: Checkpoint | null): Finding | null {
  if (note === null && entries === 0) return null;
  const at = { seq: entries, lastSeq: entries };
  if (note === null) return { ...at, kind: 'truncation', detail: 'the export ends without its checkpoint' };
  if (own === null) return { ...at, kind: 'edit', detail: 'the checkpoint of the export is not signed by the key' };
  if (own.size === entries) return null;
  return {
    ...at,
    kind: 'insertion',
    seq: own.size,
    lastSeq: entries - 1,
    detail: `the checkpoint covers ${own.size} entries`,
  };
}

async function verifyChoice(rows: AsyncIterable<ExportedEntry>, { size, root }: Checkpoint) {
  let entries = 0;
  let last = -1;
  let finding: Finding | null = null;
  for await (const { seq, event, proof } of rows) {
    const at = { seq, lastSeq: seq };
    if (seq <= last) finding = { ...at, kind: 'reordering', detail: `it comes after number ${last}` };
    else if (!verifyInclusion(leafHash(event), seq, size, proof, root))
      finding = { ...at, kind: 'edit', detail: 'its proof does not lead to the signed root' };
    if (finding !== null) break;
    entries += 1;
    last = seq;
  }
  return { entries, root, signedSize: size, finding };
}

/** Whether an entry is in the log, by a file of `audit prove`. @throws InvalidAuditFileError */
export function verifyProof(
  text: string,
  key: VerifierKey,
): { valid: boolean; seq: number; size: number; event: string } {
  const { seq, event, proof, checkpoint } = parseProof(text);
  const opened = openCheckpoint(checkpoint, key);
  if (opened === null) throw new InvalidAuditFileError('The checkpoint of the proof is not signed by the key.');
  const path = proof.map((hash) => Buffer.from(hash, 'base64'));
  const valid = verifyInclusion(leafHash(Buffer.from(event)), seq, opened.size, path, opened.root);
  return { valid, seq, size: opened.size, event };
}

function parseProof(text: string): EntryProof {
  try {
    const proof = JSON.parse(text) as EntryProof;
    const isProof =
      proof.format === PROOF_FORMAT &&
      Number.isSafeInteger(proof.seq) &&
      typeof proof.event === 'string' &&
      typeof proof.checkpoint === 'string' &&
      proof.proof.every((hash) => typeof hash === 'string');
    if (isProof) return proof;
  } catch {
    // Said below.
  }
  throw new InvalidAuditFileError('The file holds no proof as "audit prove" prints it.');
}

/** The header and the checkpoint that the file ends with. */
async function readEnds(path: string): Promise<{ complete: boolean; note: string | null }> {
  let complete: boolean | null = null;
  let note: string | null = null;
  for await (const line of readLines(path)) {
    if (complete === null) complete = headerOf(line, path);
    else if (line.startsWith('{"checkpoint":')) note = noteOf(line);
  }
  if (complete === null) throw new InvalidAuditFileError(`${path} is empty.`);
  return { complete, note };
}

function headerOf(line: string, path: string): boolean {
  const header = parse(line) as { format?: unknown; complete?: unknown } | null;
  if (header?.format === EXPORT_FORMAT && typeof header.complete === 'boolean') return header.complete;
  throw new InvalidAuditFileError(`${path} is no export of the audit log: make it with "audit export --format jsonl".`);
}

function noteOf(line: string): string {
  const { checkpoint } = (parse(line) ?? {}) as { checkpoint?: unknown };
  return typeof checkpoint === 'string' ? checkpoint : '';
}

/** The entries; a line that is none, unless the file was cut off in it, counts as one whose event was changed. */
async function* readEntries(path: string): AsyncGenerator<VerifiedRow & ExportedEntry> {
  let next = 0;
  let spoilt: (VerifiedRow & ExportedEntry) | null = null;
  for await (const line of skipFirst(readLines(path))) {
    if (spoilt !== null) yield spoilt;
    spoilt = null;
    if (line.startsWith('{"checkpoint":')) continue;
    const entry = parseEntryLine(line);
    if (entry === null)
      spoilt = { seq: next, event: Buffer.from(line), leafHash: Buffer.alloc(0), proof: [], columns: null };
    else yield { ...entry, columns: null };
    next = (entry?.seq ?? next) + 1;
  }
}

async function* skipFirst(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let first = true;
  for await (const line of lines) {
    if (!first) yield line;
    first = false;
  }
}

async function* readLines(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, 'utf8');
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw new InvalidAuditFileError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  } finally {
    stream.destroy();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
