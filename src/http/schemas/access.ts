import { z } from 'zod';
import { PERMISSION_NAMES } from '../../access/decisions/permissionNames.ts';
import { scopeSchema } from '../../access/decisions/scope.ts';
import { integrationParams } from './parts.ts';

const id = integrationParams.shape.id;

export const userParams = z.strictObject({ id: id.describe('Id of the user.') });
export const grantParams = z.strictObject({ id: id.describe('Id of the grant.') });
export const breakGlassParams = z.strictObject({ id: id.describe('Id of the break-glass request.') });
export const roleParams = z.strictObject({ name: id.describe('Name of the role.') });

const time = z.string().describe('ISO 8601.');

export const roleAnswer = z
  .object({
    name: z.string(),
    description: z.string(),
    permissions: z.array(z.object({ permission: z.enum(PERMISSION_NAMES), reach: z.enum(['all', 'own']) })),
    builtIn: z.boolean(),
  })
  .meta({
    id: 'Role',
    examples: [
      {
        name: 'support',
        description: 'Sees runs and tests connections.',
        permissions: [{ permission: 'integrations:read', reach: 'all' }],
        builtIn: false,
      },
    ],
  });

export const grantAnswer = z
  .object({
    id: z.string(),
    userId: z.string(),
    effect: z.enum(['allow', 'deny']),
    permissions: z.array(z.string()),
    scope: scopeSchema,
    reason: z.string(),
    createdBy: z.string(),
    createdAt: time,
    expiresAt: time.nullable(),
  })
  .meta({ id: 'Grant' });

export const breakGlassAnswer = z
  .object({
    id: z.string(),
    userId: z.string(),
    permissions: z.array(z.string()),
    scope: scopeSchema,
    reason: z.string(),
    durationSeconds: z.int(),
    status: z.enum(['requested', 'active', 'expired', 'ended']),
    requestedAt: time,
    approvedBy: z.string().nullable(),
    approvedAt: time.nullable(),
    expiresAt: time.nullable(),
    endedBy: z.string().nullable(),
    endedAt: time.nullable(),
  })
  .meta({ id: 'BreakGlass' });

export const decisionAnswer = z
  .object({
    allowed: z.boolean(),
    reason: z.string(),
    ruleId: z.string().nullable().describe('The role, grant, deny or break-glass that decided; null when none did.'),
  })
  .meta({ id: 'Decision' });
