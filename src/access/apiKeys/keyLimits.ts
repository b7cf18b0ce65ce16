import type { Kysely } from 'kysely';
import type { InputProblem } from '../../core/errors.ts';
import { invalidInput } from '../../core/input.ts';
import { findIntegrationRefs } from '../../integrations/integrationQueries.ts';
import type { Schema } from '../../store/schema.ts';
import { asUser, type Decider } from '../decider.ts';
import { AccessDeniedError } from '../decisions/errors.ts';
import { PERMISSIONS, type Permission } from '../permissions.ts';
import type { IntegrationRef, KeyScopes, Principal } from '../types.ts';
import { scopesWithin } from './scopes.ts';

/** A key makes or renews no key that is wider than itself. @throws AccessDeniedError */
export function requireWithinOwn(principal: Principal, scopes: KeyScopes): void {
  if (principal.kind !== 'apiKey' || scopesWithin(scopes, principal.scopes)) return;
  throw new AccessDeniedError(
    'This API key is limited, and the other key would be or is wider. Give it the same scopes or fewer, or use a session.',
    { details: { apiKeyId: principal.apiKeyId } },
  );
}

/**
 * Refuses scopes that name what the key's user may not do. (They would not open it: every use is decided anew. But
 * a key that can do less than it says is a surprise later.)
 * @throws InvalidInputError an integration that the user may not see is reported like one that does not exist
 */
export async function requireWithinUser(
  db: Kysely<Schema>,
  decider: Decider,
  userId: string,
  { permissions, integrationIds }: KeyScopes,
): Promise<void> {
  const problems: InputProblem[] = [];
  const reached = integrationIds === null ? null : await readable(db, decider, userId, integrationIds);
  for (const [index, id] of (integrationIds ?? []).entries()) {
    if (!reached?.some((one) => one.id === id))
      problems.push({ pointer: `/integrationIds/${index}`, detail: `There is no integration ${JSON.stringify(id)}.` });
  }
  for (const [index, permission] of (permissions ?? []).entries()) {
    if (!(await mayAnywhere(decider, userId, permission, reached)))
      problems.push({ pointer: `/permissions/${index}`, detail: `${permission} is nothing that ${userId} may do.` });
  }
  if (problems.length > 0) throw invalidInput('The API key', problems);
}

async function readable(db: Kysely<Schema>, decider: Decider, userId: string, ids: readonly string[]) {
  const refs: IntegrationRef[] = [];
  for (const ref of await findIntegrationRefs(db, ids)) {
    if ((await decider.decide(asUser(userId), 'integrations:read', ref)).allowed) refs.push(ref);
  }
  return refs;
}

async function mayAnywhere(
  decider: Decider,
  userId: string,
  permission: Permission,
  reached: readonly IntegrationRef[] | null,
): Promise<boolean> {
  if (PERMISSIONS[permission].scope === 'workspace')
    return (await decider.decide(asUser(userId), permission, null)).allowed;
  if (reached === null) return (await decider.visibleFilter(asUser(userId), permission)).kind !== 'none';
  for (const ref of reached) if (!(await decider.decide(asUser(userId), permission, ref)).allowed) return false;
  return true;
}
