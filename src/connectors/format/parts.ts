import { z } from 'zod';
import { isConnectionHeader } from '../../outgoing/connectionHeaders.ts';

/** Letters, digits, `_` and `-`: what streams, fields and modes are called. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'takes a name of letters, digits, "_" and "-" that starts with a letter');

/** A length of time such as `500ms`, `30s`, `15m`, `6h`, `7d`. */
export const durationSchema = z
  .string()
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'takes a length of time such as "500ms", "30s", "15m", "6h" or "7d"');

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration that `durationSchema` has taken. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new TypeError(`Not a length of time: ${JSON.stringify(text)}`);
  return Number(match[1]) * (UNIT_MS[match[2]!] ?? 1);
}

export const httpMethodSchema = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD']);

/** Text that may hold `{{ … }}`; template.ts says what may stand inside. */
export const templateSchema = z.string().max(4000);

export const CONNECTION_HEADER = 'is set by the connection itself; take another header';
const headerNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'takes a header name')
  .refine((name) => !isConnectionHeader(name), CONNECTION_HEADER);
export const headersSchema = z.record(headerNameSchema, templateSchema);

const scalarSchema = z.union([z.string(), z.number(), z.boolean()], 'takes a text, a number or true/false');

/** Query parameters; a list is sent as a repeated parameter. A template that gives nothing leaves its parameter out. */
export const paramsSchema = z.record(z.string().min(1), z.union([scalarSchema, z.array(scalarSchema)]));

/** A page that people are sent to. */
export const webAddressSchema = z.url({ protocol: /^https?$/ });

/** A path into JSON: `data.items`, `data[0].id`, `groups[*].users`, `['a.b']`, `$` for the whole. */
export const pathSchema = z.string().min(1).max(300);

/** JSON, with templates in its texts. */
export const bodySchema = z.json();

/** Holds when every test named holds. */
export const conditionSchema = z.strictObject({
  path: pathSchema,
  exists: z.boolean().optional(),
  equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  notEquals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  in: z.array(z.union([z.string(), z.number(), z.boolean()])).optional(),
  matches: z.string().max(500).optional(),
});
export type Condition = z.output<typeof conditionSchema>;

/** What a person fills in: a credential or a connection field. */
const fieldShape = {
  name: nameSchema,
  title: z.string().min(1).max(200),
  description: z.string().max(2000).optional(),
  /** An anchored regular expression; `hint` says in words what it asks for. */
  pattern: z.string().max(500).optional(),
  hint: z.string().max(300).optional(),
  example: z.string().max(300).optional(),
};

export const credentialFieldSchema = z.strictObject({
  ...fieldShape,
  secret: z.boolean().default(true),
  required: z.boolean().default(true),
  /** Where a person gets it. */
  help: z.string().max(2000).optional(),
});
export type CredentialField = z.output<typeof credentialFieldSchema>;

export const connectionFieldSchema = z.strictObject({
  ...fieldShape,
  /** `url`: an http(s) address without credentials, query and fragment. */
  type: z.enum(['string', 'url', 'integer', 'boolean']).default('string'),
  required: z.boolean().default(false),
  default: scalarSchema.optional(),
});
export type ConnectionField = z.output<typeof connectionFieldSchema>;
