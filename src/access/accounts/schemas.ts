import { z } from 'zod';

/** RFC 5321: a path has at most 256 octets, two of them angle brackets. */
const MAX_CHARS = 254;

/** Spaces around it go. Where addresses are compared, case does not count. */
export const emailSchema = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.email('takes an e-mail address, such as anna@example.com').max(MAX_CHARS));

/** What two spellings of one address have in common; also the value of `lower(email)` in the database. */
export function emailKey(email: string): string {
  return email.trim().toLowerCase();
}

/** A person's name: one line. */
export const personNameSchema = z
  .string()
  .transform((text) => text.trim())
  .pipe(
    z
      .string()
      .min(1)
      .max(200)
      .regex(/^\P{Cc}*$/u, 'takes text without control characters'),
  );

/** The name of a role; whether there is such a role is for the rule of roles to say. */
export const roleNameSchema = z.string().regex(/^[\w.-]{1,100}$/, 'takes the name of a role, such as viewer');

export const newUserSchema = z.object({ email: emailSchema, name: personNameSchema, role: roleNameSchema });
