import { inspect } from 'node:util';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { systemClock } from '../../src/core/clock.ts';
import { InstallationKeys } from '../../src/credentials/installationKeys.ts';
import { rotateInstallationKey } from '../../src/credentials/rotation.ts';
import { changeEncryptionSecret } from '../../src/credentials/secretChange.ts';
import { webBackend } from '../../src/credentials/webBackend.ts';
import { useTestDatabase } from '../support/database.ts';
import { insertIntegrations, keyRows, openInstallation, SECRET, saveAll } from './installation.ts';

const NEW_SECRET = 'the ENCRYPTION_SECRET of tomorrow, longer';
const database = useTestDatabase();

beforeEach(async () => {
  await sql`truncate installation_keys, integrations cascade`.execute(database.current.db);
});

const tables = async () => {
  const { rows } = await sql`
    select (select jsonb_agg(k order by id) from installation_keys k) as keys,
           (select jsonb_agg(c order by integration_id) from credentials c) as credentials`.execute(
    database.current.db,
  );
  return rows;
};

describe('opening an installation', () => {
  it('makes the first key, and finds it the next time', async () => {
    const { keys } = await openInstallation(database.current);
    const [row] = await keyRows(database.current);
    expect(row).toMatchObject({ id: (await keys.active()).keyId, status: 'active' });
    const again = await InstallationKeys.open(database.current, SECRET, { backend: webBackend });
    expect((await again.active()).keyId).toBe(row!.id);
    expect(await keyRows(database.current)).toHaveLength(1);
  });

  it('makes one key when several processes start at once', async () => {
    const opened = await Promise.all(Array.from({ length: 6 }, () => InstallationKeys.open(database.current, SECRET)));
    const ids = await Promise.all(opened.map(async (keys) => (await keys.active()).keyId));
    expect(new Set(ids).size).toBe(1);
    expect(await keyRows(database.current)).toHaveLength(1);
  });

  it('says that ENCRYPTION_SECRET is wrong, shows neither secret, and changes nothing', async () => {
    const installation = await openInstallation(database.current);
    const ids = await insertIntegrations(database.current, 2);
    await saveAll(database.current, installation, ids);
    const before = await tables();
    const error: unknown = await InstallationKeys.open(database.current, NEW_SECRET).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'ENCRYPTION_SECRET_MISMATCH' });
    expect((error as Error).message).toMatch(/ENCRYPTION_SECRET is not the one .* Set the secret that was used before/);
    expect(inspect(error, { depth: 10 })).not.toMatch(new RegExp(`${SECRET}|${NEW_SECRET}`));
    expect(await tables()).toEqual(before);
    expect(await installation.store.load(ids[0]!)).toEqual({ token: ids[0] });
  });

  it.each([
    ['fewer iterations', sql`iterations = 1`],
    ['other iterations', sql`iterations = iterations + 1`],
    ['another salt', sql`salt = '\\x00'`],
    ['another id', sql`id = 'key_other'`],
    ['a damaged key', sql`sealed_key = '{}'`],
  ])('refuses a row with %s', async (_name, change) => {
    await openInstallation(database.current);
    await sql`update installation_keys set ${change}`.execute(database.current.db);
    await expect(openInstallation(database.current)).rejects.toMatchObject({ code: 'ENCRYPTION_SECRET_MISMATCH' });
  });

  it('refuses a secret that is too short and iterations below the policy', async () => {
    await expect(InstallationKeys.open(database.current, 'short')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const cheap = InstallationKeys.open(database.current, SECRET, { kdfIterations: 100_000 });
    await expect(cheap).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(await keyRows(database.current)).toEqual([]);
  });
});

describe('a running process', () => {
  it('reads and writes with a key that another process made', async () => {
    const one = await openInstallation(database.current);
    const other = await openInstallation(database.current);
    const ids = await insertIntegrations(database.current, 3);
    await saveAll(database.current, one, ids);
    const { keyId } = await rotateInstallationKey(database.current, one.keys);
    expect(await other.store.load(ids[0]!)).toEqual({ token: ids[0] });
    await saveAll(database.current, other, ids);
    expect((await other.keys.active()).keyId).toBe(keyId);
    expect(await one.store.load(ids[1]!)).toEqual({ token: ids[1] });
  });

  it('remembers a removed key for five minutes, then forgets it', async () => {
    let nowMs = 1000;
    const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
    const { keys } = await openInstallation(database.current, SECRET, { clock });
    const oldId = (await keys.active()).keyId;
    const { keyId } = await rotateInstallationKey(database.current, keys);
    expect(await keys.find(oldId)).not.toBeNull();
    nowMs += 5 * 60_000 + 1;
    expect(await keys.find(oldId)).toBeNull();
    expect(await keys.find(keyId)).not.toBeNull();
  });
});

describe('changing ENCRYPTION_SECRET', () => {
  it('seals the keys anew and touches nothing else; running processes go on', async () => {
    const running = await openInstallation(database.current);
    const ids = await insertIntegrations(database.current, 2);
    await saveAll(database.current, running, ids);
    const before = await database.current.db.selectFrom('credentials').selectAll().orderBy('integration_id').execute();

    const change = { oldSecret: SECRET, newSecret: NEW_SECRET };
    expect(await changeEncryptionSecret(database.current, change)).toBe(1);
    expect(await changeEncryptionSecret(database.current, change)).toBe(0);

    const after = await database.current.db.selectFrom('credentials').selectAll().orderBy('integration_id').execute();
    expect(after).toEqual(before);
    await saveAll(database.current, running, [ids[0]!]);
    const restarted = await openInstallation(database.current, NEW_SECRET);
    expect(await restarted.store.load(ids[0]!)).toEqual({ token: ids[0] });
    expect(await restarted.store.load(ids[1]!)).toEqual({ token: ids[1] });
    await expect(openInstallation(database.current)).rejects.toMatchObject({ code: 'ENCRYPTION_SECRET_MISMATCH' });
  });

  it('is refused, with nothing changed, when the old secret is wrong', async () => {
    await openInstallation(database.current);
    const before = await tables();
    const wrong = changeEncryptionSecret(database.current, { oldSecret: `${SECRET}!`, newSecret: NEW_SECRET });
    await expect(wrong).rejects.toMatchObject({ code: 'ENCRYPTION_SECRET_MISMATCH' });
    const short = changeEncryptionSecret(database.current, { oldSecret: SECRET, newSecret: 'short' });
    await expect(short).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(await tables()).toEqual(before);
  });
});
