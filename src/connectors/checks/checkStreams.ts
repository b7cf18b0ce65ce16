import { suggestion } from '../../core/input.ts';
import type { Pagination } from '../format/pagination.ts';
import type { Stream, Transformation } from '../format/stream.ts';
import type { Connector } from '../format.ts';
import { refersTo } from '../template.ts';
import type { TemplateNames } from '../templateCheck.ts';
import { checkCondition } from './condition.ts';
import type { Report } from './report.ts';
import { checkRequestPath } from './requestPath.ts';

/** Streams over streams over streams: a message, its thread, its channel. */
const MAX_PARENTS = 3;

type Path = readonly (string | number)[];

/** Streams that can be read: parents that exist, cursors that are used, pages that can be turned. */
export function checkStreams(report: Report, connector: Connector, names: TemplateNames): void {
  report.unique(['streams'], connector.streams, 'stream');
  checkPagination(report, ['pagination'], connector.pagination, undefined);
  for (const [index, stream] of connector.streams.entries())
    checkStream(report, connector, stream, ['streams', index], names);
}

function checkStream(report: Report, connector: Connector, stream: Stream, path: Path, names: TemplateNames): void {
  const inStream: TemplateNames = {
    ...names,
    ...(stream.parent === undefined ? {} : { parent: true }),
    ...(stream.incremental === undefined ? {} : { state: ['cursor'] }),
  };
  checkRequestPath(report, [...path, 'path'], stream.path, inStream);
  for (const key of ['params', 'headers', 'body'] as const) report.templates([...path, key], stream[key], inStream);
  if (stream.body !== undefined && /^(GET|HEAD)$/.test(stream.method))
    report.add([...path, 'body'], `cannot be sent with ${stream.method}; set "method: POST".`);
  report.jsonPath([...path, 'recordsPath'], stream.recordsPath, 'any');
  report.jsonPaths([...path, 'primaryKey'], stream.primaryKey);
  for (const [index, condition] of stream.filter.entries())
    checkCondition(report, [...path, 'filter', index], condition);
  for (const [index, transformation] of stream.transformations.entries())
    checkTransformation(report, [...path, 'transformations', index], transformation, { ...inStream, record: true });
  checkPagination(report, [...path, 'pagination'], stream.pagination ?? connector.pagination, stream);
  checkParent(report, connector, stream, path);
  checkIncremental(report, connector, stream, path);
  checkDeletions(report, stream, path);
  const scopes = connector.scopes.map((scope) => scope.name);
  for (const [index, scope] of stream.scopes.entries())
    if (!scopes.includes(scope))
      report.add(
        [...path, 'scopes', index],
        `names the scope ${JSON.stringify(scope)}, which is not under "scopes".${suggestion(scope, scopes)}`,
      );
}

function checkTransformation(report: Report, path: Path, transformation: Transformation, names: TemplateNames): void {
  if ('add' in transformation) {
    report.jsonPath([...path, 'add', 'field'], transformation.add.field, 'keys');
    report.template([...path, 'add', 'value'], transformation.add.value, names);
  } else if ('remove' in transformation) report.jsonPaths([...path, 'remove'], transformation.remove, 'keys');
  else if ('rename' in transformation) {
    report.jsonPath([...path, 'rename', 'from'], transformation.rename.from, 'keys');
    report.jsonPath([...path, 'rename', 'to'], transformation.rename.to, 'keys');
  }
}

function checkParent(report: Report, connector: Connector, stream: Stream, path: Path): void {
  const { parent } = stream;
  if (parent === undefined) return;
  for (const [index, condition] of parent.where.entries())
    checkCondition(report, [...path, 'parent', 'where', index], condition);
  const known = connector.streams.map((one) => one.name).filter((name) => name !== stream.name);
  if (!known.includes(parent.stream)) {
    const why = parent.stream === stream.name ? 'is the stream itself' : 'does not exist';
    report.add(
      [...path, 'parent', 'stream'],
      `names the stream ${JSON.stringify(parent.stream)}, which ${why}.${suggestion(parent.stream, known)} ${known.length === 0 ? 'There is no other stream.' : `Known: ${known.join(', ')}.`}`,
    );
    return;
  }
  let depth = 0;
  for (let at: Stream | undefined = stream; at?.parent !== undefined; depth++) {
    const next: string = at.parent.stream;
    if (depth >= MAX_PARENTS) {
      report.add([...path, 'parent', 'stream'], `goes round in a circle, or more than ${MAX_PARENTS} streams deep.`);
      return;
    }
    at = connector.streams.find((one) => one.name === next);
  }
  if (!anyRefersTo(stream, 'parent'))
    report.add([...path, 'parent'], 'is read for nothing: no path, parameter, header or body uses {{ parent.… }}.');
}

