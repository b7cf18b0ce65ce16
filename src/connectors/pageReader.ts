import type { JsonObject, JsonValue } from '../core/json.ts';
import { OutgoingCallError } from '../outgoing/errors.ts';
import { HIDDEN, hideSecrets } from '../outgoing/hideSecrets.ts';
import type { Authenticator } from '../outgoing/types.ts';
import { sessionScope } from './address.ts';
import { compileConditions } from './condition.ts';
import { sendConditionally } from './conditionalRequest.ts';
import { isBefore } from './cursor.ts';
import type { AuthMode } from './format/auth.ts';
import type { Stream } from './format/stream.ts';
import { guardPage } from './pagination/loopGuard.ts';
import { nextPage } from './pagination/nextPage.ts';
import { additionsFor, type PagePosition } from './pagination/position.ts';
import { askedAt } from './providerClock.ts';
import { badAnswer, type PageContent, selectorFor } from './records.ts';
import { buildRequest, sendRequest } from './request.ts';
import { secretsOf } from './secrets.ts';
import type { Position } from './streamState.ts';
import { render, type TemplateScope } from './template.ts';
import type { ConnectorSession, ReadPlan, StreamRecord } from './types.ts';
import { type AnswerValidators, requestIdentity, validatorsOf } from './validators.ts';

/** What all reads of one session share. */
export interface Reader {
  readonly session: ConnectorSession;
  readonly authenticator: Authenticator;
  readonly mode: AuthMode;
  readonly signal: AbortSignal;
}

/** One page as read, and where the next one is. */
export interface ReadPage {
  readonly at: Position | null;
  /** Null after the last page of the whole stream. */
  readonly next: Position | null;
  readonly records: readonly StreamRecord[];
  readonly cursors: readonly string[];
  /** When it was asked for, by the provider's clock. */
  readonly askedAtMs: number;
  /** Key of the parent's record that this page belongs to, and whether it is its last page. */
  readonly parentKey: string | null;
  readonly parentDone: boolean;
  readonly validators?: AnswerValidators;
  /** It is the answer that is known, and was not sent. */
  readonly notModified?: boolean;
}

/** Makes the first answer of a read known, and asks only whether it is the one that is. */
export interface Remembering {
  readonly kind: ReadPlan['kind'];
  readonly known?: AnswerValidators;
}

/** The cursor that requests start from, for a parent's key (null for a stream without parent). */
export type CursorFor = (parentKey: string | null) => JsonValue | undefined;

/**
 * Every page of a stream from a position on, one call each, and no more than one page in memory (of each stream
 * above it too). The parents of a stream are always read in full.
 */
export async function* readPages(
  reader: Reader,
  stream: Stream,
  from: Position | null,
  cursorFor: CursorFor,
  remembering?: Remembering,
): AsyncGenerator<ReadPage> {
  if (stream.parent === undefined) {
    for await (const { page, next } of pagesOf(reader, stream, from, cursorFor(null), {}, remembering))
      yield { ...page, next, parentKey: null, parentDone: next === null };
    return;
  }
  const { parent } = stream;
  const parentStream = reader.session.connector.streams.find((one) => one.name === parent.stream)!;
  const belongs = compileConditions(parent.where);
  // The first page of parents is the one an earlier read stopped in; its position counts there and nowhere else.
  let resumed: Position | null = from;
  for await (const parentPage of readPages(reader, parentStream, from?.parent?.at ?? null, () => undefined)) {
    const parents = parentPage.records.filter((record) => belongs(record.data));
    const resumedKey = resumed?.parent?.key;
    // A parent that is no longer on its page: all of the page is read again, which loses nothing.
    const first = Math.max(
      0,
      parents.findIndex((record) => record.key === resumedKey),
    );
    for (let index = first; index < parents.length; index++) {
      const { key, data } = parents[index]!;
      const position = key === resumedKey ? resumed : null;
      const here = { at: parentPage.at, key };
      for await (const { page, next } of pagesOf(reader, stream, position, cursorFor(key), data)) {
        const following = parents[index + 1];
        const after =
          following !== undefined
            ? { page: null, parent: { at: parentPage.at, key: following.key } }
            : parentPage.next && { page: null, parent: { at: parentPage.next, key: null } };
        yield {
          ...page,
          at: { page: null, ...page.at, parent: here },
          next: next === null ? after : { ...next, parent: here },
          parentKey: key,
          parentDone: next === null,
        };
      }
    }
    resumed = null;
  }
}

