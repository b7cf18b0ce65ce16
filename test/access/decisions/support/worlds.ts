import fc from 'fast-check';
import { PERMISSION_NAMES } from '../../../../src/access/decisions/permissionNames.ts';
import type { Scope } from '../../../../src/access/decisions/scope.ts';
import type { AccessSnapshot } from '../../../../src/access/decisions/snapshot.ts';
import { PERMISSIONS, type Permission } from '../../../../src/access/permissions.ts';
import { BUILT_IN_ROLES } from '../../../../src/access/roles/builtInRoles.ts';
import type { IntegrationRef } from '../../../../src/access/types.ts';

/** Few of each, so that rules and questions meet often. */
export const USERS = ['usr_a', 'usr_b', 'usr_c', 'usr_d'] as const;
const OWNERS = [...USERS, 'default'];
const PLATFORMS = ['github', 'stripe'];
const IDS = ['int_1', 'int_2', 'int_3', 'int_4', 'int_5'];
const TIMES_MS = [1_000, 2_000, 3_000];
const CUSTOM_ROLES = ['custom-1', 'custom-2'];
const WIDE = ['*', ...new Set(PERMISSION_NAMES.map((name) => `${name.split(':')[0]}:*`))];
const NARROW = [...PERMISSION_NAMES, 'retired:permission'];

export interface World {
  readonly snapshot: AccessSnapshot;
  readonly integrations: readonly IntegrationRef[];
}

export interface Question {
  readonly userId: string;
  readonly permission: Permission;
  readonly integration: IntegrationRef | null;
  readonly nowMs: number;
}

const scopes: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant<Scope>({ kind: 'all' }),
  fc.record({ kind: fc.constant('integration' as const), value: fc.constantFrom(...IDS) }),
  fc.record({ kind: fc.constant('platform' as const), value: fc.constantFrom(...PLATFORMS) }),
  fc.record({ kind: fc.constant('owner' as const), value: fc.constantFrom(...OWNERS) }),
);

const ruleParts = {
  userId: fc.constantFrom(...USERS),
  permissions: fc.array(fc.oneof(fc.constantFrom(...WIDE), fc.constantFrom(...NARROW)), { minLength: 1, maxLength: 4 }),
  scope: scopes,
  reason: fc.constant('because'),
  expiresAtMs: fc.option(fc.constantFrom(...TIMES_MS)),
};

const withIds = <T extends object>(prefix: string, rules: readonly T[]) =>
  rules.map((rule, index) => ({ ...rule, id: `${prefix}_${index}` }));

export const grants = fc.record({
  ...ruleParts,
  effect: fc.constantFrom('allow' as const, 'allow' as const, 'allow' as const, 'deny' as const),
});

const customRole = fc.array(
  fc.record({
    permission: fc.constantFrom(...PERMISSION_NAMES),
    reach: fc.constantFrom('all' as const, 'own' as const),
  }),
  { maxLength: 8 },
);

const integrations: fc.Arbitrary<IntegrationRef[]> = fc
  .array(fc.record({ owner: fc.constantFrom(...OWNERS), platform: fc.constantFrom(...PLATFORMS) }), {
    minLength: IDS.length,
    maxLength: IDS.length,
  })
  .map((list) => list.map((one, index) => ({ ...one, id: IDS[index]! })));

/** Users, roles and rules as the database could hold them, also names that no version knows. */
export const worlds: fc.Arbitrary<World> = fc
  .record({
    users: fc.array(
      fc.record({
        role: fc.constantFrom(...BUILT_IN_ROLES.map(({ name }) => name), ...CUSTOM_ROLES, 'gone'),
        status: fc.constantFrom(
          'active' as const,
          'active' as const,
          'active' as const,
          'frozen' as const,
          'deactivated' as const,
        ),
      }),
      { minLength: 3, maxLength: 4 },
    ),
    roles: fc.array(customRole, { minLength: CUSTOM_ROLES.length, maxLength: CUSTOM_ROLES.length }),
    grants: fc.array(grants, { minLength: 4, maxLength: 14 }),
    breakGlass: fc.array(fc.record({ ...ruleParts, expiresAtMs: fc.constantFrom(...TIMES_MS) }), {
      minLength: 3,
      maxLength: 8,
    }),
    integrations,
  })
  .map((parts) => ({
    integrations: parts.integrations,
    snapshot: {
      version: 1,
      rulesVersion: 1,
      users: parts.users.map((user, index) => ({ ...user, id: USERS[index]! })),
      roles: parts.roles.map((permissions, index) => ({ name: CUSTOM_ROLES[index]!, permissions })),
      grants: withIds('gra', parts.grants),
      breakGlass: withIds('bgl', parts.breakGlass),
    },
  }));

/** Every question that can be asked in a world at a moment just before, at and after something ends. */
export function* questionsOf({ integrations: known, snapshot: { users } }: World): Generator<Question> {
  for (const userId of [...users.map(({ id }) => id), 'usr_unknown'])
    for (const permission of PERMISSION_NAMES)
      for (const nowMs of [1_999, 2_000])
        for (const integration of PERMISSIONS[permission].scope === 'workspace' ? [null] : [...known, null])
          yield { userId, permission, integration, nowMs };
}
