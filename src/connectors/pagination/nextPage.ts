import type { JsonObject, JsonValue } from '../../core/json.ts';
import type { OutgoingResponse } from '../../outgoing/types.ts';
import type { Pagination } from '../format/pagination.ts';
import { parsePath, valueAt } from '../jsonPath.ts';
import { linkTarget } from './linkHeader.ts';
import { MAX_TOKEN_CHARS, type PagePosition } from './position.ts';

/** One page as it came. */
export interface FetchedPage {
  readonly position: PagePosition | null;
  readonly response: OutgoingResponse;
  readonly body: JsonValue;
  /** Records before any filter. */
  readonly records: readonly JsonObject[];
}

/**
 * Where the page after this one starts, or null after the last.
 * @throws TypeError with what the answer has wrong about its next page
 */
export function nextPage(pagination: Pagination, page: FetchedPage): PagePosition | null {
  switch (pagination.type) {
    case 'none':
      return null;
    case 'cursor':
      return isLast(pagination, page) ? null : token(lastRecordValue(page, pagination.recordPath));
    case 'token':
      return isLast(pagination, page) ? null : token(tokenOf(pagination, page));
    case 'page': {
      const number = page.position !== null && 'page' in page.position ? page.position.page : pagination.start;
      const pages = number - pagination.start + 1;
      return isLast(pagination, page) || reached(pagination, page, pages) ? null : { page: number + 1 };
    }
    case 'offset': {
      const offset = page.position !== null && 'offset' in page.position ? page.position.offset : 0;
      const read = offset + page.records.length;
      const total = pagination.totalPath === undefined ? undefined : at(page.body, pagination.totalPath);
      if (isLast(pagination, page) || (total !== undefined && read >= Number(total))) return null;
      return { offset: read };
    }
    case 'link_header': {
      const target = linkTarget(page.response.headers.link, pagination.rel);
      return target === undefined ? null : address(target, page);
    }
    case 'next_url': {
      const target = isLast(pagination, page) ? undefined : at(page.body, pagination.path);
      if (target === undefined || target === null || target === '') return null;
      if (typeof target !== 'string')
        throw new TypeError(`has something else than an address at ${JSON.stringify(pagination.path)}`);
      return address(target, page);
    }
  }
}

type Ending = Extract<Pagination, { type: 'cursor' | 'token' | 'page' | 'offset' | 'next_url' }>;

/** The ways to end that several kinds share. */
function isLast(pagination: Ending, { body, records }: FetchedPage): boolean {
  if (pagination.hasMorePath !== undefined) {
    const more = at(body, pagination.hasMorePath);
    if (typeof more !== 'boolean')
      throw new TypeError(`does not say at ${JSON.stringify(pagination.hasMorePath)} whether there is more`);
    return !more;
  }
  if (pagination.type === 'token' || pagination.type === 'next_url') return false;
  if (records.length === 0) return true;
  return pagination.shortPageEnds && pagination.pageSize !== undefined && records.length < pagination.pageSize.value;
}

/** Whether a numbered list has told that this was its last page. */
function reached(
  pagination: Extract<Pagination, { type: 'page' }>,
  { body, response }: FetchedPage,
  pages: number,
): boolean {
  const { totalPagesPath, totalPagesHeader, totalPath, pageSize } = pagination;
  const header = totalPagesHeader === undefined ? undefined : response.headers[totalPagesHeader.toLowerCase()];
  const total = totalPagesPath === undefined ? header : at(body, totalPagesPath);
  if (total !== undefined && total !== null) return pages >= Number(total);
  const records = totalPath === undefined ? undefined : at(body, totalPath);
  return (
    records !== undefined && records !== null && pageSize !== undefined && pages * pageSize.value >= Number(records)
  );
}

function lastRecordValue({ records }: FetchedPage, path: string): JsonValue | undefined {
  const last = records.at(-1);
  const value = last === undefined ? undefined : valueAt(last, parsePath(path));
  if (last !== undefined && (value === undefined || value === null))
    throw new TypeError(`has a last record without ${JSON.stringify(path)}, which the next page starts after`);
  return value;
}

function tokenOf(
  pagination: Extract<Pagination, { type: 'token' }>,
  { body, response }: FetchedPage,
): JsonValue | undefined {
  if (pagination.tokenHeader !== undefined) return response.headers[pagination.tokenHeader.toLowerCase()];
  return at(body, pagination.tokenPath!);
}

function token(value: JsonValue | undefined): PagePosition | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'object')
    throw new TypeError('has something else than a text or number as the token of its next page');
  return { token: bounded(String(value)) };
}

function address(target: string, { response }: FetchedPage): PagePosition {
  const url = URL.parse(target, response.url);
  if (url === null) throw new TypeError('names a next page that is not an address');
  return { url: bounded(url.href) };
}

function bounded(text: string): string {
  if (text.length > MAX_TOKEN_CHARS)
    throw new TypeError(`names its next page with more than ${MAX_TOKEN_CHARS} characters`);
  return text;
}

function at(body: JsonValue, path: string): JsonValue | undefined {
  return valueAt(body, parsePath(path));
}
