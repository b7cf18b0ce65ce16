import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scopesAllow, scopesReach, scopesWithin, UNLIMITED } from '../../../src/access/apiKeys/scopes.ts';
import { PERMISSIONS, type Permission } from '../../../src/access/permissions.ts';
import type { KeyScopes } from '../../../src/access/types.ts';

const permissions = Object.keys(PERMISSIONS) as Permission[];
const ids = ['int_a', 'int_b', 'int_c'];
const scopes: fc.Arbitrary<KeyScopes> = fc.record({
  permissions: fc.option(fc.subarray(permissions, { minLength: 1 })),
  integrationIds: fc.option(fc.subarray(ids, { minLength: 1 })),
});

it('a key within another never does what the other may not', () => {
  fc.assert(
    fc.property(scopes, scopes, (inner, outer) => {
      fc.pre(scopesWithin(inner, outer));
      for (const permission of permissions)
        if (scopesAllow(inner, permission)) expect(scopesAllow(outer, permission)).toBe(true);
      for (const id of [...ids, 'int_other']) if (scopesReach(inner, id)) expect(scopesReach(outer, id)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it('is told exactly: a key is within another when nothing is left that only it may do', () => {
  fc.assert(
    fc.property(scopes, scopes, (inner, outer) => {
      const more =
        permissions.some((permission) => scopesAllow(inner, permission) && !scopesAllow(outer, permission)) ||
        [...ids, 'int_other'].some((id) => scopesReach(inner, id) && !scopesReach(outer, id));
      expect(scopesWithin(inner, outer)).toBe(!more);
    }),
    { numRuns: 2_000 },
  );
});

it('every key is within one that limits nothing, and within itself', () => {
  fc.assert(
    fc.property(scopes, (one) => {
      expect(scopesWithin(one, UNLIMITED)).toBe(true);
      expect(scopesWithin(one, one)).toBe(true);
    }),
  );
});

it('a key limited to integrations does nothing to the installation, unless that is named', () => {
  const limited: KeyScopes = { permissions: null, integrationIds: ['int_a'] };
  expect(
    permissions
      .filter((permission) => scopesAllow(limited, permission))
      .every((one) => PERMISSIONS[one].scope === 'integration'),
  ).toBe(true);
  expect(scopesAllow({ ...limited, permissions: ['users:read'] }, 'users:read')).toBe(true);
});