function checkIncremental(report: Report, connector: Connector, stream: Stream, path: Path): void {
  const { incremental } = stream;
  if (incremental === undefined) return;
  report.jsonPath([...path, 'incremental', 'cursorField'], incremental.cursorField);
  if (!anyRefersTo(stream, 'state.cursor') && incremental.order !== 'descending')
    report.add(
      [...path, 'incremental'],
      'is never used: put {{ state.cursor }} into a parameter, header or the body, or set "order: descending" when the newest records come first.',
    );
  const { type } = stream.pagination ?? connector.pagination;
  if (incremental.order === 'ascending' && (type === 'page' || type === 'offset'))
    report.add(
      [...path, 'incremental', 'order'],
      `is "ascending", but pagination "${type}" counts: a record that changes meanwhile goes to the end, those after it move up, and one that was not read yet lands on a page that was. Let the API sort the newest first and set "order: descending", or by something that never changes such as the id and leave "order" out, or use a pagination that does not count.`,
    );
  if ((incremental.format === 'string' || incremental.format === 'integer') && incremental.lookback !== '0s')
    report.add(
      [...path, 'incremental', 'lookback'],
      `is a length of time, but the cursor's format is ${JSON.stringify(incremental.format)}.`,
    );
}

function checkDeletions(report: Report, stream: Stream, path: Path): void {
  if (stream.deletionMarker !== undefined) checkCondition(report, [...path, 'deletionMarker'], stream.deletionMarker);
  if (stream.deletions === 'marker' && stream.deletionMarker === undefined)
    report.add([...path, 'deletions'], 'is "marker", so "deletionMarker" must say how a deleted record looks.');
  if (stream.deletions !== 'marker' && stream.deletionMarker !== undefined)
    report.add([...path, 'deletionMarker'], 'counts only with "deletions: marker".');
}

function checkPagination(report: Report, path: Path, pagination: Pagination, stream: Stream | undefined): void {
  // The connector's own pagination is checked once, where it stands; against a stream only what the two share.
  const own = stream === undefined || stream.pagination !== undefined;
  if (own) {
    if ('hasMorePath' in pagination) report.jsonPath([...path, 'hasMorePath'], pagination.hasMorePath);
    if ('recordPath' in pagination) report.jsonPath([...path, 'recordPath'], pagination.recordPath);
    if ('path' in pagination) report.jsonPath([...path, 'path'], pagination.path);
    if ('totalPath' in pagination) {
      report.jsonPath([...path, 'totalPath'], pagination.totalPath);
      report.jsonPath([...path, 'totalPagesPath'], pagination.totalPagesPath);
    }
    if (pagination.type === 'token') {
      report.jsonPath([...path, 'tokenPath'], pagination.tokenPath);
      if ((pagination.tokenPath === undefined) === (pagination.tokenHeader === undefined))
        report.add(
          path,
          'needs "tokenPath" or "tokenHeader" (one of them): where an answer carries the token of the next page.',
        );
    }
    if ('shortPageEnds' in pagination && pagination.shortPageEnds && pagination.pageSize === undefined)
      report.add([...path, 'shortPageEnds'], 'needs "pageSize": without it nobody knows which page is short.');
  }
  const size = pagination.type === 'none' ? undefined : pagination.pageSize;
  if (own && size !== undefined && !((size.min ?? 1) <= size.value && size.value <= (size.max ?? size.value)))
    report.add([...path, 'pageSize'], 'needs a "value" that lies between its "min" and its "max".');
  if (stream === undefined || pagination.type === 'none') return;
  const at = own ? path : [...path.slice(0, 2)];
  const places = [
    ...('param' in pagination ? [pagination] : []),
    ...(pagination.pageSize === undefined ? [] : [pagination.pageSize]),
  ];
  for (const place of places) {
    if (place.in === 'body' && /^(GET|HEAD)$/.test(stream.method))
      report.add(
        at,
        `puts ${JSON.stringify(place.param)} into the body, but the stream is read with ${stream.method}; set "in: query" or "method: POST".`,
      );
    const taken = place.in === 'query' ? stream.params : place.in === 'header' ? stream.headers : stream.body;
    if (taken !== null && typeof taken === 'object' && Object.hasOwn(taken, place.param))
      report.add(
        [
          ...path.slice(0, 2),
          place.in === 'query' ? 'params' : place.in === 'header' ? 'headers' : 'body',
          place.param,
        ],
        'is also set by the pagination; remove it in one place.',
      );
  }
}

function anyRefersTo(stream: Stream, name: string): boolean {
  const inside = (value: unknown): boolean =>
    typeof value === 'string'
      ? refersToSafely(value, name)
      : value !== null && typeof value === 'object' && Object.values(value).some(inside);
  return [stream.path, stream.params, stream.headers, stream.body].some(inside);
}

/** A template that cannot be read was reported already. */
function refersToSafely(text: string, name: string): boolean {
  try {
    return refersTo(text, name);
  } catch {
    return true;
  }
}
