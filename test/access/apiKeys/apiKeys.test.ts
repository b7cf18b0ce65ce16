import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiKeyNotFoundError } from '../../../src/access/apiKeys/errors.ts';
import { parseKey } from '../../../src/access/apiKeys/keyFormat.ts';
import { AccessDeniedError, UserNotFoundError } from '../../../src/access/decisions/errors.ts';
import type { Permission } from '../../../src/access/permissions.ts';
import type { KeyScopes, Principal } from '../../../src/access/types.ts';
import { ConflictError, InvalidInputError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { useTestDatabase } from '../../support/database.ts';
import { addUser, EVERYTHING, OPERATOR, openAccess, person } from '../support/people.ts';

const database = useTestDatabase();
let access: ReturnType<typeof openAccess>;
let userId: string;

beforeAll(() => {
  access = openAccess(database.current);
});
beforeEach(async () => {
  userId = await addUser(database.current);
  access.rules.allow(userId, EVERYTHING);
  access.audit.events.length = 0;
});

const self = () => ({ principal: person(userId) });
const asKey = (apiKeyId: string, scopes: Partial<KeyScopes>): { principal: Principal } => ({
  principal: { kind: 'apiKey', userId, apiKeyId, scopes: { permissions: null, integrationIds: null, ...scopes } },
});
const permissions = (...list: Permission[]) => list;

async function addIntegration(owner: string): Promise<string> {
  const id = newId('integration');
  await database.current.db
    .insertInto('integrations')
    .values({ id, owner, name: id, type: 'x', platform: 'github', status: 'pending', configuration: '{}' })
    .execute();
  return id;
}

describe('an API key', () => {
  it('is shown once, and kept as a hash', async () => {
    const { apiKey, key } = await access.apiKeys.create(self(), userId, { name: 'Nightly' });
    expect(parseKey(key)?.id).toBe(apiKey.id);
    expect(apiKey).toMatchObject({ userId, name: 'Nightly', status: 'active', lastUsedAt: null });
    const secret = key.split('_')[2]!;
    const { rows } = await database.current.pool.query('select k::text as row from api_keys k where id = $1', [
      apiKey.id,
    ]);
    expect(rows[0].row).not.toContain(secret);
    expect(JSON.stringify(await access.apiKeys.list(userId, null, 10))).not.toContain(secret);
    expect(JSON.stringify(access.audit.events)).not.toContain(secret);
    expect(access.audit.actions()).toEqual(['apiKey.created']);
  });

  it('expires in a year unless told otherwise', async () => {
    const days = async (expiresInDays?: number | null) => {
      const { apiKey } = await access.apiKeys.create(self(), userId, {
        name: 'x',
        ...(expiresInDays === undefined ? {} : { expiresInDays }),
      });
      return apiKey.expiresAt === null ? null : Math.round((Date.parse(apiKey.expiresAt) - Date.now()) / 86_400_000);
    };
    expect([await days(), await days(7), await days(null)]).toEqual([365, 7, null]);
  });

  it('raises the version that replicas follow, also when it is rotated and revoked', async () => {
    const version = async () =>
      (await database.current.pool.query('select version from access_version')).rows[0].version;
    const seen = [await version()];
    const { apiKey } = await access.apiKeys.create(self(), userId, { name: 'x' });
    seen.push(await version());
    await access.apiKeys.rotate(self(), apiKey.id);
    seen.push(await version());
    await access.apiKeys.revoke(self(), apiKey.id);
    seen.push(await version());
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
  });

  it('made again by a repeated request gets a new secret, and is the same key', async () => {
    const first = await access.apiKeys.create(self(), userId, { name: 'x' }, 'a'.repeat(26));
    const again = await access.apiKeys.create(self(), userId, { name: 'x' }, 'a'.repeat(26));
    expect(again.apiKey.id).toBe(first.apiKey.id);
    expect(again.key).not.toBe(first.key);
    expect(await access.apiKeys.list(userId, null, 10)).toHaveLength(1);
  });

  it('belongs to whoever makes it; only the installation makes one for somebody else', async () => {
    const other = await addUser(database.current);
    await expect(access.apiKeys.create(self(), other, { name: 'x' })).rejects.toThrow(AccessDeniedError);
    expect((await access.apiKeys.create({ principal: OPERATOR }, other, { name: 'x' })).apiKey.userId).toBe(other);
    await expect(access.apiKeys.create({ principal: OPERATOR }, 'usr_none', { name: 'x' })).rejects.toThrow(
      UserNotFoundError,
    );
  });

  it('is one of a hundred at most, also when many are made at once', async () => {
    const made = await Promise.allSettled(
      Array.from({ length: 105 }, (_, index) => access.apiKeys.create(self(), userId, { name: `key ${index}` })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    const [one] = await access.apiKeys.list(userId, null, 1);
    await access.apiKeys.revoke(self(), one!.id);
    await access.apiKeys.create(self(), userId, { name: 'room again' });
  });
});

describe('the scopes of a key', () => {
  it('name nothing that its user may not do', async () => {
    access.rules.allow(userId, permissions('integrations:read', 'records:read'), { owners: [userId] });
    const mine = await addIntegration(userId);
    const theirs = await addIntegration('somebody');
    const made = await access.apiKeys.create(self(), userId, {
      name: 'x',
      permissions: ['records:read'],
      integrationIds: [mine],
    });
    expect(made.apiKey.scopes).toEqual({ permissions: ['records:read'], integrationIds: [mine] });
    const refused = async (input: object) => {
      const error = await access.apiKeys
        .create(self(), userId, { name: 'x', ...input })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InvalidInputError);
      return (error as InvalidInputError).problems;
    };
    expect(await refused({ permissions: ['records:read', 'users:write', 'records:export'] })).toMatchObject([
      { pointer: '/permissions/1' },
      { pointer: '/permissions/2' },
    ]);
    // Somebody else's integration and one that never was are the same.
    const [hidden, unknown] = await refused({ integrationIds: [theirs, 'int_unknown'] });
    expect(hidden!.detail.replace(theirs, 'X')).toBe(unknown!.detail.replace('int_unknown', 'X'));
  });

  it('are never wider than those of the key that makes it', async () => {
    const limited = asKey('ak_limited', { permissions: ['integrations:read', 'records:read'] });
    await access.apiKeys.create(limited, userId, { name: 'x', permissions: ['records:read'] });
    for (const wider of [{}, { permissions: permissions('records:read', 'records:export') }])
      await expect(access.apiKeys.create(limited, userId, { name: 'x', ...wider })).rejects.toThrow(AccessDeniedError);
    const id = await addIntegration(userId);
    const bound = asKey('ak_bound', { integrationIds: [id] });
    await access.apiKeys.create(bound, userId, { name: 'x', integrationIds: [id] });
    await expect(access.apiKeys.create(bound, userId, { name: 'x' })).rejects.toThrow(AccessDeniedError);
    await expect(
      access.apiKeys.create(bound, userId, { name: 'x', integrationIds: [id], permissions: ['users:read'] }),
    ).rejects.toThrow(AccessDeniedError);
  });

  it('also bound what it rotates and revokes', async () => {
    const wide = await access.apiKeys.create(self(), userId, { name: 'wide' });
    const limited = asKey('ak_limited', { permissions: ['records:read'] });
    await expect(access.apiKeys.rotate(limited, wide.apiKey.id)).rejects.toThrow(AccessDeniedError);
    await expect(access.apiKeys.revoke(limited, wide.apiKey.id)).rejects.toThrow(AccessDeniedError);
  });
});

describe('rotating a key', () => {
  it('lets both work for the overlap, with the same name, scopes and lifetime', async () => {
    const old = await access.apiKeys.create(self(), userId, {
      name: 'x',
      permissions: ['records:read'],
      expiresInDays: 10,
    });
    const { apiKey, key } = await access.apiKeys.rotate(self(), old.apiKey.id, { overlapSeconds: 3_600 });
    expect(key).not.toBe(old.key);
    expect(apiKey).toMatchObject({
      name: 'x',
      scopes: old.apiKey.scopes,
      rotatedFrom: old.apiKey.id,
      status: 'active',
    });
    expect(Math.round((Date.parse(apiKey.expiresAt!) - Date.now()) / 86_400_000)).toBe(10);
    const left = await access.apiKeys.get(old.apiKey.id);
    expect(left.status).toBe('active');
    expect(Math.round((Date.parse(left.overlapUntil!) - Date.now()) / 60_000)).toBe(60);
    await expect(access.apiKeys.rotate(self(), old.apiKey.id)).rejects.toThrow(ConflictError);
  });

  it('ends the old one at once when asked to', async () => {
    const old = await access.apiKeys.create(self(), userId, { name: 'x' });
    await access.apiKeys.rotate(self(), old.apiKey.id, { overlapSeconds: 0 });
    expect((await access.apiKeys.get(old.apiKey.id)).status).toBe('expired');
  });

  it('twice at the same time makes one new key', async () => {
    const old = await access.apiKeys.create(self(), userId, { name: 'x' });
    const results = await Promise.allSettled([1, 2, 3].map(() => access.apiKeys.rotate(self(), old.apiKey.id)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await access.apiKeys.list(userId, null, 10)).toHaveLength(2);
  });

  it('is repeated without a second one by a repeated request', async () => {
    const old = await access.apiKeys.create(self(), userId, { name: 'x' });
    const first = await access.apiKeys.rotate(self(), old.apiKey.id, {}, 'b'.repeat(26));
    const again = await access.apiKeys.rotate(self(), old.apiKey.id, {}, 'b'.repeat(26));
    expect(again.apiKey.id).toBe(first.apiKey.id);
    expect(await access.apiKeys.list(userId, null, 10)).toHaveLength(2);
  });

  it('takes at most seven days, and a key that works', async () => {
    const old = await access.apiKeys.create(self(), userId, { name: 'x' });
    for (const overlapSeconds of [-1, 7 * 86_400 + 1, 0.5])
      await expect(access.apiKeys.rotate(self(), old.apiKey.id, { overlapSeconds })).rejects.toThrow(InvalidInputError);
    await access.apiKeys.revoke(self(), old.apiKey.id);
    await expect(access.apiKeys.rotate(self(), old.apiKey.id)).rejects.toThrow(ConflictError);
  });
});

describe('the keys of others', () => {
  it('are as good as unknown', async () => {
    const other = await addUser(database.current);
    access.rules.allow(other, EVERYTHING);
    const { apiKey } = await access.apiKeys.create({ principal: person(other) }, other, { name: 'x' });
    await expect(access.apiKeys.rotate(self(), apiKey.id)).rejects.toThrow(ApiKeyNotFoundError);
    await expect(access.apiKeys.revoke(self(), apiKey.id)).rejects.toThrow(ApiKeyNotFoundError);
  });

  it('are revoked by who may, unless their user is above them', async () => {
    const owner = await addUser(database.current, 'owner');
    const admin = await addUser(database.current, 'admin');
    const viewer = await addUser(database.current);
    access.rules.allow(owner, EVERYTHING);
    access.rules.allow(admin, EVERYTHING);
    access.rules.allow(viewer, ['integrations:read', 'apiKeys:write']);
    const keyOf = async (id: string) =>
      (await access.apiKeys.create({ principal: OPERATOR }, id, { name: 'x' })).apiKey.id;
    await access.apiKeys.revokeAny({ principal: person(admin) }, await keyOf(viewer));
    await expect(access.apiKeys.revokeAny({ principal: person(admin) }, await keyOf(owner))).rejects.toThrow(
      AccessDeniedError,
    );
    await expect(access.apiKeys.revokeAny({ principal: person(viewer) }, await keyOf(admin))).rejects.toThrow(
      AccessDeniedError,
    );
    await access.apiKeys.revokeAny({ principal: person(owner) }, await keyOf(owner));
    expect(access.audit.actions().filter((action) => action === 'apiKey.revoked')).toHaveLength(2);
  });
});
