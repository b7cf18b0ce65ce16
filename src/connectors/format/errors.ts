import { z } from 'zod';
import type { Outcome } from '../../outgoing/types.ts';
import { conditionSchema, durationSchema, pathSchema, webAddressSchema } from './parts.ts';

/** Outcomes that an answer can have; the others belong to calls without one. */
const ANSWER_OUTCOMES = [
  'success',
  'wrong_credentials',
  'missing_scope',
  'rate_limited',
  'not_found',
  'invalid_request',
  'provider_error',
  'bad_response',
] as const satisfies readonly Outcome[];

const statusSchema = z.union(
  [z.number().int().min(100).max(599), z.enum(['2xx', '3xx', '4xx', '5xx'])],
  'takes a status such as 403 or one of "2xx", "3xx", "4xx", "5xx"',
);

const headerConditionSchema = z.strictObject({
  name: z.string().min(1),
  exists: z.boolean().optional(),
  equals: z.string().optional(),
  matches: z.string().max(500).optional(),
});

const ruleSchema = z.strictObject({
  when: z.strictObject({
    status: z.union([statusSchema, z.array(statusSchema).min(1)]).optional(),
    /** The provider's code, as `codePath` finds it. */
    code: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .optional(),
    header: headerConditionSchema.optional(),
    /** Of the answer's JSON; of several all must hold. */
    body: z.union([conditionSchema, z.array(conditionSchema).min(1)]).optional(),
    /** Regular expression over the provider's message, as `messagePath` finds it. */
    message: z.string().max(500).optional(),
  }),
  outcome: z.enum(ANSWER_OUTCOMES),
  /** Whether the same request may be sent again. Default: as usual for the outcome. */
  retryable: z.boolean().optional(),
  /** Wait before that, where the answer does not say. */
  wait: durationSchema.optional(),
});
export type ErrorRule = z.output<typeof ruleSchema>;

const pathsSchema = z.union([pathSchema, z.array(pathSchema).min(1)], 'takes a path or a list of paths');

/** What answers mean. The first rule that holds counts; without one the status decides. */
export const errorsSchema = z.strictObject({
  codePath: pathsSchema.optional(),
  messagePath: pathsSchema.optional(),
  rules: z.array(ruleSchema).default([]),
});

/** Where an answer says how much of the budget is left. */
const rateLimitHeadersSchema = z.strictObject({
  limit: z.string().min(1).optional(),
  remaining: z.string().min(1).optional(),
  /** One header `used/limit`, such as Shopify's `32/40`; `restorePerSecond` gives the time to refill. */
  usedOfLimit: z.string().min(1).optional(),
  restorePerSecond: z.number().positive().optional(),
  reset: z
    .strictObject({
      header: z.string().min(1),
      unit: z.enum(['epoch_seconds', 'epoch_ms', 'delta_seconds', 'delta_milliseconds', 'http_date', 'rfc3339']),
    })
    .optional(),
});
export type RateLimitHeaders = z.output<typeof rateLimitHeadersSchema>;

export const rateLimitSchema = z.strictObject({
  /** Known limits of one credential. */
  budgets: z.array(z.strictObject({ maxRequests: z.number().int().min(1), window: durationSchema })).default([]),
  /** `standard`: the IETF and the usual `x-ratelimit-*` headers, with the unit of the reset guessed. */
  headers: z.union([z.literal('standard'), z.array(rateLimitHeadersSchema)]).default([]),
  docsUrl: webAddressSchema.optional(),
});

/** Overrides of the pipeline's own retry policy. */
export const retrySchema = z.strictObject({
  maxAttempts: z.number().int().min(1).max(10).optional(),
  baseDelay: durationSchema.optional(),
  maxDelay: durationSchema.optional(),
  maxRetryAfter: durationSchema.optional(),
});
