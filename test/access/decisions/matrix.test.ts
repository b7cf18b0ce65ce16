import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileAccess } from '../../../src/access/decisions/compile.ts';
import { isAboutIntegrations, PERMISSION_NAMES } from '../../../src/access/decisions/permissionNames.ts';
import type { Permission } from '../../../src/access/permissions.ts';
import { BUILT_IN_ROLES } from '../../../src/access/roles/builtInRoles.ts';

/** The table of docs/permissions.md: permission and role to reach. */
function readMatrix(): { roles: string[]; rows: Map<string, string[]> } {
  const lines = readFileSync(new URL('../../../docs/permissions.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('| ---'));
  const [head, ...rest] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
  return { roles: head!.slice(1), rows: new Map(rest.map(([permission, ...reaches]) => [permission!, reaches])) };
}

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
