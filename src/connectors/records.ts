import type { JsonObject, JsonValue } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';
import type { OutgoingResponse } from '../outgoing/types.ts';
import { compileCondition, compileConditions } from './condition.ts';
import { cursorText } from './cursor.ts';
import { StreamReadError } from './errors.ts';
import type { Stream, Transformation } from './format/stream.ts';
import { hasWildcard, type JsonPath, parsePath, valueAt, valuesAt, withoutValue, withValue } from './jsonPath.ts';
import { describeBody, readJson } from './readJson.ts';
import { render, type TemplateScope } from './template.ts';
import type { StreamRecord } from './types.ts';

/** Far above any page size; an answer with more is not a page. */
const MAX_RECORDS_PER_PAGE = 50_000;

/** What one answer holds. */
export interface PageContent {
  readonly body: JsonValue;
  /** As they came, before filter and transformations: what pagination goes by. */
  readonly raw: readonly JsonObject[];
  readonly records: readonly StreamRecord[];
  /** The cursor field of each raw record that has one, in order. */
  readonly cursors: readonly string[];
}

export type RecordSelector = (response: OutgoingResponse, scope: TemplateScope) => PageContent;

const selectors = new WeakMap<Stream, RecordSelector>();

/** Prepares taking a stream's records out of answers. */
export function selectorFor(stream: Stream): RecordSelector {
  let selector = selectors.get(stream);
  if (selector === undefined) {
    selector = compileSelector(stream);
    selectors.set(stream, selector);
  }
  return selector;
}

function compileSelector(stream: Stream): RecordSelector {
  const path = parsePath(stream.recordsPath);
  const keyPaths = [stream.primaryKey].flat().map((text) => ({ text, path: parsePath(text) }));
  const cursorPath = stream.incremental === undefined ? undefined : parsePath(stream.incremental.cursorField);
  const passes = compileConditions(stream.filter);
  const isDeleted = stream.deletionMarker === undefined ? undefined : compileCondition(stream.deletionMarker);
  const transform = compileTransformations(stream.transformations);

  const transformed = (record: JsonObject, scope: TemplateScope, response: OutgoingResponse): JsonObject => {
    try {
      return transform(record, scope);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw badAnswer(
        stream,
        response,
        `has a record that a transformation cannot take: ${error.message.replace(/\.$/, '')}`,
      );
    }
  };

  return (response, scope) => {
    const body = readJson(response);
    if (body === undefined)
      throw badAnswer(stream, response, `answered with ${describeBody(response)} instead of JSON`);
    const raw = rawRecords(stream, path, body, response);
    const cursors = cursorPath === undefined ? [] : cursorsOf(stream, cursorPath, raw, response);
    const records = raw.filter(passes).map((record): StreamRecord => {
      const data = transformed(record, scope, response);
      const deleted = isDeleted?.(record) === true ? { deleted: true } : {};
      return { key: keyOf(stream, keyPaths, data, response), data, ...deleted };
    });
    return { body, raw, records, cursors };
  };
}

function rawRecords(stream: Stream, path: JsonPath, body: JsonValue, response: OutgoingResponse): JsonObject[] {
  const at = JSON.stringify(stream.recordsPath);
  const found = hasWildcard(path) ? valuesAt(body, path) : valueAt(body, path);
  if (found === undefined || found === null) {
    if (stream.recordsOptional) return [];
    throw badAnswer(stream, response, `answered without its records: there is nothing at recordsPath ${at}`);
  }
  // One object is a stream of one record, such as the account itself.
  const list = Array.isArray(found) ? found : [found];
  if (list.length > MAX_RECORDS_PER_PAGE)
    throw badAnswer(
      stream,
      response,
      `answered with ${list.length} records in one page; at most ${MAX_RECORDS_PER_PAGE} are taken`,
    );
  for (const [index, record] of list.entries())
    if (record === null || typeof record !== 'object' || Array.isArray(record))
      throw badAnswer(stream, response, `has something else than an object at recordsPath ${at}, position ${index}`);
  const records = list as JsonObject[];
  // A record cannot be larger than the body it came in.
  if (response.body.length > LIMITS.recordBytes)
    for (const [index, record] of records.entries())
      if (Buffer.byteLength(JSON.stringify(record)) > LIMITS.recordBytes)
        throw badAnswer(stream, response, `has a record above ${LIMITS.recordBytes} bytes, at position ${index}`);
  return records;
}

function keyOf(
  stream: Stream,
  paths: readonly { text: string; path: JsonPath }[],
  data: JsonObject,
  response: OutgoingResponse,
): string {
  const parts = paths.map(({ text, path }) => {
    const value = valueAt(data, path);
    if (value === undefined || value === null || typeof value === 'object' || value === '')
      throw badAnswer(
        stream,
        response,
        `has a record without its primary key: there is no text or number in ${JSON.stringify(text)}`,
      );
    return value;
  });
  return parts.length === 1 ? String(parts[0]) : JSON.stringify(parts);
}

function cursorsOf(stream: Stream, path: JsonPath, raw: readonly JsonObject[], response: OutgoingResponse): string[] {
  const { format, cursorField } = stream.incremental!;
  const cursors = raw.flatMap((record) => cursorText(format, valueAt(record, path)) ?? []);
  // A field that no record has is misspelt, and every run would read everything without a word.
  if (raw.length > 0 && cursors.length === 0)
    throw badAnswer(
      stream,
      response,
      `has no record with a ${format} in the cursor field ${JSON.stringify(cursorField)}`,
    );
  return cursors;
}

function compileTransformations(
  transformations: readonly Transformation[],
): (record: JsonObject, scope: TemplateScope) => JsonObject {
  const steps = transformations.map(compileTransformation);
  return (record, scope) => steps.reduce((data, step) => step(data, scope), record);
}

function compileTransformation(
  transformation: Transformation,
): (record: JsonObject, scope: TemplateScope) => JsonObject {
  if ('add' in transformation) {
    const path = parsePath(transformation.add.field);
    return (record, scope) => withValue(record, path, render(transformation.add.value, { ...scope, record }) ?? null);
  }
  if ('remove' in transformation) {
    const paths = transformation.remove.map(parsePath);
    return (record) => paths.reduce(withoutValue, record);
  }
  if ('rename' in transformation) {
    const [from, to] = [parsePath(transformation.rename.from), parsePath(transformation.rename.to)];
    return (record) => {
      const value = valueAt(record, from);
      return value === undefined ? record : withValue(withoutValue(record, from), to, value);
    };
  }
  const kept = new Set(transformation.keep);
  return (record) => Object.fromEntries(Object.entries(record).filter(([key]) => kept.has(key)));
}

/** Names the stream and the address that answered, without its query. */
export function badAnswer(
  stream: Stream,
  response: Pick<OutgoingResponse, 'url' | 'status'>,
  what: string,
): StreamReadError {
  const url = URL.parse(response.url);
  const address = url === null ? '' : `${url.origin}${url.pathname}`;
  return new StreamReadError(`The stream ${JSON.stringify(stream.name)} cannot be read: ${address} ${what}.`, {
    details: { stream: stream.name, url: address, httpStatus: response.status },
  });
}
