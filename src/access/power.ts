import type { Kysely, Transaction } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { Decider } from './decider.ts';
import { AccessDeniedError } from './decisions/errors.ts';
import { PERMISSIONS, type Permission } from './permissions.ts';
import type { Principal } from './types.ts';

const WORKSPACE_PERMISSIONS = (Object.keys(PERMISSIONS) as Permission[]).filter(
  (permission) => PERMISSIONS[permission].scope === 'workspace',
);

/**
 * Nobody acts against somebody above them: refuses when the user may do something about the installation that the
 * principal may not, and to everybody but owners when the user is an owner.
 * @throws AccessDeniedError
 */
export async function requirePowerOver(
  db: Kysely<Schema> | Transaction<Schema>,
  decider: Decider,
  principal: Principal,
  user: { readonly id: string; readonly role: string },
): Promise<void> {
  if (principal.kind === 'installation' || principal.userId === user.id) return;
  if (user.role === 'owner' && (await roleOf(db, principal.userId)) !== 'owner')
    throw new AccessDeniedError(`${user.id} is an owner; only an owner may do this to them.`, {
      details: { userId: user.id },
    });
  for (const permission of WORKSPACE_PERMISSIONS) {
    const [theirs, ours] = await Promise.all([
      // Freezing makes nobody smaller: who lifts it gives back what it kept.
      decider.decideOnceActive(user.id, permission),
      decider.decide(principal, permission, null),
    ]);
    if (theirs.allowed && !ours.allowed)
      throw new AccessDeniedError(`${user.id} may do "${permission}", and you may not: they are above you.`, {
        details: { userId: user.id, permission },
      });
  }
}

async function roleOf(db: Kysely<Schema> | Transaction<Schema>, userId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('users')
    .select('role')
    .where('id', '=', userId)
    .where('status', '=', 'active')
    .executeTakeFirst();
  return row?.role;
}
