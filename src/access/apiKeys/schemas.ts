import { z } from 'zod';
import { LIMITS } from '../../core/limits.ts';
import { PERMISSIONS, type Permission } from '../permissions.ts';

const MAX_INTEGRATIONS = 1_000;
const MAX_DAYS = 3_650;
const MAX_OVERLAP_SECONDS = 7 * 86_400;

export const createApiKeySchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(LIMITS.nameChars)
    .regex(/^\P{Cc}*$/u, 'takes text without control characters'),
  permissions: z
    .array(z.enum(Object.keys(PERMISSIONS) as [Permission, ...Permission[]]))
    .min(1)
    .max(Object.keys(PERMISSIONS).length)
    .nullable()
    .default(null)
    .describe('What the key may do at most; null: whatever its user may do.'),
  integrationIds: z
    .array(z.string().regex(/^[\x21-\x7e]{1,200}$/, 'takes ids of integrations'))
    .min(1)
    .max(MAX_INTEGRATIONS)
    .nullable()
    .default(null)
    .describe('The only integrations it reaches; null: all that its user reaches.'),
  expiresInDays: z
    .int()
    .min(1)
    .max(MAX_DAYS)
    .nullable()
    .default(365)
    .describe('Days until it stops working; null: never.'),
});

export const rotateApiKeySchema = z.strictObject({
  overlapSeconds: z
    .int()
    .min(0)
    .max(MAX_OVERLAP_SECONDS)
    .default(86_400)
    .describe('How long the old key goes on working beside the new one.'),
});

export type CreateApiKeyInput = z.input<typeof createApiKeySchema>;
export type RotateApiKeyInput = z.input<typeof rotateApiKeySchema>;
