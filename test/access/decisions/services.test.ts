import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../../src/access/decisions/actor.ts';
import { keepAnOwner } from '../../../src/access/roles/lastOwner.ts';
import { useTestDatabase } from '../../support/database.ts';
import { addIntegration, addUser, as, INSTALLATION, openTestAccess, type TestAccess } from './support/access.ts';

const database = useTestDatabase();
let access: TestAccess;
let owner: string;
let admin: string;

beforeAll(async () => {
  access = await openTestAccess(database.current);
});
afterAll(() => access?.close());

beforeEach(async () => {
  await database.current.pool.query('delete from users; delete from roles');
  owner = await addUser(database.current, 'owner');
  admin = await addUser(database.current, 'admin');
  await access.map.refresh();
  await access.events();
});

async function newUser(role: string): Promise<string> {
  const id = await addUser(database.current, role);
  await access.map.refresh();
  return id;
}

const denied = { code: 'ACCESS_DENIED' };
const may = (userId: string, integrationId: string, permission: string) =>
  access.accessControl.checkAccessControl(userId, integrationId, permission);

describe('changing a user', () => {
  const helps = (reach: 'all' | 'own') =>
    (['integrations:read', 'records:read', 'users:write'] as const).map((permission) => ({
      permission,
      reach: permission === 'users:write' ? ('all' as const) : reach,
    }));
  const mayChange = async (byId: string, userId: string, role: string) =>
    (await access.userRoles.mayManage({ kind: 'user', userId: byId, sessionId: 'ses_1' }, { id: userId, role }))
      .allowed;

  test('takes everything that they may: by role, by grants and on what is theirs', async () => {
    await access.roles.create(as(admin), { name: 'help', permissions: helps('all') });
    const help = await newUser('help');
    const roleless = await newUser('none');
    expect(await mayChange(help, roleless, 'none')).toBe(true);
    // Else the one would give themselves the address of the other, and with it all of this.
    const grant = await access.grants.add(as(admin), roleless, {
      effect: 'allow',
      permissions: ['records:export'],
      scope: { kind: 'platform', value: 'github' },
      reason: 'why',
    });
    expect(await mayChange(help, roleless, 'none')).toBe(false);
    expect(await mayChange(admin, roleless, 'none')).toBe(true);
    await access.grants.add(as(admin), help, { effect: 'allow', permissions: ['records:*'], reason: 'why' });
    expect(await mayChange(help, roleless, 'none')).toBe(true);
    await access.grants.remove(as(admin), grant.id);
    expect(await mayChange(help, admin, 'admin')).toBe(false);
    expect(await mayChange(admin, owner, 'owner')).toBe(false);
    expect(await mayChange(owner, admin, 'admin')).toBe(true);
  });

  test('with a role for what is one’s own takes seeing what is theirs', async () => {
    await access.roles.create(as(admin), { name: 'own-help', permissions: helps('own') });
    const [one, other] = [await newUser('own-help'), await newUser('own-help')];
    expect(await mayChange(one, other, 'own-help')).toBe(false);
    expect(await mayChange(one, one, 'own-help')).toBe(true);
    expect(await mayChange(admin, other, 'own-help')).toBe(true);
  });
});

