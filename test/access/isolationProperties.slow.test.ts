import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Permission } from '../../src/access/permissions.ts';
import { BUILT_IN_ROLES } from '../../src/access/roles/builtInRoles.ts';
import type { IntegrationRef, KeyScopes, Principal } from '../../src/access/types.ts';
import { newId } from '../../src/core/ids.ts';
import { buildServer } from '../../src/http/server.ts';
import type { Server } from '../../src/http/typeProvider.ts';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { useTestDatabase } from '../support/database.ts';
import { addMember, type Member } from './support/members.ts';
import { OPERATOR } from './support/people.ts';

const COUNT = 30;
const PAGE_SIZE = 7;
const PLATFORMS = ['github', 'slack', 'stripe', 'hubspot'];
const CUSTOM_ROLES = {
  reads: [{ permission: 'integrations:read', reach: 'all' }],
  'own-syncs': [
    { permission: 'integrations:read', reach: 'own' },
    { permission: 'integrations:sync', reach: 'all' },
  ],
} as const;

const database = useTestDatabase();
let opened: TestServer;
let server: Server;
const members: Member[] = [];
const ids = Array.from({ length: COUNT }, () => newId('integration'));

beforeAll(async () => {
  opened = await openTestServer(database.url, { workers: false });
  server = buildServer(opened.app);
  for (const [name, permissions] of Object.entries(CUSTOM_ROLES))
    await opened.app.access.roles.create({ principal: OPERATOR }, { name, permissions: [...permissions] });
  while (members.length < COUNT) members.push(await addMember(opened.app, 'none'));
});
afterAll(async () => {
  await server?.close();
  await opened?.close();
});

const number = fc.nat({ max: COUNT - 1 });
const roleNames = [...BUILT_IN_ROLES.map(({ name }) => name), ...Object.keys(CUSTOM_ROLES), 'none', 'gone'];
const permissions = fc.constantFrom('integrations:read', 'integrations:sync', 'integrations:*', 'records:*', '*');
/** Owners are mostly users, and some of nobody. */
const owner = fc.option(number, { freq: 6 });
const scope = fc.oneof(
  fc.record({ kind: fc.constant('all' as const) }),
  fc.record({ kind: fc.constant('integration' as const), at: number }),
  fc.record({ kind: fc.constant('platform' as const), platform: fc.constantFrom(...PLATFORMS) }),
  fc.record({ kind: fc.constant('owner' as const), owner }),
);
const rule = fc.record({
  user: number,
  effect: fc.constantFrom('allow' as const, 'deny' as const),
  permissions: fc.uniqueArray(permissions, { minLength: 1, maxLength: 3 }),
  scope,
  hasEnded: fc.boolean(),
});
const exactly = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: COUNT, maxLength: COUNT });
const worlds = fc.record({
  roles: exactly(fc.constantFrom(...roleNames)),
  integrations: exactly(fc.record({ owner, platform: fc.constantFrom(...PLATFORMS) })),
  rules: exactly(rule),
  /** What the key of each user is limited to, after they were looked at without limits. */
  scopes: exactly(
    fc.record({
      permissions: fc.option(fc.constantFrom<Permission[]>(['integrations:read'], ['integrations:sync'])),
      integrations: fc.option(fc.uniqueArray(number, { minLength: 1, maxLength: 12 })),
    }),
  ),
});
type World = typeof worlds extends fc.Arbitrary<infer W> ? W : never;

const ownerOf = (at: number | null) => (at === null ? 'default' : members[at]!.id);

/** Puts the world into the tables, past the services that would refuse some of it. */
async function make(world: World): Promise<IntegrationRef[]> {
  const { app } = opened;
  const refs = world.integrations.map(({ owner: at, platform }, index) => ({
    id: ids[index]!,
    owner: ownerOf(at),
    platform,
  }));
  await app.database.transaction(async (tx) => {
    await tx.deleteFrom('grants').execute();
    await tx.deleteFrom('integrations').execute();
    await tx
      .insertInto('integrations')
      .values(
        refs.map((one) => ({ ...one, name: one.id, type: 't', status: 'connected' as const, configuration: '{}' })),
      )
      .execute();
    for (const [index, role] of world.roles.entries())
      await tx.updateTable('users').set({ role }).where('id', '=', members[index]!.id).execute();
    for (const one of world.rules) {
      const value =
        one.scope.kind === 'integration'
          ? ids[one.scope.at]!
          : one.scope.kind === 'platform'
            ? one.scope.platform
            : one.scope.kind === 'owner'
              ? ownerOf(one.scope.owner)
              : null;
      await tx
        .insertInto('grants')
        .values({
          id: newId('grant'),
          user_id: members[one.user]!.id,
          effect: one.effect,
          permissions: one.permissions,
          scope_kind: one.scope.kind,
          scope_value: value,
          reason: 'made up',
          created_by: 'test',
          expires_at: one.hasEnded ? new Date(Date.now() - 1_000) : null,
        })
        .execute();
    }
  });
  await app.access.map.refresh();
  return refs;
}

