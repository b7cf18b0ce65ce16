import { z } from 'zod';
import type { Pagination } from '../format/pagination.ts';
import type { Additions } from '../request.ts';

/** Longest token or address of a next page that is kept. */
export const MAX_TOKEN_CHARS = 16_384;

const textSchema = z.string().min(1).max(MAX_TOKEN_CHARS);

/** Where a page starts. The first page of a stream has none. */
export const pagePositionSchema = z.union([
  z.strictObject({ token: textSchema }),
  z.strictObject({ page: z.number().int().min(0) }),
  z.strictObject({ offset: z.number().int().min(0) }),
  z.strictObject({ url: textSchema }),
]);
export type PagePosition = z.output<typeof pagePositionSchema>;

/** What the request for a page carries beside what the stream says. */
export function additionsFor(pagination: Pagination, position: PagePosition | null): Additions {
  if (pagination.type === 'none') return {};
  // The address of a next page holds its own parameters.
  if (position !== null && 'url' in position) return { url: new URL(position.url) };
  const additions = { query: {}, body: {}, headers: {} } as Record<string, Record<string, string | number>>;
  const { pageSize } = pagination;
  const put = (place: { in: 'query' | 'body' | 'header'; param: string }, value: string | number): void => {
    const target = place.in === 'header' ? 'headers' : place.in;
    additions[target]![place.param] = place.in === 'body' ? value : String(value);
  };
  if (pageSize !== undefined) put(pageSize, pageSize.value);
  if (pagination.type === 'page')
    put(pagination, position !== null && 'page' in position ? position.page : pagination.start);
  if (pagination.type === 'offset') put(pagination, position !== null && 'offset' in position ? position.offset : 0);
  if ((pagination.type === 'cursor' || pagination.type === 'token') && position !== null && 'token' in position)
    put(pagination, position.token);
  return additions as Additions;
}
