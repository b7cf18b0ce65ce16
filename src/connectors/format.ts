import { z } from 'zod';
import { authModeSchema } from './format/auth.ts';
import { errorsSchema, rateLimitSchema, retrySchema } from './format/errors.ts';
import { paginationSchema } from './format/pagination.ts';
import {
  bodySchema,
  conditionSchema,
  connectionFieldSchema,
  headersSchema,
  httpMethodSchema,
  nameSchema,
  paramsSchema,
  pathSchema,
  templateSchema,
  webAddressSchema,
} from './format/parts.ts';
import { streamSchema } from './format/stream.ts';

/** The request that proves the credentials. It must be one that fails without them. */
const checkSchema = z.strictObject({
  method: httpMethodSchema.default('GET'),
  path: templateSchema,
  params: paramsSchema.default({}),
  headers: headersSchema.default({}),
  body: bodySchema.optional(),
  /** What must hold of the answer, besides its status. */
  expect: z.array(conditionSchema).default([]),
  /** Where the answer names the account; the first path that gives something counts. */
  accountPath: z.union([pathSchema, z.array(pathSchema).min(1)]).optional(),
  /** The header that lists what the credentials may do. */
  scopesHeader: z.string().min(1).optional(),
  scopesSeparator: z.string().min(1).default(','),
  /** Repeat it without credentials: the same answer means that it proves nothing. */
  publicProbe: z.boolean().default(false),
});

const scopeSchema = z.strictObject({
  name: z.string().min(1),
  title: z.string().min(1),
  /** Other scopes that this one contains. */
  includes: z.array(z.string().min(1)).default([]),
});

/** How the platform signs and names its webhooks. */
const webhooksSchema = z.strictObject({
  signature: z.strictObject({
    /** Name of a signature scheme, such as `github`, `stripe`, `slack`. */
    scheme: nameSchema,
    header: z.string().min(1),
  }),
  eventIdHeader: z.string().min(1).optional(),
  eventIdPath: pathSchema.optional(),
  eventTypeHeader: z.string().min(1).optional(),
  eventTypePath: pathSchema.optional(),
  /** Event type → streams that it changes. */
  events: z.record(z.string(), z.array(nameSchema)).default({}),
  docsUrl: webAddressSchema.optional(),
});

/**
 * A platform as data (docs/connectors.md is the reference). Parsing an already parsed connector gives the same.
 * loader.ts adds what a schema cannot say: templates, references between the parts.
 */
export const connectorSchema = z.strictObject({
  platform: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'takes lower-case letters, digits, "_" and "-", and starts with a letter'),
  title: z.string().min(1).max(200),
  category: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'takes lower-case letters, digits and "_"'),
  description: z.string().max(4000).optional(),
  docsUrl: webAddressSchema,
  /** The version of the API that this file was written for; `{{ apiVersion }}` in templates. */
  apiVersion: z.string().min(1).max(50),
  connection: z.array(connectionFieldSchema).max(100).default([]),
  auth: z.array(authModeSchema).min(1).max(20),
  baseUrl: templateSchema.min(1),
  /** Further origins of this API. Only they and the base address receive the credentials. */
  origins: z.array(templateSchema).max(50).default([]),
  /** Sent with every request. */
  headers: headersSchema.default({}),
  check: checkSchema,
  rateLimit: rateLimitSchema.prefault({}),
  retry: retrySchema.prefault({}),
  errors: errorsSchema.prefault({}),
  /** Whether the validators of answers (ETag, Last-Modified) are to be relied on, unless a tuning says otherwise. */
  cacheValidators: z.boolean().optional(),
  pagination: paginationSchema.default({ type: 'none' }),
  streams: z.array(streamSchema).max(500).default([]),
  webhooks: webhooksSchema.optional(),
  scopes: z.array(scopeSchema).max(200).default([]),
});

/** A validated description of a platform. */
export type Connector = z.output<typeof connectorSchema>;
export type Check = Connector['check'];
