import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JsonValue } from '../core/json.ts';
import { laterCursor } from './cursor.ts';
import type { Stream } from './format/stream.ts';
import type { Connector } from './format.ts';
import { loopGuardSchema } from './pagination/loopGuard.ts';
import { pagePositionSchema } from './pagination/position.ts';

/** A read that was interrupted is gone on with for this long; a page token of last week is worth nothing. */
const RESUMABLE_FOR_MS = 24 * 3_600_000;

/** Far above any stream that is read in a day; a provider whose pages never end is stopped here. */
export const MAX_PAGES = 1_000_000;

/** Cursors are kept for this many parents of a stream; the others are read in full each time. */
export const MAX_PARENT_CURSORS = 1000;

const cursorSchema = z.string().max(500);
const cursorsSchema = z.record(z.string(), cursorSchema);

/** Where in a stream a page starts; null fields are a start. */
export interface Position {
  readonly page: z.output<typeof pagePositionSchema> | null;
  readonly guard?: z.output<typeof loopGuardSchema>;
  /** For a stream under a parent: the parent's page, and which of its records this page belongs to. */
  readonly parent?: { readonly at: Position | null; readonly key: string | null };
}

const positionSchema: z.ZodType<Position> = z.lazy(() =>
  z.strictObject({
    page: pagePositionSchema.nullable(),
    guard: loopGuardSchema.optional(),
    parent: z.strictObject({ at: positionSchema.nullable(), key: z.string().nullable() }).optional(),
  }),
);

const readSchema = z.strictObject({
  /** Of the parts of the connector that positions depend on. */
  shape: z.string(),
  kind: z.enum(['full', 'incremental']),
  position: positionSchema,
  /** Highest cursor seen so far: of the stream, or of the parent being read. */
  high: cursorSchema.optional(),
  /** Under a parent: what finished parents have come to, where that changed. */
  done: cursorsSchema.optional(),
  /** Pages read so far. */
  pages: z.number().int().min(1),
  /** Epoch milliseconds of the page this was written after. */
  atMs: z.number(),
});
export type ReadProgress = z.output<typeof readSchema>;

const stateSchema = z.strictObject({
  v: z.literal(1),
  /** Of what a cursor means: the field, its format, the keys of the records. */
  identity: z.string(),
  /** Up to where a finished read has come. */
  cursor: cursorSchema.optional(),
  cursors: cursorsSchema.optional(),
  /** A read under way. */
  read: readSchema.optional(),
});
export type StreamState = z.output<typeof stateSchema>;

/**
 * Takes a stored state. A state that is not ours, or of another form of the stream, is none: the stream is then
 * read from the start. A position that is too old, or from other pages, is left out; the cursor stays.
 */
export function takeState(connector: Connector, stream: Stream, stored: JsonValue | null, nowMs: number): StreamState {
  const parsed = stateSchema.safeParse(stored);
  const identity = identityOf(stream);
  if (!parsed.success || parsed.data.identity !== identity) return { v: 1, identity };
  const { read, ...state } = parsed.data;
  if (read === undefined) return state;
  const resumable = read.shape === shapeOf(connector, stream) && nowMs - read.atMs <= RESUMABLE_FOR_MS;
  if (resumable) return { ...state, read };
  return restartable(stream, { ...state, read });
}

/** The state without its position. What was read in ascending order need not be read again. */
export function restartable(stream: Stream, { read, ...state }: StreamState): StreamState {
  if (read?.kind !== 'incremental' || stream.incremental?.order !== 'ascending' || stream.parent !== undefined)
    return state;
  return { ...state, cursor: laterCursor(stream.incremental.format, state.cursor, read.high) };
}

/** Whether every address in it is of one of these origins. They change when an integration gets another address. */
export function staysWithin(position: Position | null, origins: readonly string[]): boolean {
  if (position === null) return true;
  const { page, parent } = position;
  const here = page === null || !('url' in page) || origins.includes(new URL(page.url).origin);
  return here && staysWithin(parent?.at ?? null, origins);
}

/** What the cursor means; a change of it makes stored cursors meaningless. */
function identityOf({ name, primaryKey, incremental }: Stream): string {
  return hash([name, primaryKey, incremental?.cursorField, incremental?.format]);
}

/** What a position depends on: how this stream and its parents are asked for. */
export function shapeOf(connector: Connector, stream: Stream): string {
  const shapes: unknown[] = [];
  for (let at: Stream | undefined = stream; at !== undefined; ) {
    const { method, path, params, body, recordsPath, pagination, parent }: Stream = at;
    shapes.push([method, path, params, body, recordsPath, pagination ?? connector.pagination, parent]);
    at = parent === undefined ? undefined : connector.streams.find((one) => one.name === parent.stream);
  }
  return hash(shapes);
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
}
