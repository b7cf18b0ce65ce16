import type { JsonValue } from '../core/json.ts';
import { OutgoingCallError } from '../outgoing/errors.ts';
import { authenticatorFor, authModeOf } from './authentication/authenticatorFor.ts';
import { requestCursor, startCursor } from './cursor.ts';
import { CursorProgress, own } from './cursorProgress.ts';
import { StreamReadError } from './errors.ts';
import type { Stream } from './format/stream.ts';
import type { Connector } from './format.ts';
import { type CursorFor, type Reader, readPages } from './pageReader.ts';
import { MAX_PAGES, type ReadProgress, restartable, type StreamState, shapeOf, takeState } from './streamState.ts';
import type { ConnectorSession, ReadOptions, ReadPlan, ReadSource, StreamPage } from './types.ts';
import type { AnswerValidators } from './validators.ts';

/**
 * How a read that starts from `state` is to be taken. Ask before the read begins, with the session that it will have:
 * a plan that calls a partial read `full` deletes what was not read.
 */
export function planRead(source: ReadSource, streamName: string, state: JsonValue | null): ReadPlan {
  const stream = streamOf(source.connector, streamName);
  const taken = takeState(source, stream, state);
  if (taken.read !== undefined) return { kind: taken.read.kind, resumes: true };
  return { kind: kindOf(stream, taken, source.startDate), resumes: false };
}

/**
 * Reads a stream page by page. Every page carries the state from which exactly the pages after it are read.
 * @throws OutgoingCallError when a call fails for good
 * @throws StreamReadError when the answers do not have the form that the connector describes
 * @throws MissingCredentialsError, InvalidRequestError when no request can be made
 */
export async function* readStream(session: ConnectorSession, options: ReadOptions): AsyncGenerator<StreamPage> {
  const stream = streamOf(session.connector, options.stream);
  const reader: Reader = {
    session,
    authenticator: authenticatorFor(session),
    mode: authModeOf(session),
    signal: options.signal,
  };
  const state = takeState(session, stream, options.state);
  let progressed = false;
  try {
    for await (const page of readFrom(reader, stream, state, options.known)) {
      progressed = true;
      yield page;
    }
  } catch (error) {
    // The provider no longer knows the place an earlier read stopped at: the read begins anew.
    if (progressed || state.read === undefined || !isRefusedPosition(error)) throw error;
    yield* readFrom(reader, stream, restartable(stream, state), undefined, state.read.kind);
  }
}

function streamOf(connector: Connector, name: string): Stream {
  const stream = connector.streams.find((one) => one.name === name);
  if (stream !== undefined) return stream;
  const known = connector.streams.map((one) => one.name).join(', ');
  throw new StreamReadError(`${connector.title} has no stream ${JSON.stringify(name)}. It has ${known || 'none'}.`, {
    details: { stream: name },
  });
}

function kindOf(stream: Stream, { cursor, cursors = {} }: StreamState, startDate?: string): ReadPlan['kind'] {
  if (stream.deletions === 'none') return 'incremental';
  if (stream.incremental === undefined) return 'full';
  const started = startDate !== undefined && startCursor(stream.incremental, startDate) !== undefined;
  return started || cursor !== undefined || Object.keys(cursors).length > 0 ? 'incremental' : 'full';
}

function isRefusedPosition(error: unknown): boolean {
  return error instanceof OutgoingCallError && (error.outcome === 'invalid_request' || error.outcome === 'not_found');
}

/**
 * @param known of the last read
 * @param again kind of the read that is begun anew; without it the kind is what the state says
 */
async function* readFrom(
  reader: Reader,
  stream: Stream,
  state: StreamState,
  known?: AnswerValidators,
  again?: ReadPlan['kind'],
): AsyncGenerator<StreamPage> {
  const kind = again ?? state.read?.kind ?? kindOf(stream, state, reader.session.startDate);
  // Of a read that was interrupted, the first pages were other answers.
  const remembering = state.read === undefined && again === undefined ? { kind, known } : undefined;
  const { clock, startDate } = reader.session;
  const shape = shapeOf(reader.session, stream);
  const progress = new CursorProgress(stream, state);
  let pages = state.read?.pages ?? 0;
  let last = false;
  for await (const page of readPages(
    reader,
    stream,
    state.read?.position ?? null,
    cursorsFrom(stream, state, startDate),
    remembering,
  )) {
    if (page.notModified !== true) progress.take(page);
    last = page.next === null;
    pages += 1;
    if (!last && pages >= MAX_PAGES) throw tooManyPages(stream);
    const read: ReadProgress | undefined = last
      ? undefined
      : { shape, startDate, kind, position: page.next!, ...progress.underWay(), pages, atMs: clock.now() };
    yield {
      records: page.records,
      state: toJson(read === undefined ? progress.finished() : { ...state, read }),
      last,
      // Several answers have no validator in common.
      validators: last && pages === 1 ? page.validators : undefined,
      notModified: page.notModified,
    };
  }
  // No parent had anything to read under it, or the last page of parents was empty.
  if (!last) yield { records: [], state: toJson(progress.finished()), last: true };
}

function cursorsFrom(stream: Stream, { cursor, cursors }: StreamState, startDate: string | undefined): CursorFor {
  const { incremental } = stream;
  if (incremental === undefined) return () => undefined;
  const first = startDate === undefined ? undefined : startCursor(incremental, startDate);
  return (parentKey) => {
    const reached = parentKey === null ? cursor : own(cursors, parentKey);
    return reached === undefined ? first : requestCursor(incremental, reached);
  };
}

function tooManyPages({ name }: Stream): StreamReadError {
  return new StreamReadError(
    `The stream ${JSON.stringify(name)} did not end within ${MAX_PAGES} pages. If it is that large, ask for larger pages.`,
    { details: { stream: name } },
  );
}

/** States go into the database as JSON, where nothing is undefined. The maps of cursors are large and are as they are. */
function toJson(value: object): JsonValue {
  const entries = Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (inner === undefined) return [];
    const deeper = inner !== null && typeof inner === 'object' && key !== 'cursors' && key !== 'done';
    return [[key, deeper ? toJson(inner) : inner] as const];
  });
  return Object.fromEntries(entries) as JsonValue;
}
