import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isClosedToBreakGlass } from '../../../src/access/breakGlass/limits.ts';
import { compileAccess } from '../../../src/access/decisions/compile.ts';
import { isAboutIntegrations, PERMISSION_NAMES } from '../../../src/access/decisions/permissionNames.ts';
import { decideFor, filterFor } from '../../../src/access/decisions/principals.ts';
import { BUILT_IN_ROLES } from '../../../src/access/roles/builtInRoles.ts';
import type { Principal } from '../../../src/access/types.ts';
import { isVisible } from './support/isVisible.ts';
import { grants, questionsOf, USERS, type World, worlds } from './support/worlds.ts';

const decisionsOf = (world: World) => {
  const rules = compileAccess(world.snapshot);
  return [...questionsOf(world)].map((question) => ({
    question,
    ...rules.decide(question.userId, question.permission, question.integration, question.nowMs),
  }));
};

const withGrant = (world: World, grant: Omit<World['snapshot']['grants'][number], 'id'>): World => ({
  ...world,
  snapshot: { ...world.snapshot, grants: [...world.snapshot.grants, { ...grant, id: 'gra_new' }] },
});

describe('one more rule', () => {
  test('that denies never allows more', () => {
    fc.assert(
      fc.property(worlds, grants, (world, grant) => {
        const after = decisionsOf(withGrant(world, { ...grant, effect: 'deny' }));
        for (const [index, before] of decisionsOf(world).entries())
          if (!before.allowed) expect(after[index]!.allowed).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('that allows never allows less, and nothing to others', () => {
    fc.assert(
      fc.property(worlds, grants, (world, grant) => {
        const after = decisionsOf(withGrant(world, { ...grant, effect: 'allow' }));
        for (const [index, before] of decisionsOf(world).entries()) {
          if (before.allowed) expect(after[index]!.allowed).toBe(true);
          if (before.question.userId !== grant.userId) expect(after[index]!.allowed).toBe(before.allowed);
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('nothing leaks across owners: without rules a developer reaches exactly what they own', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const snapshot = {
        ...world.snapshot,
        users: USERS.map((id) => ({ id, role: 'developer', status: 'active' as const })),
        grants: [],
        breakGlass: [],
      };
      for (const { question, allowed } of decisionsOf({ ...world, snapshot })) {
        const { userId, permission, integration } = question;
        if (!isAboutIntegrations(permission)) continue;
        expect(allowed).toBe(integration?.owner === userId);
      }
    }),
    { numRuns: 60 },
  );
});

test('what has ended counts as if it were not there', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const counts = ({ expiresAtMs }: { expiresAtMs: number | null }) => expiresAtMs === null || expiresAtMs > 2_000;
      const { grants: all, breakGlass } = world.snapshot;
      const snapshot = { ...world.snapshot, grants: all.filter(counts), breakGlass: breakGlass.filter(counts) };
      const at2s = (one: World) => decisionsOf(one).filter(({ question }) => question.nowMs === 2_000);
      expect(at2s({ ...world, snapshot })).toEqual(at2s(world));
    }),
    { numRuns: 60 },
  );
});

test('who is frozen, deactivated or unknown gets nothing', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const active = new Set(world.snapshot.users.filter((one) => one.status === 'active').map(({ id }) => id));
      for (const { question, allowed } of decisionsOf(world))
        if (!active.has(question.userId)) expect(allowed).toBe(false);
    }),
    { numRuns: 60 },
  );
});

test('break-glass opens no log, keys, accounts, roles or itself, and lifts no deny', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const opened = USERS.map((userId) => ({
        id: `bgl_${userId}`,
        userId,
        permissions: ['*'],
        scope: { kind: 'all' } as const,
        reason: 'everything is on fire',
        expiresAtMs: 9_000,
      }));
      const after = decisionsOf({ ...world, snapshot: { ...world.snapshot, breakGlass: opened } });
      for (const [index, before] of decisionsOf({
        ...world,
        snapshot: { ...world.snapshot, breakGlass: [] },
      }).entries()) {
        const { permission } = before.question;
        if (isClosedToBreakGlass(permission) || before.ruleId?.startsWith('gra_'))
          expect(after[index]!.allowed).toBe(before.allowed);
      }
    }),
    { numRuns: 60 },
  );
  expect(PERMISSION_NAMES.filter(isClosedToBreakGlass)).toEqual([
    'users:write',
    'roles:write',
    'apiKeys:read',
    'apiKeys:write',
    'breakGlass:request',
    'breakGlass:approve',
    'audit:read',
  ]);
});

