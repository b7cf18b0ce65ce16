import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JsonValue } from '../core/json.ts';
import { laterCursor, notAfter } from './cursor.ts';
import { DESCRIBED_PLATFORM } from './describedApi.ts';
import type { Stream } from './format/stream.ts';
import type { Connector } from './format.ts';
import { loopGuardSchema } from './pagination/loopGuard.ts';
import { pagePositionSchema } from './pagination/position.ts';
import { render } from './template.ts';
import type { ReadSource } from './types.ts';

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
  /** Of everything that positions depend on. */
  shape: z.string(),
  /** The session's; a read without a cursor starts there. */
  startDate: z.string().optional(),
  kind: z.enum(['full', 'incremental']),
  position: positionSchema,
  /** Highest cursor seen so far: of the stream, or of the parent being read. */
  high: cursorSchema.optional(),
  /** What the next run starts from, if that is lower: see CursorProgress. */
  ceiling: cursorSchema.optional(),
  /** Under a parent: what finished parents have come to, as far as cursors are kept. */
  done: z
    .array(z.tuple([z.string(), cursorSchema]))
    .max(MAX_PARENT_CURSORS)
    .optional(),
  /** Pages read so far. */
  pages: z.number().int().min(1),
  /** Epoch milliseconds of the page this was written after. */
  atMs: z.number(),
});
export type ReadProgress = z.output<typeof readSchema>;

const stateSchema = z.strictObject({
  v: z.literal(1),
  /** Of what a cursor means: whose data it is of, the field, its format, the keys of the records. */
  identity: z.string(),
  /** Up to where a finished read has come. */
  cursor: cursorSchema.optional(),
  cursors: cursorsSchema.optional(),
  /** A read under way. */
  read: readSchema.optional(),
});
export type StreamState = z.output<typeof stateSchema>;

/**
 * Takes a stored state. A state that is not ours, of another account, or of another form of the stream, is none:
 * the stream is then read from the start. A position that is too old, or from other pages, is left out; the cursor
 * stays.
 */
export function takeState(source: ReadSource, stream: Stream, stored: JsonValue | null): StreamState {
  const parsed = stateSchema.safeParse(stored);
  const identity = identityOf(source, stream);
  if (!parsed.success || parsed.data.identity !== identity) return { v: 1, identity };
  const { read, ...state } = parsed.data;
  if (read === undefined) return state;
  // What a read from another date has come to says nothing about what lies between the two dates.
  if (read.startDate !== source.startDate) return state;
  const resumable = read.shape === shapeOf(source, stream) && source.clock.now() - read.atMs <= RESUMABLE_FOR_MS;
  if (resumable) return { ...state, read };
  return restartable(stream, { ...state, read });
}

/** The state without its position. What was read in ascending order need not be read again. */
export function restartable(stream: Stream, { read, ...state }: StreamState): StreamState {
  if (read?.kind !== 'incremental' || stream.incremental?.order !== 'ascending' || stream.parent !== undefined)
    return state;
  const { format } = stream.incremental;
  return { ...state, cursor: laterCursor(format, state.cursor, notAfter(format, read.high, read.ceiling)) };
}

/** What the cursor means; a change of it makes stored cursors meaningless. */
function identityOf(source: ReadSource, stream: Stream): string {
  const { name, primaryKey, incremental } = stream;
  return hash([name, primaryKey, incremental?.cursorField, incremental?.format, whoseData(source, stream)]);
}

/**
 * What tells one account from another, beside its credentials. What a new version of a connector may change without
 * meaning other data is not in it: the version of the API, and fields that were left at their defaults.
 */
function whoseData({ connector, connection }: ReadSource, stream: Stream): unknown {
  const defaults = new Map(connector.connection.map((field) => [field.name, field.default]));
  const chosen = sorted(connection).filter(([name, value]) => value !== defaults.get(name));
  const address = render(connector.baseUrl, { config: { ...connection }, apiVersion: '', now: '' });
  // Where an integration describes its API itself, an account can stand anywhere in its requests.
  const described = connector.platform === DESCRIBED_PLATFORM ? [connector.headers, requestsOf(connector, stream)] : [];
  return [address, chosen, described];
}

/** What a position depends on: how this stream and its parents are asked for. */
export function shapeOf({ connector, connection }: ReadSource, stream: Stream): string {
  const { apiVersion, baseUrl, origins } = connector;
  const pages = lineOf(connector, stream).map((one) => [one.recordsPath, one.pagination ?? connector.pagination]);
  return hash([apiVersion, baseUrl, origins, sorted(connection), requestsOf(connector, stream), pages]);
}

function requestsOf(connector: Connector, stream: Stream): unknown[] {
  return lineOf(connector, stream).map(({ method, path, params, headers, body, parent }) => [
    method,
    path,
    params,
    headers,
    body,
    parent,
  ]);
}

/** The stream, its parent, the parent's parent. */
function lineOf(connector: Connector, stream: Stream): Stream[] {
  const parent = connector.streams.find((one) => one.name === stream.parent?.stream);
  return parent === undefined ? [stream] : [stream, ...lineOf(connector, parent)];
}

function sorted(connection: ReadSource['connection']): [string, string | number | boolean][] {
  return Object.entries(connection).sort(([a], [b]) => (a < b ? -1 : 1));
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
}
