import { z } from 'zod';
import { pathSchema } from './parts.ts';

/** Where a value goes in a request. `body` is a top-level key of the JSON or form body. */
const inShape = { in: z.enum(['query', 'body', 'header']).default('query'), param: z.string().min(1) };

const sizeSchema = z.number().int().min(1).max(10_000);

/** `value` is asked for; `min` and `max` are what the API takes, as far as its documentation says, and what tuning stays within. */
const pageSizeSchema = z.strictObject({
  ...inShape,
  value: sizeSchema,
  min: sizeSchema.optional(),
  max: sizeSchema.optional(),
});

const sizeShape = { pageSize: pageSizeSchema.optional() };

/** How a numbered or offset list tells that it ends; without any of these an empty page ends it. */
const endShape = {
  /** True or false in the body: whether more comes. */
  hasMorePath: pathSchema.optional(),
  /** Number of pages, in the body or in a header. */
  totalPagesPath: pathSchema.optional(),
  totalPagesHeader: z.string().min(1).optional(),
  /** Number of records in all, in the body. */
  totalPath: pathSchema.optional(),
  /** A page with fewer records than asked for is the last. Only where the API never sends short pages in between. */
  shortPageEnds: z.boolean().default(false),
};

const noneSchema = z.strictObject({ type: z.literal('none') });

/** The next page starts after the last record of this one (keyset): its value at `recordPath` is sent back. */
const cursorSchema = z.strictObject({
  type: z.literal('cursor'),
  ...inShape,
  recordPath: pathSchema,
  ...sizeShape,
  hasMorePath: pathSchema.optional(),
  shortPageEnds: z.boolean().default(false),
});

/** The answer carries a token for the next page, in its body (`tokenPath`) or a header (`tokenHeader`). */
const tokenSchema = z.strictObject({
  type: z.literal('token'),
  ...inShape,
  tokenPath: pathSchema.optional(),
  tokenHeader: z.string().min(1).optional(),
  ...sizeShape,
  hasMorePath: pathSchema.optional(),
});

const pageSchema = z.strictObject({
  type: z.literal('page'),
  ...inShape,
  start: z.number().int().min(0).default(1),
  ...sizeShape,
  ...endShape,
});

const offsetSchema = z.strictObject({ type: z.literal('offset'), ...inShape, ...sizeShape, ...endShape });

/** RFC 8288: the `Link` header's entry with this `rel`. */
const linkHeaderSchema = z.strictObject({
  type: z.literal('link_header'),
  rel: z.string().min(1).default('next'),
  ...sizeShape,
});

/** The body holds the address of the next page. */
const nextUrlSchema = z.strictObject({
  type: z.literal('next_url'),
  path: pathSchema,
  hasMorePath: pathSchema.optional(),
  ...sizeShape,
});

export const paginationSchema = z.discriminatedUnion('type', [
  noneSchema,
  cursorSchema,
  tokenSchema,
  pageSchema,
  offsetSchema,
  linkHeaderSchema,
  nextUrlSchema,
]);
export type Pagination = z.output<typeof paginationSchema>;
