import { z } from 'zod';
import { LIMITS } from '../../core/limits.ts';

/** Anything that names a thing in an address: printable, without spaces, and no longer than names are. */
export const name = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'takes 1 to 200 printable characters without spaces');

export const integrationParams = z.strictObject({ id: name.describe('Id of the integration.') });
export const runParams = z.strictObject({ ...integrationParams.shape, runId: name });
export const streamParams = z.strictObject({ ...integrationParams.shape, stream: name });
export const platformParams = z.strictObject({ platform: name });
export const userParams = z.strictObject({ id: name.describe('Id of the user.') });
export const sessionParams = z.strictObject({ id: name.describe('Id of the session.') });
export const invitationParams = z.strictObject({ id: name.describe('Id of the invitation.') });
export const apiKeyParams = z.strictObject({ id: name.describe('Id of the API key.') });
export const webhookParams = z.strictObject({ id: name.describe('Id of the webhook.') });

/** Text of a query: what PostgreSQL can compare with. */
export const filterText = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'takes text without control characters');

export const freezeBody = z
  .strictObject({ reason: filterText.describe('Kept with the user or key, and in the audit log.') })
  .meta({ id: 'Freeze', examples: [{ reason: 'The laptop was stolen.' }] });

export function limitOf(maximum: number) {
  return z.coerce.number().int().min(1).max(maximum).default(Math.min(LIMITS.pageSizeDefault, maximum));
}

export const cursor = z.string().min(1).max(500).optional().describe('`nextCursor` of the page before.');

export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

/** A page of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    nextCursor: z.string().nullable().describe('Null on the last page.'),
  });
}
