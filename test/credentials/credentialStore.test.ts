import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { type Installation, insertIntegrations, openInstallation, rowsByKey } from './installation.ts';

const database = useTestDatabase();
let installation: Installation;
let id: string;

beforeAll(async () => {
  installation = await openInstallation(database.current);
});

const save = (integrationId: string, credentials: Record<string, string>, owner = 'acme') =>
  database.current.transaction((tx) => installation.store.save(tx, integrationId, owner, credentials));
const load = (integrationId: string) => installation.store.load(integrationId);
const row = (integrationId: string) =>
  database.current.db
    .selectFrom('credentials')
    .selectAll()
    .where('integration_id', '=', integrationId)
    .executeTakeFirstOrThrow();

describe('the credentials of an integration', () => {
  beforeAll(async () => {
    [id] = (await insertIntegrations(database.current, 1)) as [string];
  });

  it('are null at first', async () => {
    expect(await load(id)).toBeNull();
  });

  it('come back as they were stored, and no text of them is in the table', async () => {
    await save(id, { username: 'user-canary', password: 'pässwörd-canary' });
    expect(await load(id)).toEqual({ username: 'user-canary', password: 'pässwörd-canary' });
    const { rows } = await sql<{ text: string }>`select credentials::text as text from credentials`.execute(
      database.current.db,
    );
    expect(JSON.stringify(rows)).not.toContain('canary');
    expect(await row(id)).toMatchObject({ fields: ['password', 'username'], version: 1 });
  });

  it('are replaced as a whole, with a higher version and a later date', async () => {
    const before = await row(id);
    await save(id, { token: 't2' });
    expect(await load(id)).toEqual({ token: 't2' });
    const after = await row(id);
    expect(after).toMatchObject({ fields: ['token'], version: 2, created_at: before.created_at });
    expect(after.updated_at.getTime()).toBeGreaterThan(before.updated_at.getTime());
  });

  it('stay as they were when the transaction fails', async () => {
    const failing = database.current.transaction(async (tx) => {
      await installation.store.save(tx, id, 'acme', { token: 't3' });
      throw new Error('later in the transaction');
    });
    await expect(failing).rejects.toThrow('later in the transaction');
    expect(await load(id)).toEqual({ token: 't2' });
  });

  it('are whole after concurrent saves: one of them wins', async () => {
    const [other] = (await insertIntegrations(database.current, 1)) as [string];
    await Promise.all(Array.from({ length: 8 }, (_, index) => save(other, { token: `${index}`, same: `${index}` })));
    const credentials = await load(other);
    expect(credentials?.token).toBe(credentials?.same);
  });

  it('are gone once erased', async () => {
    await database.current.transaction((tx) => installation.store.erase(tx, id));
    expect(await load(id)).toBeNull();
    expect(await rowsByKey(database.current)).toEqual({ [(await installation.keys.active()).keyId]: 1 });
  });
});

describe('a row that somebody changed in the database', () => {
  let ids: [string, string];

  const unreadable = { code: 'CREDENTIALS_UNREADABLE' };

  beforeAll(async () => {
    ids = (await insertIntegrations(database.current, 2)) as [string, string];
    await save(ids[0], { token: 'one' });
    await save(ids[1], { token: 'two' });
  });

  it.each([
    [
      'the envelope of another integration',
      sql`envelope = (select envelope from credentials o where o.integration_id <> c.integration_id limit 1)`,
    ],
    ['another version', sql`version = version + 1`],
    [
      'a changed ciphertext',
      sql`envelope = jsonb_set(envelope, '{data,ciphertext}', '"AAAAAAAAAAAAAAAAAAAAAAAAAAAA"')`,
    ],
    ['something that is no envelope', sql`envelope = '[]'`],
    ['an unknown key in the envelope', sql`envelope = jsonb_set(envelope, '{keyId}', '"key_unknown"')`],
  ])('is refused: %s', async (_name, change) => {
    const before = await row(ids[0]);
    await sql`update credentials c set ${change} where integration_id = ${ids[0]}`.execute(database.current.db);
    await expect(load(ids[0])).rejects.toMatchObject(unreadable);
    await database.current.db
      .updateTable('credentials')
      .set({ envelope: JSON.stringify(before.envelope), version: before.version })
      .where('integration_id', '=', ids[0])
      .execute();
    expect(await load(ids[0])).toEqual({ token: 'one' });
  });

  it('is refused: the integration given to another owner', async () => {
    const give = (owner: string) =>
      database.current.db.updateTable('integrations').set({ owner }).where('id', '=', ids[0]).execute();
    await give('mallory');
    await expect(load(ids[0])).rejects.toMatchObject(unreadable);
    await give('acme');
    expect(await load(ids[0])).toEqual({ token: 'one' });
  });
});

it('seals any other secret for one place and opens it there alone', async () => {
  const context = { owner: 'acme', integrationId: 'int_1', field: 'webhook:whk_1' };
  const { envelope, keyId } = await installation.store.seal(context, 'whsec_abc');
  expect(keyId).toBe(envelope.keyId);
  expect(await installation.store.open(context, JSON.parse(JSON.stringify(envelope)))).toBe('whsec_abc');
  const elsewhere = installation.store.open({ ...context, field: 'webhook:whk_2' }, envelope);
  await expect(elsewhere).rejects.toMatchObject({ code: 'CREDENTIALS_UNREADABLE' });
});
