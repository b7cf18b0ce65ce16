import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiKeyNotFoundError } from '../../../src/access/apiKeys/errors.ts';
import { AccessDeniedError, UserNotFoundError } from '../../../src/access/decisions/errors.ts';
import { LastOwnerError } from '../../../src/access/roles/errors.ts';
import { ConflictError } from '../../../src/core/errors.ts';
import { useTestDatabase } from '../../support/database.ts';
import { addUser, EVERYTHING, OPERATOR, openAccess, person } from '../support/people.ts';

const database = useTestDatabase();
let access: ReturnType<typeof openAccess>;

beforeAll(() => {
  access = openAccess(database.current);
});
beforeEach(async () => {
  await database.current.pool.query('delete from users');
  access.audit.events.length = 0;
  access.endedSessions.length = 0;
});

async function someone(role: string): Promise<string> {
  const id = await addUser(database.current, role);
  access.rules.allow(id, role === 'viewer' ? ['integrations:read'] : EVERYTHING);
  return id;
}
const statusOf = async (id: string) =>
  await database.current.db
    .selectFrom('users')
    .select(['status', 'frozen_reason'])
    .where('id', '=', id)
    .executeTakeFirst();

describe('freezing a user', () => {
  it('is told with its reason, ends their sessions, and is undone', async () => {
    const admin = await someone('admin');
    const viewer = await someone('viewer');
    const asker = { principal: person(admin), origin: { address: '203.0.113.4' } };
    await access.freezer.freeze(asker, { userId: viewer }, 'The laptop was stolen.');
    expect(await statusOf(viewer)).toEqual({ status: 'frozen', frozen_reason: 'The laptop was stolen.' });
    expect(access.endedSessions).toEqual([viewer]);
    await access.freezer.unfreeze(asker, { userId: viewer });
    expect(await statusOf(viewer)).toEqual({ status: 'active', frozen_reason: null });
    expect(access.audit.events).toMatchObject([
      {
        action: 'user.frozen',
        actor: { id: admin },
        target: { id: viewer },
        after: { frozenReason: 'The laptop was stolen.' },
      },
      {
        action: 'user.unfrozen',
        before: { frozenReason: 'The laptop was stolen.' },
        origin: { address: '203.0.113.4' },
      },
    ]);
  });

  it('twice changes nothing the second time', async () => {
    const viewer = await someone('viewer');
    for (const reason of ['first', 'second'])
      await access.freezer.freeze({ principal: OPERATOR }, { userId: viewer }, reason);
    expect((await statusOf(viewer))?.frozen_reason).toBe('first');
    for (const _ of [1, 2]) await access.freezer.unfreeze({ principal: OPERATOR }, { userId: viewer });
    expect(access.audit.actions()).toEqual(['user.frozen', 'user.unfrozen']);
  });

  it('raises the version that replicas follow', async () => {
    const version = async () =>
      (await database.current.pool.query('select version from access_version')).rows[0].version;
    const viewer = await someone('viewer');
    const before = await version();
    await access.freezer.freeze({ principal: OPERATOR }, { userId: viewer }, 'x');
    expect(await version()).toBeGreaterThan(before);
  });

  it('is done to nobody above oneself', async () => {
    const owner = await someone('owner');
    await someone('owner');
    const admin = await someone('admin');
    const helper = await someone('helper');
    access.rules.allow(helper, ['access:freeze', 'users:read']);
    await expect(access.freezer.freeze({ principal: person(admin) }, { userId: owner }, 'x')).rejects.toThrow(
      AccessDeniedError,
    );
    await expect(access.freezer.freeze({ principal: person(helper) }, { userId: admin }, 'x')).rejects.toThrow(
      AccessDeniedError,
    );
    await access.freezer.freeze({ principal: person(owner) }, { userId: admin }, 'x');
    const second = await someone('owner');
    await access.freezer.freeze({ principal: person(owner) }, { userId: second }, 'x');
    await expect(access.freezer.unfreeze({ principal: person(helper) }, { userId: second })).rejects.toThrow(
      AccessDeniedError,
    );
    expect(access.audit.actions().filter((action) => action === 'user.frozen')).toHaveLength(2);
  });

  it('knows who there is, and what cannot be frozen', async () => {
    const asker = { principal: OPERATOR };
    await expect(access.freezer.freeze(asker, { userId: 'usr_none' }, 'x')).rejects.toThrow(UserNotFoundError);
    await expect(access.freezer.freeze(asker, { apiKeyId: 'ak_none' }, 'x')).rejects.toThrow(ApiKeyNotFoundError);
    const gone = await someone('viewer');
    await database.current.pool.query(`update users set status = 'deactivated' where id = $1`, [gone]);
    await expect(access.freezer.freeze(asker, { userId: gone }, 'x')).rejects.toThrow(ConflictError);
    await expect(access.freezer.unfreeze(asker, { userId: gone })).rejects.toThrow(ConflictError);
  });
});

describe('the last active owner', () => {
  it('is not frozen, by nobody', async () => {
    const owner = await someone('owner');
    for (const principal of [OPERATOR, person(owner)])
      await expect(access.freezer.freeze({ principal }, { userId: owner }, 'x')).rejects.toThrow(LastOwnerError);
    const frozen = await someone('owner');
    await database.current.pool.query(`update users set status = 'frozen' where id = $1`, [frozen]);
    await expect(access.freezer.freeze({ principal: OPERATOR }, { userId: owner }, 'x')).rejects.toThrow(
      LastOwnerError,
    );
    expect((await statusOf(owner))?.status).toBe('active');
  });

  it('is left when owners freeze each other at the same moment', async () => {
    for (let round = 0; round < 15; round++) {
      await database.current.pool.query('delete from users');
      const owners = [await someone('owner'), await someone('owner'), await someone('owner')];
      const results = await Promise.allSettled(
        owners.flatMap((by, at) => {
          const userId = owners[(at + 1) % owners.length]!;
          return [
            access.freezer.freeze({ principal: person(by) }, { userId }, 'x'),
            access.freezer.freeze({ principal: OPERATOR }, { userId }, 'y'),
          ];
        }),
      );
      const left = await Promise.all(owners.map(statusOf));
      expect(left.filter((row) => row?.status === 'active')).toHaveLength(1);
      for (const result of results)
        if (result.status === 'rejected')
          expect([LastOwnerError, AccessDeniedError]).toContain(result.reason.constructor);
    }
  });
});

describe('freezing an API key', () => {
  it('stops it alone, and never one that is revoked', async () => {
    const viewer = await someone('viewer');
    const admin = { principal: person(await someone('admin')) };
    const make = async () => (await access.apiKeys.create({ principal: OPERATOR }, viewer, { name: 'x' })).apiKey.id;
    const [one, other] = [await make(), await make()];
    await access.freezer.freeze(admin, { apiKeyId: one }, 'seen in a log');
    expect([(await access.apiKeys.get(one)).status, (await access.apiKeys.get(other)).status]).toEqual([
      'frozen',
      'active',
    ]);
    expect((await access.apiKeys.get(one)).frozenReason).toBe('seen in a log');
    await access.freezer.unfreeze(admin, { apiKeyId: one });
    expect((await access.apiKeys.get(one)).status).toBe('active');
    await access.apiKeys.revoke({ principal: person(viewer) }, one);
    await expect(access.freezer.freeze(admin, { apiKeyId: one }, 'x')).rejects.toThrow(ConflictError);
    await expect(access.freezer.unfreeze(admin, { apiKeyId: one })).rejects.toThrow(ConflictError);
  });
});
