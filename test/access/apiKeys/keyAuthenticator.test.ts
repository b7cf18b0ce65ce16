import type { KyselyPlugin } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AccessSignal } from '../../../src/access/accessSignal.ts';
import { ApiKeyAuthenticator } from '../../../src/access/apiKeys/keyAuthenticator.ts';
import { makeKey } from '../../../src/access/apiKeys/keyFormat.ts';
import { LastUses } from '../../../src/access/apiKeys/lastUses.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { Database } from '../../../src/store/database.ts';
import { useTestDatabase } from '../../support/database.ts';
import { addUser, EVERYTHING, OPERATOR, openAccess } from '../support/people.ts';

const database = useTestDatabase();
let access: ReturnType<typeof openAccess>;
let lastUses: LastUses;
let queries = 0;
let version = 1;
let nowMs = 0;
let keys: ApiKeyAuthenticator;
let userId: string;

beforeAll(() => {
  access = openAccess(database.current);
  lastUses = new LastUses({ database: database.current, log: silentLog, intervalMs: 3_600_000 });
});
afterAll(() => lastUses?.close());
beforeEach(async () => {
  userId = await addUser(database.current);
  access.rules.allow(userId, EVERYTHING);
  nowMs = Date.now();
  const counting: KyselyPlugin = {
    transformQuery({ node }) {
      queries++;
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const counted: Database = { ...database.current, db: database.current.db.withPlugin(counting) };
  // Another replica than the one that makes changes: only the version tells it.
  keys = new ApiKeyAuthenticator({
    database: counted,
    version: { version: () => version },
    signal: new AccessSignal(),
    lastUses,
    clock: { now: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} },
  });
  queries = 0;
});

const create = (input: object = {}) => access.apiKeys.create({ principal: OPERATOR }, userId, { name: 'x', ...input });

describe('authentication by API key', () => {
  it('says whose it is, and reads the database once for many requests', async () => {
    const { apiKey, key } = await create({ permissions: ['records:read'] });
    const results = await Promise.all(Array.from({ length: 50 }, () => keys.authenticate(key)));
    await keys.authenticate(key);
    for (const result of results)
      expect(result).toEqual({ principal: { kind: 'apiKey', userId, apiKeyId: apiKey.id, scopes: apiKey.scopes } });
    expect(queries).toBe(1);
  });

  it('never asks the database about what is no key, is mistyped or cut off', async () => {
    const { key } = await create();
    queries = 0;
    const mistyped = key.slice(0, 40) + (key[40] === 'x' ? 'y' : 'x') + key.slice(41);
    for (const text of [
      '',
      'isk_',
      'nonsense',
      mistyped,
      key.slice(0, -1),
      `${key}x`,
      key.toUpperCase(),
      'x'.repeat(10_000),
    ])
      expect(await keys.authenticate(text)).toBeNull();
    expect(queries).toBe(0);
  });

  it('does not take an unknown id, or a key of the right id with another secret', async () => {
    const { apiKey } = await create();
    expect(await keys.authenticate(makeKey(apiKey.id).text)).toBeNull();
    expect(await keys.authenticate(makeKey().text)).toBeNull();
    expect(queries).toBe(2);
  });

  it('notices on another replica what happened to the key, when the version rises', async () => {
    const { apiKey, key } = await create();
    expect(await keys.authenticate(key)).toHaveProperty('principal');
    await access.freezer.freeze({ principal: OPERATOR }, { apiKeyId: apiKey.id }, 'leaked');
    version++;
    expect(await keys.authenticate(key)).toEqual({ refused: `API key ${apiKey.id} is frozen.` });
    await access.freezer.unfreeze({ principal: OPERATOR }, { apiKeyId: apiKey.id });
    version++;
    expect(await keys.authenticate(key)).toHaveProperty('principal');
    await access.freezer.freeze({ principal: OPERATOR }, { userId }, 'phished');
    version++;
    expect(await keys.authenticate(key)).toEqual({ refused: `The user of API key ${apiKey.id} is frozen.` });
    await access.freezer.unfreeze({ principal: OPERATOR }, { userId });
    await access.apiKeys.revoke({ principal: OPERATOR }, apiKey.id);
    version++;
    expect(await keys.authenticate(key)).toEqual({ refused: `API key ${apiKey.id} is revoked.` });
  });

  it('does not keep what was read before a change for after it', async () => {
    const { apiKey, key } = await create();
    // The reading begins, the change is made and seen, and only then the reading ends.
    const early = keys.authenticate(key);
    version++;
    await early;
    await access.apiKeys.revoke({ principal: OPERATOR }, apiKey.id);
    expect(await keys.authenticate(key)).toEqual({ refused: `API key ${apiKey.id} is revoked.` });
  });

  it('ends at the end of its time, also of what is remembered, and of the overlap of a rotation', async () => {
    const { key } = await create({ expiresInDays: 1 });
    const rotated = await create();
    await access.apiKeys.rotate({ principal: OPERATOR }, rotated.apiKey.id, { overlapSeconds: 60 });
    expect(await keys.authenticate(key)).toHaveProperty('principal');
    expect(await keys.authenticate(rotated.key)).toHaveProperty('principal');
    nowMs += 120_000;
    expect(await keys.authenticate(key)).toHaveProperty('principal');
    expect(await keys.authenticate(rotated.key)).toHaveProperty('refused');
    nowMs += 86_400_000;
    expect(await keys.authenticate(key)).toHaveProperty('refused');
    expect(queries).toBe(2);
  });

  it('notes the last use for all keys together, and raises no version with it', async () => {
    const made = [await create(), await create()];
    for (const { key } of made) for (let use = 0; use < 10; use++) await keys.authenticate(key);
    const before = (await database.current.pool.query('select version from access_version')).rows[0].version;
    expect((await access.apiKeys.get(made[0]!.apiKey.id)).lastUsedAt).toBeNull();
    await lastUses.flush();
    for (const { apiKey } of made) expect(Date.parse((await access.apiKeys.get(apiKey.id)).lastUsedAt!)).toBe(nowMs);
    expect((await database.current.pool.query('select version from access_version')).rows[0].version).toBe(before);
  });
});
