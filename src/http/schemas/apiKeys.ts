import { z } from 'zod';

const EXAMPLE = {
  id: 'ak_01k9y3v6h8e7a9m2qf5t0xw4zr',
  userId: 'usr_01k9y3v6h8e7a9m2qf5t0xw4zr',
  name: 'Nightly export',
  scopes: { permissions: ['records:export'], integrationIds: null },
  status: 'active',
  frozenReason: null,
  expiresAt: '2027-11-22T20:00:00.000Z',
  lastUsedAt: null,
  rotatedFrom: null,
  overlapUntil: null,
  createdAt: '2026-11-22T20:00:00.000Z',
  revokedAt: null,
} as const;

const apiKeyFields = {
  id: z.string(),
  userId: z.string().describe('Whose key it is; it can do what they may.'),
  name: z.string(),
  scopes: z.object({
    permissions: z.array(z.string()).nullable(),
    integrationIds: z.array(z.string()).nullable(),
  }),
  status: z.enum(['active', 'frozen', 'revoked', 'expired']),
  frozenReason: z.string().nullable(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable().describe('To the minute.'),
  rotatedFrom: z.string().nullable().describe('The key that it replaces.'),
  overlapUntil: z.string().nullable().describe('It was rotated, and works beside the new one until then.'),
  createdAt: z.string(),
  revokedAt: z.string().nullable(),
};

export const apiKeyAnswer = z.object(apiKeyFields).meta({ id: 'ApiKey', examples: [EXAMPLE] });

export const madeApiKeyAnswer = z
  .object({ ...apiKeyFields, key: z.string().describe('The key itself. Shown this once; store it now.') })
  .meta({ id: 'MadeApiKey' });
