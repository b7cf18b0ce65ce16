import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { LogArchiveError } from '../errors.ts';
import type { LogArchive } from './logArchive.ts';

const FORMAT = 'integration-services logs 1';
/** Of one piece, unpacked. */
const MAX_PIECE_BYTES = 1024 ** 3;

const pieceSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]{1,200}$/),
  records: z.int().min(1),
  firstSeq: z.int(),
  lastSeq: z.int(),
  bytes: z.int().describe('Of the file, packed.'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  archivedAt: z.iso.datetime(),
});
const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** UTC. */
  day: z.iso.date(),
  pieces: z.array(pieceSchema),
});

/** A file of records of one day, one JSON object a line, packed with gzip. */
export type Piece = z.output<typeof pieceSchema>;
/** What there is of one day, as `manifest.json` beside the pieces says. */
export type Manifest = z.output<typeof manifestSchema>;

export const MANIFEST = 'manifest.json';
const gzipAsync = promisify(gzip);
const gunzipAsync = promisify(gunzip);

/** The manifest in a folder of the archive; null when there is none. @throws LogArchiveError when it is none of ours */
export async function readManifest(archive: LogArchive, folder: string): Promise<Manifest | null> {
  const bytes = await archive.get(`${folder}${MANIFEST}`);
  if (bytes === null) return null;
  try {
    return manifestSchema.parse(JSON.parse(bytes.toString()));
  } catch (cause) {
    throw new LogArchiveError(`${folder}${MANIFEST} is no manifest of archived logs.`, { cause });
  }
}

/**
 * Keeps lines as a piece of a day, reads it back, and notes it in the manifest. When it resolves, all of it is there
 * and as it should be.
 * @throws LogArchiveError when what is read back is something else
 */
export async function addPiece(
  archive: LogArchive,
  day: string,
  lines: readonly string[],
  seqs: { readonly firstSeq: number; readonly lastSeq: number },
): Promise<Piece> {
  const packed = await gzipAsync(Buffer.from(`${lines.join('\n')}\n`));
  const hash = sha256(packed);
  const { firstSeq, lastSeq } = seqs;
  const piece: Piece = {
    name: `${firstSeq}-${lastSeq}-${hash.slice(0, 8)}.ndjson.gz`,
    records: lines.length,
    firstSeq,
    lastSeq,
    bytes: packed.length,
    sha256: hash,
    archivedAt: new Date().toISOString(),
  };
  await archive.put(`${day}/${piece.name}`, packed);
  await readPiece(archive, `${day}/`, piece);
  const known = (await readManifest(archive, `${day}/`))?.pieces ?? [];
  const pieces = [...known.filter(({ name }) => name !== piece.name), piece];
  await archive.put(`${day}/${MANIFEST}`, Buffer.from(`${JSON.stringify({ format: FORMAT, day, pieces }, null, 2)}\n`));
  const written = await readManifest(archive, `${day}/`);
  if (written?.pieces.at(-1)?.sha256 !== hash) throw new LogArchiveError(`The manifest of ${day} was not kept.`);
  return piece;
}

/** The lines of a piece. @throws LogArchiveError when they are not what its manifest says */
export async function readPiece(archive: LogArchive, folder: string, piece: Piece): Promise<string[]> {
  const bytes = await archive.get(`${folder}${piece.name}`);
  if (bytes === null) throw new LogArchiveError(`${folder}${piece.name} is missing from the archive.`);
  if (sha256(bytes) !== piece.sha256) {
    throw new LogArchiveError(`${folder}${piece.name} is not the file that its manifest names: its SHA-256 differs.`);
  }
  const lines = await unpackLines(bytes);
  if (lines.length !== piece.records) {
    throw new LogArchiveError(`${folder}${piece.name} has ${lines.length} records instead of ${piece.records}.`);
  }
  return lines;
}

export async function unpackLines(bytes: Buffer): Promise<string[]> {
  const text = (await gunzipAsync(bytes, { maxOutputLength: MAX_PIECE_BYTES })).toString();
  return text.split('\n').filter((line) => line !== '');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
