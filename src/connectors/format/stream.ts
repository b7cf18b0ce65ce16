import { z } from 'zod';
import { paginationSchema } from './pagination.ts';
import {
  bodySchema,
  conditionSchema,
  durationSchema,
  headersSchema,
  httpMethodSchema,
  nameSchema,
  paramsSchema,
  pathSchema,
  templateSchema,
  webAddressSchema,
} from './parts.ts';

/** What changes a record before it is stored; applied in order. */
const transformationSchema = z.union(
  [
    z.strictObject({ add: z.strictObject({ field: pathSchema, value: templateSchema }) }),
    z.strictObject({ remove: z.array(pathSchema).min(1) }),
    z.strictObject({ rename: z.strictObject({ from: pathSchema, to: pathSchema }) }),
    z.strictObject({ keep: z.array(nameSchema).min(1) }),
  ],
  'takes one of { add: { field, value } }, { remove: [paths] }, { rename: { from, to } }, { keep: [fields] }',
);
export type Transformation = z.output<typeof transformationSchema>;

/**
 * Reads only what changed since the last run. The request uses `{{ state.cursor }}`: the highest value of
 * `cursorField` stored so far, less `lookback` and one `granularity`, so that ties are never lost. An API without
 * such a parameter can still be read `descending`: reading then stops at the first page that is old.
 */
const incrementalSchema = z.strictObject({
  cursorField: pathSchema,
  format: z.enum(['rfc3339', 'epoch_seconds', 'epoch_ms', 'integer', 'string']).default('rfc3339'),
  granularity: durationSchema.default('1s'),
  lookback: durationSchema.default('0s'),
  /** The order in which the API gives the records, by the cursor field. */
  order: z.enum(['ascending', 'descending', 'unordered']).default('unordered'),
});
export type Incremental = z.output<typeof incrementalSchema>;

/** Reads this stream once for every record of another, as `{{ parent.… }}`. */
const parentSchema = z.strictObject({
  stream: nameSchema,
  /** Only for these parents. */
  where: z.array(conditionSchema).default([]),
  /** An answer `not_found` means: nothing under this parent. Otherwise it fails the read. */
  skipNotFound: z.boolean().default(false),
});

export const streamSchema = z.strictObject({
  name: nameSchema,
  title: z.string().min(1).max(200),
  description: z.string().max(2000).optional(),
  docsUrl: webAddressSchema.optional(),
  /** Synced unless the configuration names other streams. */
  default: z.boolean().default(true),
  method: httpMethodSchema.default('GET'),
  path: templateSchema,
  params: paramsSchema.default({}),
  headers: headersSchema.default({}),
  body: bodySchema.optional(),
  bodyFormat: z.enum(['json', 'form']).default('json'),
  recordsPath: pathSchema.default('$'),
  /** An answer without `recordsPath` is an empty page instead of a bad one. */
  recordsOptional: z.boolean().default(false),
  filter: z.array(conditionSchema).default([]),
  transformations: z.array(transformationSchema).default([]),
  primaryKey: z.union([pathSchema, z.array(pathSchema).min(1).max(8)], 'takes a field or a list of fields'),
  incremental: incrementalSchema.optional(),
  parent: parentSchema.optional(),
  pagination: paginationSchema.optional(),
  /**
   * What tells that a record is gone. `full_read`: it does not come in a full read. `none`: nothing does (the API
   * shows recent records only). `marker`: the record itself says so, and full reads tell as well.
   */
  deletions: z.enum(['full_read', 'none', 'marker']).default('full_read'),
  deletionMarker: conditionSchema.optional(),
  /** Scopes the credentials need for this stream. */
  scopes: z.array(z.string().min(1)).default([]),
  /** Types of well-known fields, for people and exports. */
  schema: z
    .record(z.string(), z.enum(['string', 'integer', 'number', 'boolean', 'timestamp', 'object', 'array']))
    .default({}),
});
export type Stream = z.output<typeof streamSchema>;