/** The pages of a stream under one parent. */
async function* pagesOf(
  reader: Reader,
  stream: Stream,
  from: Position | null,
  cursor: JsonValue | undefined,
  parent: JsonObject,
  remembering?: Remembering,
): AsyncGenerator<{ page: Omit<ReadPage, 'next' | 'parentKey' | 'parentDone'>; next: Position | null }> {
  const scope: TemplateScope = {
    ...sessionScope(reader.session),
    parent,
    state: cursor === undefined ? {} : { cursor },
  };
  for (let at: Position | null = from; ; ) {
    const fetched = await fetchPage(reader, stream, at?.page ?? null, scope, at === null ? remembering : undefined);
    const { records, cursors, askedAtMs, validators, notModified } = fetched;
    const following = cursor !== undefined && isPast(stream, cursors, cursor) ? null : fetched.next;
    const next: Position | null =
      following === null
        ? null
        : { page: following, guard: inContext(stream, fetched, () => guardPage(at?.guard, following, records)) };
    yield { page: { at, records, cursors, askedAtMs, validators, notModified }, next };
    if (next === null) return;
    at = next;
  }
}

type Fetched = PageContent &
  Pick<ReadPage, 'askedAtMs' | 'validators' | 'notModified'> & {
    readonly next: PagePosition | null;
    readonly url: string;
    readonly status: number;
  };

async function fetchPage(
  reader: Reader,
  stream: Stream,
  position: PagePosition | null,
  scope: TemplateScope,
  remembering: Remembering | undefined,
): Promise<Fetched> {
  const { session, authenticator, signal } = reader;
  const pagination = stream.pagination ?? session.connector.pagination;
  const request = buildRequest(session, stream, scope, additionsFor(pagination, position));
  const identity = remembering && requestIdentity(session, stream, remembering.kind, request);
  const known = identity !== undefined && remembering?.known?.request === identity ? remembering.known : undefined;
  const options = { operation: 'sync', authenticator, signal } as const;
  try {
    const response =
      known === undefined
        ? await sendRequest(session, request, options)
        : await sendConditionally(session, request, options, known);
    if (response === undefined)
      return { ...NOTHING, askedAtMs: session.clock.now(), url: request.url.href, status: 304, notModified: true };
    const askedAtMs = askedAt(response, session.clock);
    const content = selectorFor(stream)(response, scope);
    const next = inContext(stream, response, () =>
      withoutSecrets(reader, nextPage(pagination, { position, response, body: content.body, records: content.raw })),
    );
    const validators = identity === undefined ? undefined : validatorsOf(identity, request.url, response);
    return { ...content, next, askedAtMs, url: response.url, status: response.status, validators };
  } catch (error) {
    const nothing =
      stream.parent?.skipNotFound === true && error instanceof OutgoingCallError && error.outcome === 'not_found';
    if (!nothing) throw error;
    return { ...NOTHING, askedAtMs: session.clock.now(), url: request.url.href, status: 404 };
  }
}

const NOTHING = { body: null, raw: [], records: [], cursors: [], next: null };

/**
 * A next page's address stays with the API, and is stored without the key that some providers repeat in it: the
 * key is put in again when the page is asked for.
 */
function withoutSecrets({ authenticator, mode, session }: Reader, next: PagePosition | null): PagePosition | null {
  if (next === null || !('url' in next)) return next;
  const url = new URL(next.url);
  if (!authenticator.origins.includes(url.origin))
    throw new TypeError(
      `names a next page on ${url.origin}, which is not part of this API (${authenticator.origins.join(', ')}); if it is, list it under "origins" of the connector`,
    );
  url.username = '';
  url.password = '';
  url.hash = '';
  const secrets = secretsOf(session);
  const key = mode.type === 'api_key' && mode.in === 'query' ? render(mode.key, sessionScope(session)) : undefined;
  for (const [name, value] of [...url.searchParams])
    if (name === key || hideSecrets(value, secrets) === HIDDEN) url.searchParams.delete(name);
  return { url: url.href };
}

/** In descending order everything after an old record is older still. */
function isPast(stream: Stream, cursors: readonly string[], cursor: JsonValue): boolean {
  const { incremental } = stream;
  const last = cursors.at(-1);
  return (
    incremental?.order === 'descending' && last !== undefined && isBefore(incremental.format, last, String(cursor))
  );
}

/** Turns what pagination finds wrong into an error that names the stream and the address. */
function inContext<T>(stream: Stream, response: { url: string; status: number }, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof TypeError ? badAnswer(stream, response, error.message) : error;
  }
}
