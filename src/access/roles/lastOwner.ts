import type { Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { OWNER } from './builtInRoles.ts';
import { LastOwnerError } from './errors.ts';

/**
 * To be called in the transaction that takes the role from a user, freezes, deactivates or deletes them, before it
 * locks the user. Of two such transactions the second waits, and then sees what the first left.
 * @throws LastOwnerError when no other active owner would be left
 */
export async function keepAnOwner(tx: Transaction<Schema>, userId: string): Promise<void> {
  refuseLastOwner(await lockOwners(tx), userId);
}

/** The active owners, each locked until the transaction ends. */
export async function lockOwners(tx: Transaction<Schema>): Promise<string[]> {
  // In one order, so that two of these do not lock each other out.
  const owners = await tx
    .selectFrom('users')
    .select('id')
    .where('role', '=', OWNER)
    .where('status', '=', 'active')
    .orderBy('id')
    .forUpdate()
    .execute();
  return owners.map(({ id }) => id);
}

/** @throws LastOwnerError when the user is the only one of `owners` */
export function refuseLastOwner(owners: readonly string[], userId: string): void {
  if (owners.length === 1 && owners[0] === userId) throw new LastOwnerError(userId);
}