describe('custom roles', () => {
  const permissions = [{ permission: 'integrations:read', reach: 'own' } as const];

  test('are made, changed and deleted, and each change is recorded and counts at once', async () => {
    const userId = await newUser('viewer');
    const mine = await addIntegration(database.current, userId);
    await access.roles.create(as(admin), { name: 'reader', permissions });
    await access.userRoles.setRole(as(admin), userId, 'reader');
    expect(await may(userId, mine, 'read')).toBe(true);
    expect(await may(userId, mine, 'sync')).toBe(false);
    await access.roles.update(as(admin), 'reader', {
      permissions: [{ permission: 'integrations:sync', reach: 'all' }],
    });
    expect(await may(userId, mine, 'read')).toBe(false);
    expect(await may(userId, mine, 'sync')).toBe(true);
    await expect(access.roles.delete(as(admin), 'reader')).rejects.toMatchObject({
      code: 'ROLE_IN_USE',
      details: { userIds: [userId] },
    });
    await access.userRoles.setRole(as(admin), userId, 'viewer');
    await access.roles.delete(as(admin), 'reader');
    expect((await access.roles.list()).map(({ name }) => name)).toHaveLength(6);
    const events = await access.events();
    expect(events.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['role.created', 'success'],
      ['user.roleChanged', 'success'],
      ['role.updated', 'success'],
      ['user.roleChanged', 'success'],
      ['role.deleted', 'success'],
    ]);
    expect(events[1]).toMatchObject({
      actor: { kind: 'user', id: admin },
      origin: { requestId: 'req_12345678' },
      target: { kind: 'user', id: userId },
      before: { role: 'viewer' },
      after: { role: 'reader' },
    });
  });

  test('take no name twice, nor one that is built in, nor a change of those', async () => {
    await access.roles.create(as(admin), { name: 'reader', permissions });
    for (const name of ['reader', 'viewer'])
      await expect(access.roles.create(as(admin), { name, permissions })).rejects.toMatchObject({
        problems: [{ pointer: '/name' }],
      });
    await expect(access.roles.update(as(owner), 'viewer', { permissions })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await expect(access.roles.delete(as(owner), 'owner')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(access.roles.update(as(owner), 'nobody', {})).rejects.toMatchObject({ code: 'ROLE_NOT_FOUND' });
    await expect(
      access.roles.create(as(owner), { name: 'bad', permissions: [{ permission: 'users:read', reach: 'own' }] }),
    ).rejects.toMatchObject({ problems: [{ pointer: '/permissions/0/reach' }] });
  });

  test('cannot be deleted while a user is given them', async () => {
    const userId = await newUser('viewer');
    for (let round = 0; round < 10; round++) {
      await access.roles.create(INSTALLATION, { name: 'brief', permissions });
      const outcomes = await Promise.allSettled([
        access.userRoles.setRole(INSTALLATION, userId, 'brief'),
        access.roles.delete(INSTALLATION, 'brief'),
      ]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await access.userRoles.setRole(INSTALLATION, userId, 'viewer');
      await access.roles.delete(INSTALLATION, 'brief').catch(() => {});
    }
  });
});

describe('nobody gives more than they have', () => {
  let manager: string;
  beforeEach(async () => {
    const permissions = [
      { permission: 'roles:write', reach: 'all' },
      { permission: 'records:read', reach: 'all' },
      { permission: 'integrations:read', reach: 'own' },
    ] as const;
    await access.roles.create(INSTALLATION, { name: 'manager', permissions: [...permissions] });
    manager = await newUser('manager');
    await access.events();
  });

  test('by a role', async () => {
    const userId = await newUser('viewer');
    await expect(access.userRoles.setRole(as(manager), userId, 'operator')).rejects.toMatchObject(denied);
    await expect(access.userRoles.setRole(as(manager), manager, 'admin')).rejects.toMatchObject(denied);
    for (const permission of ['records:export', 'integrations:read'] as const)
      await expect(
        access.roles.create(as(manager), { name: 'more', permissions: [{ permission, reach: 'all' }] }),
      ).rejects.toMatchObject(denied);
    await expect(
      access.roles.update(as(manager), 'manager', { permissions: [{ permission: 'users:write', reach: 'all' }] }),
    ).rejects.toMatchObject({ ...denied, details: { missing: ['users:write'] } });
    await access.roles.create(as(manager), {
      name: 'less',
      permissions: [{ permission: 'integrations:read', reach: 'own' }],
    });
    expect((await access.events()).map(({ action, details }) => details?.attempted ?? action)).toEqual([
      'user.roleChanged',
      'user.roleChanged',
      'role.created',
      'role.created',
      'role.updated',
      'role.created',
    ]);
  });

  test('by a grant, whatever its scope, or for longer', async () => {
    const userId = await newUser('viewer');
    const mine = await addIntegration(database.current, manager);
    const add = (permissions: string[], scope?: object, expiresAt?: string) =>
      access.grants.add(as(manager), userId, {
        effect: 'allow',
        permissions,
        reason: 'why',
        expiresAt,
        ...(scope && { scope: scope as never }),
      });
    await expect(add(['records:export'])).rejects.toMatchObject(denied);
    await expect(add(['*'])).rejects.toMatchObject(denied);
    await expect(add(['integrations:read'])).rejects.toMatchObject(denied);
    await expect(add(['integrations:sync'], { kind: 'integration', value: mine })).rejects.toMatchObject(denied);
    await expect(add(['integrations:read'], { kind: 'owner', value: userId })).rejects.toMatchObject(denied);
    await add(['records:read']);
    await add(['integrations:read'], { kind: 'integration', value: mine });
    await add(['integrations:read'], { kind: 'owner', value: manager });
    // What one has for an hour is not given for good.
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    await access.grants.add(INSTALLATION, manager, {
      effect: 'allow',
      permissions: ['webhooks:read'],
      reason: 'w',
      expiresAt: soon,
    });
    await expect(add(['webhooks:read'])).rejects.toMatchObject(denied);
    await add(['webhooks:read'], undefined, soon);
    // What is denied somewhere is not held everywhere.
    await access.grants.add(INSTALLATION, manager, {
      effect: 'deny',
      permissions: ['records:*'],
      scope: { kind: 'platform', value: 'stripe' },
      reason: 'why',
    });
    await expect(add(['records:read'])).rejects.toMatchObject(denied);
    await add(['records:read'], { kind: 'platform', value: 'github' });
  });

  test('by lifting a deny: not about oneself, nor over what one does not hold', async () => {
    const deny = { effect: 'deny', permissions: ['records:read'], reason: 'why' } as const;
    const own = await access.grants.add(INSTALLATION, manager, { ...deny, permissions: ['records:read'] });
    await expect(access.grants.remove(as(manager), own.id)).rejects.toMatchObject(denied);
    const userId = await newUser('operator');
    const other = await access.grants.add(as(manager), userId, { ...deny, permissions: ['integrations:sync'] });
    await expect(access.grants.remove(as(manager), other.id)).rejects.toMatchObject(denied);
    await access.grants.remove(as(admin), other.id);
    await expect(access.grants.remove(as(admin), other.id)).rejects.toMatchObject({ code: 'GRANT_NOT_FOUND' });
  });

  test('by an API key beyond its scopes', async () => {
    const userId = await newUser('viewer');
    const key = (permissions: never[] | null, integrationIds: string[] | null): Actor => ({
      principal: { kind: 'apiKey', userId: owner, apiKeyId: 'key_1', scopes: { permissions, integrationIds } },
    });
    const narrow = key(['roles:write', 'records:read'] as never[], null);
    const give = (actor: Actor, permission: string) =>
      access.grants.add(actor, userId, { effect: 'allow', permissions: [permission], reason: 'why' });
    await give(narrow, 'records:read');
    await expect(give(narrow, 'records:export')).rejects.toMatchObject(denied);
    await expect(access.userRoles.setRole(narrow, userId, 'owner')).rejects.toMatchObject(denied);
    await expect(give(key(null, ['int_1']), 'records:read')).rejects.toMatchObject(denied);
    await access.userRoles.setRole(key(null, null), userId, 'owner');
  });
});

describe('owners', () => {
  test('are made and unmade by owners alone', async () => {
    const second = await newUser('owner');
    await expect(access.userRoles.setRole(as(admin), second, 'viewer')).rejects.toMatchObject(denied);
    await expect(access.userRoles.setRole(as(admin), admin, 'owner')).rejects.toMatchObject(denied);
    await access.userRoles.setRole(as(owner), second, 'viewer');
    await access.userRoles.setRole(as(owner), second, 'owner');
  });

  test('have no denies, neither given nor kept', async () => {
    const deny = { effect: 'deny', permissions: ['*'], reason: 'why' } as const;
    await expect(access.grants.add(as(admin), owner, { ...deny, permissions: ['*'] })).rejects.toMatchObject({
      problems: [{ pointer: '/effect' }],
    });
    await access.grants.add(as(owner), admin, { ...deny, permissions: ['records:export'] });
    await expect(access.userRoles.setRole(as(owner), admin, 'owner')).rejects.toMatchObject({
      problems: [{ pointer: '/role' }],
    });
  });

  test('do not all go: the last one stays, also when two leave at the same moment', async () => {
    await expect(access.userRoles.setRole(as(owner), owner, 'viewer')).rejects.toMatchObject({ code: 'LAST_OWNER' });
    for (let round = 0; round < 10; round++) {
      const [first, second] = [owner, await newUser('owner')];
      const outcomes = await Promise.allSettled([
        access.userRoles.setRole(INSTALLATION, first, 'viewer'),
        access.userRoles.setRole(INSTALLATION, second, 'viewer'),
      ]);
      const refused = outcomes.filter((one) => one.status === 'rejected');
      expect(refused.map(({ reason }) => reason.code)).toEqual(['LAST_OWNER']);
      owner = outcomes[0].status === 'rejected' ? first : second;
    }
    const { rows } = await database.current.pool.query(`select id from users where role = 'owner'`);
    expect(rows).toEqual([{ id: owner }]);
  });

  test('are not frozen together with a demotion', async () => {
    for (let round = 0; round < 10; round++) {
      const [first, second] = [owner, await newUser('owner')];
      const freeze = database.current.transaction(async (tx) => {
        await keepAnOwner(tx, second);
        await tx.updateTable('users').set({ status: 'frozen' }).where('id', '=', second).execute();
      });
      const outcomes = await Promise.allSettled([access.userRoles.setRole(INSTALLATION, first, 'viewer'), freeze]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      owner = outcomes[0].status === 'rejected' ? first : second;
      await database.current.pool.query(`delete from users where role = 'owner' and id <> $1`, [owner]);
    }
  });
});

describe('grants', () => {
  test('count at once, and end by themselves', async () => {
    const userId = await newUser('auditor');
    const id = await addIntegration(database.current, 'default');
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const scope = { kind: 'integration', value: id } as const;
    const grant = await access.grants.add(as(admin), userId, {
      effect: 'allow',
      permissions: ['records:*'],
      scope,
      reason: 'audit',
      expiresAt,
    });
    expect(grant).toMatchObject({ userId, createdBy: admin, expiresAt });
    expect(await access.accessControl.explainAccess(userId, id, 'records:read')).toEqual({
      allowed: true,
      reason: `Granted on integration ${id}: audit`,
      ruleId: grant.id,
    });
    expect(await access.grants.list(userId, null, 10)).toEqual([grant]);
    access.pass(60_001);
    expect(await may(userId, id, 'records:read')).toBe(false);
    access.pass(-60_001);
    await access.grants.remove(as(admin), grant.id);
    expect(await may(userId, id, 'records:read')).toBe(false);
    expect((await access.events()).map(({ action }) => action)).toEqual(['grant.added', 'grant.removed']);
  });

  test.each([
    [{ permissions: ['records:reed'] }, '/permissions/0'],
    [{ permissions: ['users:*'], scope: { kind: 'platform', value: 'github' } }, '/scope'],
    [{ scope: { kind: 'integration', value: 'int_unknown' } }, '/scope/value'],
    [{ scope: { kind: 'everything' } }, '/scope/kind'],
    [{ expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    [{ reason: '' }, '/reason'],
  ])('refuse %j', async (part, pointer) => {
    const data = { effect: 'allow', permissions: ['records:read'], reason: 'why', ...part };
    await expect(access.grants.add(as(owner), admin, data as never)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ pointer }],
    });
    await expect(
      access.grants.add(as(owner), 'usr_unknown', { effect: 'deny', permissions: ['*'], reason: 'why' }),
    ).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
  });

  test('are added once under one name', async () => {
    const add = () =>
      access.grants.add(as(owner), admin, { effect: 'allow', permissions: ['*'], reason: 'why' }, 'name1');
    expect(await add()).toEqual(await add());
    expect(await access.grants.list(admin, null, 10)).toHaveLength(1);
  });
});

describe('break-glass', () => {
  const data = { permissions: ['records:*'], reason: 'The sync of a customer is stuck', durationSeconds: 3_600 };

  test('opens with a second person, for its time, and is recorded', async () => {
    const userId = await newUser('developer');
    const id = await addIntegration(database.current, 'default');
    const asked = await access.breakGlass.request(as(userId), data);
    expect(asked.status).toBe('requested');
    expect(await may(userId, id, 'records:read')).toBe(false);
    const opened = await access.breakGlass.approve(as(admin), asked.id);
    expect(opened).toMatchObject({ status: 'active', approvedBy: admin });
    expect(await access.accessControl.explainAccess(userId, id, 'records:export')).toMatchObject({
      allowed: true,
      ruleId: asked.id,
    });
    access.pass(3_600_001);
    expect(await may(userId, id, 'records:read')).toBe(false);
    expect(await access.breakGlass.list(as(userId), null, 10)).toMatchObject([{ id: asked.id, status: 'expired' }]);
    await expect(access.breakGlass.end(as(userId), asked.id)).rejects.toMatchObject({ code: 'BREAK_GLASS_OVER' });
    access.pass(-3_600_001);
    expect(await may(userId, id, 'records:read')).toBe(true);
    await access.breakGlass.end(as(userId), asked.id);
    expect(await may(userId, id, 'records:read')).toBe(false);
    expect((await access.events()).map(({ action }) => action)).toEqual([
      'breakGlass.requested',
      'breakGlass.approved',
      'breakGlass.ended',
    ]);
  });

  test('is approved neither by oneself, nor by a machine, nor without holding it, nor twice', async () => {
    const asked = await access.breakGlass.request(as(admin), data);
    await expect(access.breakGlass.approve(as(admin), asked.id)).rejects.toMatchObject(denied);
    await expect(access.breakGlass.approve(INSTALLATION, asked.id)).rejects.toMatchObject(denied);
    await expect(access.breakGlass.approve(as(await newUser('operator')), asked.id)).rejects.toMatchObject(denied);
    await access.roles.create(INSTALLATION, {
      name: 'approver',
      permissions: [{ permission: 'breakGlass:approve', reach: 'all' }],
    });
    await expect(access.breakGlass.approve(as(await newUser('approver')), asked.id)).rejects.toMatchObject(denied);
    await access.breakGlass.approve(as(owner), asked.id);
    await expect(access.breakGlass.approve(as(owner), asked.id)).rejects.toMatchObject({ code: 'BREAK_GLASS_OVER' });
    await expect(access.breakGlass.approve(as(owner), 'bgl_unknown')).rejects.toMatchObject({
      code: 'BREAK_GLASS_NOT_FOUND',
    });
  });

  test('that nobody approved in a day is over', async () => {
    const asked = await access.breakGlass.request(as(admin), data);
    access.pass(86_400_001);
    await expect(access.breakGlass.approve(as(owner), asked.id)).rejects.toMatchObject({ code: 'BREAK_GLASS_OVER' });
    access.pass(-86_400_001);
  });

  test('is seen and ended by who asked and who may approve; to others it is unknown', async () => {
    const [developer, other] = [await newUser('developer'), await newUser('developer')];
    const asked = await access.breakGlass.request(as(developer), data);
    expect(await access.breakGlass.list(as(other), null, 10)).toEqual([]);
    expect(await access.breakGlass.list(as(admin), null, 10)).toEqual([asked]);
    await expect(access.breakGlass.end(as(other), asked.id)).rejects.toMatchObject({ code: 'BREAK_GLASS_NOT_FOUND' });
    expect(await access.breakGlass.end(as(admin), asked.id)).toMatchObject({ status: 'ended', endedBy: admin });
  });

  test.each([
    [{ reason: 'short' }, '/reason'],
    [{ durationSeconds: 8 * 3_600 + 1 }, '/durationSeconds'],
    [{ permissions: ['records:read', 'audit:read'] }, '/permissions/1'],
    [{ permissions: ['roles:write'] }, '/permissions/0'],
    [{ permissions: ['apiKeys:*'] }, '/permissions/0'],
  ])('refuses %j', async (part, pointer) => {
    await expect(access.breakGlass.request(as(admin), { ...data, ...part })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ pointer }],
    });
    await expect(access.breakGlass.request(as(await newUser('viewer')), data)).rejects.toMatchObject(denied);
  });

  test('has a limit of open requests', async () => {
    for (let index = 0; index < 20; index++) await access.breakGlass.request(as(admin), data);
    await expect(access.breakGlass.request(as(admin), data)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