function scopesOf(world: World, user: number): KeyScopes {
  const { permissions, integrations } = world.scopes[user]!;
  return { permissions, integrationIds: integrations?.map((at) => ids[at]!) ?? null };
}

/** Everything that a list gives, page by page, or null where there is nothing to list. */
async function listed(key: string): Promise<string[] | null> {
  const found: string[] = [];
  for (let cursor = ''; ; ) {
    const { statusCode, body } = await server.inject({
      url: `/api/v1/integrations?limit=${PAGE_SIZE}${cursor && `&cursor=${cursor}`}`,
      headers: { host: 'localhost', authorization: `Bearer ${key}` },
    });
    if (statusCode === 403 && found.length === 0) return null;
    expect(statusCode, body).toBe(200);
    const { data, nextCursor } = JSON.parse(body) as { data: { id: string }[]; nextCursor: string | null };
    expect(data.length).toBeLessThanOrEqual(PAGE_SIZE);
    found.push(...data.map(({ id }) => id));
    if (nextCursor === null) return found;
    cursor = nextCursor;
  }
}

async function decided(principal: Principal, permission: Permission, refs: readonly IntegrationRef[]) {
  const { decider } = opened.app.access.checks;
  const allowed: string[] = [];
  for (const ref of refs) if ((await decider.decide(principal, permission, ref)).allowed) allowed.push(ref.id);
  return allowed.sort();
}

it('lists and syncs hold exactly what is decided to be theirs, for everybody in any world', async () => {
  const { app } = opened;
  let shown = 0;
  let hidden = 0;
  await fc.assert(
    fc.asyncProperty(worlds, number, async (world, syncing) => {
      const refs = await make(world);
      for (const [index, member] of members.entries()) {
        const seen = await listed(member.key);
        const right = await decided({ kind: 'user', userId: member.id, sessionId: '' }, 'integrations:read', refs);
        expect(seen ?? [], `role ${world.roles[index]}`).toEqual(right);
        shown += right.length;
        hidden += COUNT - right.length;

        const { permissions, integrationIds } = scopesOf(world, index);
        await app.database.db
          .updateTable('api_keys')
          .set({ permissions: permissions && [...permissions], integration_ids: integrationIds && [...integrationIds] })
          .where('id', '=', member.apiKeyId)
          .execute();
      }
      // The version of access rose with the keys; this process is told as a replica is.
      await app.access.map.refresh();
      for (const [index, member] of members.entries()) {
        const { id: userId, apiKeyId } = member;
        const principal: Principal = { kind: 'apiKey', userId, apiKeyId, scopes: scopesOf(world, index) };
        expect((await listed(member.key)) ?? []).toEqual(await decided(principal, 'integrations:read', refs));
        if (index !== syncing) continue;
        const answer = await server.inject({
          method: 'POST',
          url: '/api/v1/sync',
          headers: { host: 'localhost', authorization: `Bearer ${member.key}` },
        });
        const queued = answer.statusCode === 403 ? { count: 0, runs: [] } : answer.json();
        const right = await decided(principal, 'integrations:sync', refs);
        expect(queued.runs.map((run: { integrationId: string }) => run.integrationId).sort()).toEqual(right);
        expect(queued.count).toBe(right.length);
      }
      await app.database.db.updateTable('api_keys').set({ permissions: null, integration_ids: null }).execute();
      await app.access.map.refresh();
    }),
    { numRuns: 12 },
  );
  // Both sides were looked at.
  expect(shown).toBeGreaterThan(COUNT);
  expect(hidden).toBeGreaterThan(COUNT);
});
