import { PERMISSIONS, type Permission } from '../permissions.ts';
import type { KeyScopes } from '../types.ts';

/** Limits nothing: whatever the key's user may do. */
export const UNLIMITED: KeyScopes = { permissions: null, integrationIds: null };

/**
 * Whether the scopes of a key leave this permission. A key that is limited to integrations has permissions about the
 * installation as a whole only where they are named: whoever limits a key to one integration means no users or roles.
 */
export function scopesAllow(scopes: KeyScopes, permission: Permission): boolean {
  if (scopes.permissions !== null) return scopes.permissions.includes(permission);
  return scopes.integrationIds === null || PERMISSIONS[permission].scope === 'integration';
}

/** Whether a key with these scopes reaches the integration at all. */
export function scopesReach(scopes: KeyScopes, integrationId: string): boolean {
  return scopes.integrationIds === null || scopes.integrationIds.includes(integrationId);
}

/** Whether `inner` allows nothing that `outer` does not. */
export function scopesWithin(inner: KeyScopes, outer: KeyScopes): boolean {
  if (outer.integrationIds !== null) {
    const { integrationIds } = outer;
    if (inner.integrationIds === null || !inner.integrationIds.every((id) => integrationIds.includes(id))) return false;
  }
  return (Object.keys(PERMISSIONS) as Permission[]).every(
    (permission) => !scopesAllow(inner, permission) || scopesAllow(outer, permission),
  );
}
