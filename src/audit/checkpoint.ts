import { HASH_BYTES } from './merkleTree.ts';
import { openNote, type SignerKey, signNote, type VerifierKey } from './signedNote.ts';

/** What a checkpoint says: the log that it is of, how many entries it had, and the root of the tree over them. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** The signed note (C2SP tlog-checkpoint): origin, size and root on a line each, then the signature. */
  readonly note: string;
}

/** A checkpoint of the log that the key is named after. */
export function signCheckpoint(size: number, root: Buffer, signer: SignerKey): Checkpoint {
  const note = signNote(`${signer.name}\n${size}\n${root.toString('base64')}\n`, signer);
  return { origin: signer.name, size, root, note };
}

/** The checkpoint in a note that the key has signed; null when it is none, of another log, or not signed by it. */
export function openCheckpoint(note: string, key: VerifierKey): Checkpoint | null {
  const [origin, size, root] = openNote(note, key)?.split('\n') ?? [];
  if (origin !== key.name || !/^(0|[1-9]\d*)$/.test(size ?? '') || !Number.isSafeInteger(Number(size))) return null;
  const bytes = Buffer.from(root ?? '', 'base64');
  return bytes.length === HASH_BYTES ? { origin, size: Number(size), root: bytes, note } : null;
}

/** The notes of a text in which they stand one after the other, such as the file that checkpoints are kept in. */
export function splitNotes(text: string): string[] {
  const notes: string[] = [];
  let body = '';
  let signatures = '';
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    if (line.startsWith('— ')) {
      signatures += `${line}\n`;
      continue;
    }
    if (signatures !== '') {
      notes.push(`${body}\n${signatures}`);
      [body, signatures] = ['', ''];
    }
    if (line !== '') body += `${line}\n`;
  }
  // A last line without its line feed was cut off while it was written, and so is left.
  return notes;
}
