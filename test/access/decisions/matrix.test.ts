import { expect, test } from 'vitest';
import { compileAccess } from '../../../src/access/decisions/compile.ts';
import { isAboutIntegrations, PERMISSION_NAMES } from '../../../src/access/decisions/permissionNames.ts';
import type { Permission } from '../../../src/access/permissions.ts';
import { BUILT_IN_ROLES } from '../../../src/access/roles/builtInRoles.ts';
import { readMatrix } from '../support/writtenRules.ts';

test('decisions are those of the written matrix, for every role and permission', () => {
  const { roles, rows } = readMatrix();
  expect(roles).toEqual(BUILT_IN_ROLES.map(({ name }) => name));
  expect([...rows.keys()]).toEqual([...PERMISSION_NAMES]);
  const rules = compileAccess({
    version: 1,
    rulesVersion: 1,
    users: roles.map((role) => ({ id: `usr_${role}`, role, status: 'active' })),
    roles: [],
    grants: [],
    breakGlass: [],
  });
  for (const [permission, reaches] of rows) {
    for (const [index, reach] of reaches.entries()) {
      const userId = `usr_${roles[index]}`;
      const on = (owner: string) =>
        rules.decide(userId, permission as Permission, { id: 'int_1', owner, platform: 'github' }, 0).allowed;
      const expected = { all: [true, true], own: [true, false], '–': [false, false] }[reach];
      expect([on(userId), on('usr_somebody')], `${roles[index]} ${permission}`).toEqual(expected);
      if (reach === 'own') expect(isAboutIntegrations(permission as Permission)).toBe(true);
    }
  }
});
