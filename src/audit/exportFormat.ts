import type { EntryRow } from './entryQueries.ts';
import { parseEvent } from './event.ts';

export const EXPORT_FORMATS = ['jsonl', 'csv', 'ocsf'] as const;
export type AuditExportFormat = (typeof EXPORT_FORMATS)[number];

// The lines of a JSONL export, which verify without the database: a header, the entries, and last a checkpoint.

export const EXPORT_FORMAT = 'integration-services/audit-export/1';
export const PROOF_FORMAT = 'integration-services/audit-proof/1';

/** The first line. `complete`: all entries from the first on; else a choice of them, each with its proof. */
export interface ExportHeader {
  readonly format: typeof EXPORT_FORMAT;
  readonly verifierKey: string;
  readonly complete: boolean;
}

export function headerLine(header: ExportHeader): string {
  return `${JSON.stringify(header)}\n`;
}

/**
 * The event stands in it byte for byte as it is stored; bytes that are no line of JSON, which only somebody else than
 * this program stores, as base64.
 */
export function entryLine({ seq, event, leaf_hash }: Omit<EntryRow, 'occurred_at'>, proof?: readonly Buffer[]): string {
  const hashes = proof === undefined ? '' : `"proof":${JSON.stringify(proof.map(toBase64))},`;
  const isLine = parseEvent(event) !== null && !event.includes('\n') && !event.includes('\r');
  const content = isLine ? `"event":${event.toString()}` : `"bytes":"${toBase64(event)}"`;
  return `{"seq":${seq},"leafHash":"${toBase64(leaf_hash)}",${hashes}${content}}\n`;
}

export function checkpointLine(note: string): string {
  return `${JSON.stringify({ checkpoint: note })}\n`;
}

export interface ExportedEntry {
  readonly seq: number;
  readonly event: Buffer;
  readonly leafHash: Buffer;
  /** Empty in an export of all entries. */
  readonly proof: readonly Buffer[];
}

/** One entry with everything that shows it to be in the log. */
export interface EntryProof {
  readonly format: typeof PROOF_FORMAT;
  readonly seq: number;
  /** The exact canonical JSON text whose hash is the leaf. */
  readonly event: string;
  /** From the leaf up, base64. */
  readonly proof: readonly string[];
  /** The signed note of the tree that the proof leads to. */
  readonly checkpoint: string;
}

const ENTRY =
  /^\{"seq":(\d{1,15}),"leafHash":"([A-Za-z0-9+/=]+)",(?:"proof":(\[[^\]]*\]),)?(?:"event":(.*)|"bytes":"([A-Za-z0-9+/=]*)")\}$/;

/** What `entryLine` wrote; null for any other line. */
export function parseEntryLine(line: string): ExportedEntry | null {
  const [, seq, hash, proof, event, bytes] = ENTRY.exec(line) ?? [];
  if (seq === undefined) return null;
  return {
    seq: Number(seq),
    event: event === undefined ? Buffer.from(bytes!, 'base64') : Buffer.from(event),
    leafHash: Buffer.from(hash!, 'base64'),
    proof: proof?.match(/[A-Za-z0-9+/=]{2,}/g)?.map((one) => Buffer.from(one, 'base64')) ?? [],
  };
}

function toBase64(bytes: Buffer): string {
  return bytes.toString('base64');
}
