import { z } from 'zod';
import type { JsonObject, JsonValue } from '../core/json.ts';

const id = z.string().trim().min(1).max(200);

/** What a program may add to the audit log. */
export const auditEventSchema = z.strictObject({
  userId: id,
  integrationId: id,
  action: z
    .string()
    .max(100)
    .regex(/^[\w-]+(\.[\w-]+)*$/, 'takes words joined by dots, such as "report.downloaded"'),
  details: z.record(z.string(), z.unknown()).transform((details, context): JsonObject => {
    try {
      const text = JSON.stringify(details);
      return JSON.parse(text) as Record<string, JsonValue>;
    } catch {
      context.addIssue({ code: 'custom', message: 'takes what JSON can hold' });
      return z.NEVER;
    }
  }),
});
