import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const NEWLINE = 0x0a;
const SEGMENT = /^(\d{15})\.log$/;

/** A piece of a journal: the file whose first byte is the journal's byte `start`. */
export interface Segment {
  readonly start: number;
  readonly path: string;
}

export function segmentAt(folder: string, start: number): Segment {
  return { start, path: join(folder, `${String(start).padStart(15, '0')}.log`) };
}

/** The segments of a journal, in order. */
export async function listSegments(folder: string): Promise<Segment[]> {
  const names = (await readdir(folder)).sort();
  return names.flatMap((name) => {
    const start = SEGMENT.exec(name)?.[1];
    return start === undefined ? [] : [segmentAt(folder, Number(start))];
  });
}

/** Whole lines of a journal, and the bytes `from` to `to` that they take in it. */
export interface Lines {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/**
 * The lines from byte `from` on, up to `maxBytes` of them; null when there are none. A line that a crash of the machine
 * cut off is passed over.
 */
export async function readLines(
  segments: readonly Segment[],
  from: number,
  maxBytes: number,
  end = Number.POSITIVE_INFINITY,
): Promise<Lines | null> {
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    if (next !== undefined && next.start <= from) continue;
    const start = Math.max(from, segment.start);
    if (start >= end) return null;
    const bytes = await readSegment(segment, start, Math.min(maxBytes, end - start));
    const length = bytes.lastIndexOf(NEWLINE) + 1;
    if (length > 0) return { bytes: bytes.subarray(0, length), from, to: start + length };
    if (next === undefined) return null;
  }
  return null;
}

async function readSegment({ path, start }: Segment, from: number, maxBytes: number): Promise<Buffer> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(maxBytes);
    let length = 0;
    while (length < maxBytes) {
      const { bytesRead } = await handle.read(buffer, length, maxBytes - length, from - start + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await handle.close();
  }
}
