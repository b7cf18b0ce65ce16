import { createHash } from 'node:crypto';
import { ACCEPTED_CODINGS } from '../outgoing/responseBody.ts';
import type { OutgoingResponse } from '../outgoing/types.ts';
import type { Stream } from './format/stream.ts';
import type { Connector } from './format.ts';
import type { BuiltRequest } from './request.ts';
import { refersTo } from './template.ts';
import type { ConnectorSession, ReadPlan } from './types.ts';

/**
 * By what an answer is known (RFC 9110, section 8.8): a provider that is told them answers 304 instead of sending the
 * same once more. One of the two is there.
 */
export interface AnswerValidators {
  /** Of everything that the answer and what is made of it depend on. */
  readonly request: string;
  readonly etag?: string;
  readonly lastModified?: string;
}

const MAX_ETAG_CHARS = 1_000;
/** Not the empty one, and not several that were joined. */
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]+"$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** What changes twice in a second has one date for both; a date this much older than its answer is past that. */
const SETTLED_MS = 60_000;
/** Servers that compress add the coding to the tag of what they compress, and not to the 304 of it, or the reverse. */
const CODING_SUFFIX = /(?:--?|[;:+])(?:gzip|br|deflate|df|zstd)$/;
/** With one of these a request is the connector's own business. */
const OWN_CONDITIONS = ['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'range'];

/**
 * Names a request together with what its answer is turned into records by: the connector as it is used, the account
 * and its credentials. Undefined where equal answers do not mean equal records, or there may not be a 304.
 */
export function requestIdentity(
  session: ConnectorSession,
  stream: Stream,
  kind: ReadPlan['kind'],
  { method, url, headers, body }: BuiltRequest,
): string | undefined {
  if (method !== 'GET' || stream.parent !== undefined || !dependsOnAnswerAlone(stream)) return undefined;
  if (OWN_CONDITIONS.some((name) => name in headers)) return undefined;
  const { connector, connection, startDate, authMode, credentialVersion } = session;
  return hash([
    descriptionHash(connector),
    [stream.name, kind, sorted(connection), startDate, authMode, credentialVersion],
    [method, url.href, sorted({ 'accept-encoding': ACCEPTED_CODINGS, ...headers }), body],
  ]);
}

/** The validators of an answer; undefined when it has none that can be relied on. */
export function validatorsOf(
  request: string,
  asked: URL,
  { status, headers, url }: OutgoingResponse,
): AnswerValidators | undefined {
  // What a redirect led to is another resource next time, perhaps.
  if (status !== 200 || url !== withoutHash(asked)) return undefined;
  // It varies by more than the request.
  if (headers.vary?.split(',').some((name) => name.trim() === '*')) return undefined;
  const { etag, 'last-modified': lastModified } = headers;
  if (etag !== undefined) return etag.length <= MAX_ETAG_CHARS && ETAG.test(etag) ? { request, etag } : undefined;
  const isStrong = timeOf(headers.date) - timeOf(lastModified) >= SETTLED_MS;
  return isStrong ? { request, lastModified } : undefined;
}

export function conditionalHeaders({ etag, lastModified }: AnswerValidators): Record<string, string> {
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(etag !== undefined || lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  };
}

/** Whether a 304 is about the answer that is known: from the address that was asked, and under no other validator. */
export function confirms(known: AnswerValidators, asked: URL, { status, headers, url }: OutgoingResponse): boolean {
  if (status !== 304 || url !== withoutHash(asked)) return false;
  const { etag, 'last-modified': lastModified } = headers;
  if (known.etag !== undefined) return etag === undefined || opaque(etag) === opaque(known.etag);
  return lastModified === undefined || lastModified === known.lastModified;
}

/** Whether a template of the mapping gives something else with every read. */
function dependsOnAnswerAlone({ transformations }: Stream): boolean {
  return transformations.every(
    (one) => !('add' in one) || !['now', 'state'].some((name) => refersTo(one.add.value, name)),
  );
}

/** For a comparison that is weak and takes a coding for no difference. */
function opaque(etag: string): string {
  return etag.replace(/^W\//, '').replace(/^"|"$/g, '').replace(CODING_SUFFIX, '');
}

function timeOf(date: string | undefined): number {
  return date !== undefined && HTTP_DATE.test(date) ? Date.parse(date) : Number.NaN;
}

function withoutHash(url: URL): string {
  const copy = new URL(url);
  copy.hash = '';
  return copy.href;
}

const hashes = new WeakMap<Connector, string>();

function descriptionHash(connector: Connector): string {
  let known = hashes.get(connector);
  if (known === undefined) {
    known = hash(connector);
    hashes.set(connector, known);
  }
  return known;
}

function sorted(entries: object): [string, unknown][] {
  return Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1));
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
