import { z } from 'zod';
import type { JsonObject } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';

const positive = z.number().int().positive().max(10_000_000);

/** What an integration may be configured with; what each key means is in types.ts. */
const configurationSchema = z.strictObject({
  syncFrequency: z.string().min(1).max(200).optional(),
  timezone: z.string().min(1).max(100).optional(),
  rateLimits: z
    .strictObject({
      requestsPerSecond: positive.optional(),
      requestsPerMinute: positive.optional(),
      requestsPerHour: positive.optional(),
      requestsPerDay: positive.optional(),
    })
    .optional(),
  connection: z.record(z.string(), z.union([z.string().max(2000), z.number(), z.boolean()])).optional(),
  authMode: z.string().max(100).optional(),
  streams: z.array(z.string().max(200)).min(1).max(200).optional(),
  startDate: z
    .union(
      [z.iso.datetime({ offset: true }), z.iso.date()],
      'takes an ISO 8601 date or time, such as 2026-01-31 or 2026-01-31T12:00:00Z',
    )
    .optional(),
  deletionSafetyPercent: z.number().min(0).max(100).optional(),
  connector: z
    .custom<JsonObject>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
      'takes an object in the connector format',
    )
    .optional(),
});

const name = z.string().trim().min(1, 'takes a name of at least one character').max(LIMITS.nameChars);

const type = z.string().trim().min(1).max(100);
const credentials = z.record(z.string().min(1).max(100), z.string().max(LIMITS.credentialsBytes));

export const createIntegrationSchema = z.strictObject({
  name,
  type: type.optional(),
  platform: z.string().min(1).max(100),
  credentials: credentials.optional(),
  configuration: configurationSchema.optional(),
  owner: z.string().trim().min(1).max(200).optional(),
});

/** In an update a configuration key set to null is removed. */
export const updateIntegrationSchema = z.strictObject({
  name: name.optional(),
  type: type.optional(),
  credentials: credentials.optional(),
  configuration: z
    .strictObject(
      Object.fromEntries(
        Object.entries(configurationSchema.shape).map(([key, schema]) => [key, schema.nullable()]),
      ) as { [K in keyof typeof configurationSchema.shape]: z.ZodNullable<(typeof configurationSchema.shape)[K]> },
    )
    .optional(),
  version: z.number().int().positive().optional(),
});

export const webhookSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'takes an http or https address' }).max(2000),
  events: z
    .array(
      z
        .string()
        .regex(/^(\*|[a-z][a-z0-9_]*(\.[a-z0-9_*]+)*)$/, 'takes an event type such as "sync.completed", or "*"'),
    )
    .min(1, 'takes at least one event type, or "*" for all')
    .max(100),
  description: z.string().max(500).optional(),
  active: z.boolean().optional(),
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'takes "whsec_" and 24 to 64 bytes in base64')
    .optional(),
});
