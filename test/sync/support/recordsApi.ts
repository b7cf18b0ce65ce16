import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../../src/core/json.ts';

/** An API on loopback whose data and behaviour a test sets. Streams are named by their path. */
export interface RecordsApi {
  readonly url: string;
  /** Stream → records by id. */
  readonly tables: Map<string, Map<string, JsonObject>>;
  /** Path and query of every request, in order. */
  readonly requests: string[];
  /** Status and size of every answer that it gave by itself. */
  readonly answers: { readonly status: number; readonly bytes: number }[];
  /** Headers by which the answer with this body is known; a request with one of them is answered 304. */
  validators: ((body: string, url: URL) => Readonly<Record<string, string>>) | null;
  /** Called before the answer; true when it has taken over the response. */
  intercept: ((request: IncomingMessage, response: ServerResponse, url: URL) => boolean | Promise<boolean>) | null;
  put(stream: string, ...records: JsonObject[]): void;
  remove(stream: string, ...ids: string[]): void;
  close(): Promise<void>;
}

const PAGE_SIZE = 10;

/**
 * `/items` and every other path: records by id, from `after` on. `/events`: those with `updated_at` from `since`
 * on, by `updated_at`, `page` by page.
 */
export async function startRecordsApi(): Promise<RecordsApi> {
  const tables: RecordsApi['tables'] = new Map();
  const requests: string[] = [];
  const answers: RecordsApi['answers'] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://api');
    requests.push(request.url!);
    if (await api.intercept?.(request, response, url)) return;
    const rows = [...(tables.get(url.pathname.slice(1))?.values() ?? [])];
    const { items, more } = url.pathname === '/events' ? byTime(rows, url) : byId(rows, url);
    const body = JSON.stringify({ items, more });
    const validators = api.validators?.(body, url) ?? {};
    const { etag, 'last-modified': lastModified } = validators;
    const { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModifiedSince } = request.headers;
    const isKnown =
      (etag !== undefined && etag === ifNoneMatch) ||
      (ifNoneMatch === undefined && lastModified !== undefined && lastModified === ifModifiedSince);
    answers.push({ status: isKnown ? 304 : 200, bytes: isKnown ? 0 : body.length });
    response.writeHead(isKnown ? 304 : 200, { 'content-type': 'application/json', ...validators });
    response.end(isKnown ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api: RecordsApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tables,
    requests,
    answers,
    validators: null,
    intercept: null,
    put(stream, ...records) {
      const table = tables.get(stream) ?? new Map<string, JsonObject>();
      tables.set(stream, table);
      for (const record of records) table.set(String(record.id), record);
    },
    remove(stream, ...ids) {
      for (const id of ids) tables.get(stream)?.delete(id);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return api;
}

function byId(rows: JsonObject[], url: URL) {
  const after = url.searchParams.get('after') ?? '';
  const rest = rows.filter((row) => String(row.id) > after).sort(compare('id'));
  return { items: rest.slice(0, PAGE_SIZE), more: rest.length > PAGE_SIZE };
}

function byTime(rows: JsonObject[], url: URL) {
  const since = url.searchParams.get('since') ?? '';
  const page = Number(url.searchParams.get('page') ?? 1);
  const rest = rows.filter((row) => String(row.updated_at) >= since).sort(compare('updated_at', 'id'));
  return { items: rest.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE), more: rest.length > page * PAGE_SIZE };
}

const compare =
  (...fields: string[]) =>
  (a: JsonObject, b: JsonObject): number => {
    for (const field of fields) {
      const [left, right] = [String(a[field]), String(b[field])];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  };

/** The validator of a provider that does it right. */
export const etagOfBody = (body: string) => ({ etag: `"${createHash('sha1').update(body).digest('hex')}"` });

/** Records `prefix001`, `prefix002`, … */
export function numbered(count: number, fields: JsonObject = {}, prefix = 'r'): JsonObject[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${prefix}${String(index + 1).padStart(4, '0')}`,
    name: `record ${index + 1}`,
    ...fields,
  }));
}
