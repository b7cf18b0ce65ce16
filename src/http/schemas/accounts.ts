import { z } from 'zod';
import { emailSchema, personNameSchema, roleNameSchema } from '../../access/accounts/schemas.ts';

const USER_EXAMPLE = {
  id: 'usr_01k9y3v6h8e7a9m2qf5t0xw4zr',
  email: 'anna@example.com',
  name: 'Anna Smith',
  role: 'operator',
  status: 'active',
  createdAt: '2026-11-22T20:00:00.000Z',
  updatedAt: '2026-11-22T20:00:00.000Z',
} as const;

export const userAnswer = z
  .object({
    id: z.string(),
    email: z.string(),
    name: z.string(),
    role: z.string(),
    status: z.enum(['active', 'frozen', 'deactivated']),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'User', examples: [USER_EXAMPLE] });

/** The session itself comes as a cookie. */
export const signedInAnswer = z
  .object({
    user: userAnswer,
    csrfToken: z.string().describe('Send it as X-CSRF-Token with every change.'),
  })
  .meta({ id: 'SignedIn' });

export const sessionAnswer = z
  .object({
    id: z.string(),
    current: z.boolean().describe('Whether it is the one that asks.'),
    createdAt: z.string(),
    lastSeenAt: z.string(),
    expiresAt: z.string(),
    address: z.string().nullable().describe('Where the person signed in.'),
    lastAddress: z.string().nullable(),
    userAgent: z.string().nullable(),
  })
  .meta({ id: 'Session' });

export const invitationAnswer = z
  .object({
    id: z.string(),
    email: z.string(),
    role: z.string(),
    invitedBy: z.string(),
    createdAt: z.string(),
    expiresAt: z.string(),
  })
  .meta({ id: 'Invitation' });

export const email = emailSchema;
export const personName = personNameSchema;
export const roleName = roleNameSchema;
/** What is checked only against a stored one. */
export const givenPassword = z.string().min(1).max(1_024);
/** Its strength is checked where it is stored, with messages of its own. */
export const newPassword = z.string().max(1_024).describe('10 to 256 characters that are hard to guess.');
/** Of a link, or a ticket. */
export const token = z.string().min(1).max(200);
/** Of an authenticator app, or a recovery code. */
export const code = z.string().min(1).max(40);
