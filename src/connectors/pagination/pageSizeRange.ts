import type { Pagination } from '../format/pagination.ts';
import type { Connector } from '../format.ts';

/** Without a documented minimum, pages are asked for with at least this share of the connector's size. */
const SMALLEST_SHARE = 0.1;

/** Sizes of pages that may be asked for. */
export interface PageSizeRange {
  readonly min: number;
  /** The connector's own. */
  readonly value: number;
  readonly max: number;
}

/**
 * What may be asked for, or null where the size must stay as it is: it is not part of the request, or the end of the
 * list is found by multiplying it. Above the connector's own size only as far as the connector says that the API goes.
 */
export function pageSizeRange(pagination: Pagination): PageSizeRange | null {
  if (pagination.type === 'none' || pagination.pageSize === undefined) return null;
  // An API that silently gives fewer than asked for would seem to end too early, and the rest to be deleted.
  if (pagination.type === 'page' && endsByProduct(pagination)) return null;
  const { value, min, max } = pagination.pageSize;
  return { min: min ?? Math.ceil(value * SMALLEST_SHARE), value, max: max ?? value };
}

/**
 * The connector with every page size at `percent` of its own, within its range. A page that is shorter than asked for
 * no longer ends a list then, since the API may have a limit of its own: an empty one does, one call later.
 */
export function withPageSizes(connector: Connector, percent: number): Connector {
  if (percent === 100) return connector;
  const streams = connector.streams.map((stream) =>
    stream.pagination === undefined ? stream : { ...stream, pagination: resized(stream.pagination, percent) },
  );
  return { ...connector, pagination: resized(connector.pagination, percent), streams };
}

/** The size at `percent` of the connector's own, within the range. */
export function sizeAt({ min, value, max }: PageSizeRange, percent: number): number {
  return Math.max(min, Math.min(max, Math.round((value * percent) / 100)));
}

function resized(pagination: Pagination, percent: number): Pagination {
  const range = pageSizeRange(pagination);
  if (range === null || pagination.type === 'none' || pagination.pageSize === undefined) return pagination;
  const pageSize = { ...pagination.pageSize, value: sizeAt(range, percent) };
  return 'shortPageEnds' in pagination
    ? { ...pagination, pageSize, shortPageEnds: false }
    : { ...pagination, pageSize };
}

function endsByProduct({
  hasMorePath,
  totalPagesPath,
  totalPagesHeader,
  totalPath,
}: Extract<Pagination, { type: 'page' }>): boolean {
  return [hasMorePath, totalPagesPath, totalPagesHeader].every((one) => one === undefined) && totalPath !== undefined;
}