const principals: fc.Arbitrary<Principal> = fc.oneof(
  fc.record({ kind: fc.constant('user' as const), userId: fc.constantFrom(...USERS), sessionId: fc.constant('ses_1') }),
  fc.record({
    kind: fc.constant('apiKey' as const),
    userId: fc.constantFrom(...USERS),
    apiKeyId: fc.constant('key_1'),
    scopes: fc.record({
      permissions: fc.option(fc.uniqueArray(fc.constantFrom(...PERMISSION_NAMES), { maxLength: 12 })),
      integrationIds: fc.option(fc.uniqueArray(fc.constantFrom('int_1', 'int_2', 'int_3'))),
    }),
  }),
  fc.constant<Principal>({ kind: 'installation', name: 'API_KEY' }),
);

test('the filter of a list shows what is allowed one by one', () => {
  fc.assert(
    fc.property(worlds, principals, (world, principal) => {
      const rules = compileAccess(world.snapshot);
      for (const permission of PERMISSION_NAMES) {
        for (const nowMs of [0, 1_999, 2_000]) {
          const filter = filterFor(rules, principal, permission, nowMs);
          for (const integration of world.integrations)
            expect(isVisible(filter, integration)).toBe(
              decideFor(rules, principal, permission, integration, nowMs).allowed,
            );
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('an API key never does more than its user', () => {
  fc.assert(
    fc.property(worlds, principals, (world, principal) => {
      if (principal.kind !== 'apiKey') return;
      const rules = compileAccess(world.snapshot);
      for (const { permission, integration, nowMs } of questionsOf(world))
        if (decideFor(rules, principal, permission, integration, nowMs).allowed)
          expect(rules.decide(principal.userId, permission, integration, nowMs).allowed).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('who holds a permission on a scope is allowed it on everything in it', () => {
  fc.assert(
    fc.property(worlds, grants, (world, { scope }) => {
      const rules = compileAccess(world.snapshot);
      for (const { userId, permission, integration, nowMs } of questionsOf(world)) {
        if (integration === null || !isAboutIntegrations(permission)) continue;
        const named = scope.kind === 'integration' ? world.integrations.find(({ id }) => id === scope.value)! : null;
        const given = { scope, integration: named, untilMs: Number.POSITIVE_INFINITY };
        if (!rules.holds(userId, permission, given, nowMs)) continue;
        const isInScope =
          scope.kind === 'all' ||
          (scope.kind === 'integration' ? integration.id : integration[scope.kind]) === scope.value;
        if (isInScope) expect(rules.decide(userId, permission, integration, nowMs)).toMatchObject({ allowed: true });
      }
    }),
    { numRuns: 100 },
  );
});

test('every answer says why, and names the rule when one decided', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const roles = [...BUILT_IN_ROLES, ...world.snapshot.roles].map(({ name }) => `role:${name}`);
      const ids = [...world.snapshot.grants, ...world.snapshot.breakGlass].map(({ id }) => id);
      for (const { allowed, reason, ruleId } of decisionsOf(world)) {
        expect(reason).not.toBe('');
        if (ruleId !== null) expect([...roles, ...ids]).toContain(ruleId);
        if (allowed) expect(ruleId).not.toBeNull();
      }
    }),
    { numRuns: 40 },
  );
});
