import { sql, type Transaction } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/ids.ts';
import { SEALED_TABLES } from '../../src/credentials/rewrapBatch.ts';
import { finishRotation, rotateInstallationKey, rotateIntegrationCredential } from '../../src/credentials/rotation.ts';
import type { Schema } from '../../src/store/schema.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import {
  type Installation,
  insertIntegrations,
  keyRows,
  openInstallation,
  rowsByKey,
  saveAll,
} from './installation.ts';

const database = useTestDatabase();
let installation: Installation;
let ids: string[];

beforeEach(async () => {
  await sql`truncate installation_keys, integrations, users cascade`.execute(database.current.db);
  installation = await openInstallation(database.current);
  ids = await insertIntegrations(database.current, 30);
  await saveAll(database.current, installation, ids);
});

const rows = () =>
  database.current.db.selectFrom('credentials').selectAll().orderBy('integration_id').execute() as Promise<
    { envelope: { data: unknown; key: unknown }; version: number; updated_at: Date }[]
  >;

/** A row of webhook_endpoints with the secret `whsec_x`, sealed but not stored yet. */
async function sealedWebhook() {
  const id = newId('webhook');
  const context = { owner: 'acme', integrationId: ids[0]!, field: `webhook:${id}` };
  const { envelope, keyId } = await installation.store.seal(context, 'whsec_x');
  const place = { id, integration_id: ids[0]!, url: 'https://example.com', events: ['*'], description: null };
  return { context, values: { ...place, secret_envelope: JSON.stringify(envelope), key_id: keyId } };
}

/** A transaction that has done `work` and stays open until `commit`. */
async function heldOpen(work: (tx: Transaction<Schema>) => Promise<unknown>): Promise<{ commit(): Promise<void> }> {
  const worked = Promise.withResolvers<void>();
  const commit = Promise.withResolvers<void>();
  const transaction = database.current.transaction(async (tx) => {
    await work(tx);
    worked.resolve();
    await commit.promise;
  });
  await Promise.race([worked.promise, transaction]);
  return {
    commit: () => {
      commit.resolve();
      return transaction;
    },
  };
}

async function expectAllReadable(opened = installation): Promise<void> {
  for (const id of ids) expect(await opened.store.load(id)).toEqual({ token: id });
}

describe('rotating the installation key', () => {
  it('rewraps everything for a new key, removes the old one and leaves the credentials encrypted as they were', async () => {
    const [oldKey] = await keyRows(database.current);
    const before = await rows();
    const progress: number[] = [];
    const result = await rotateInstallationKey(database.current, installation.keys, {
      batchRows: 8,
      onProgress: ({ rewrapped }) => progress.push(rewrapped),
    });
    expect(result).toMatchObject({ rewrapped: 30, unreadable: 0, resumed: false, removedKeyIds: [oldKey!.id] });
    expect(progress).toEqual([8, 16, 24, 30]);
    expect(await keyRows(database.current)).toEqual([{ id: result.keyId, status: 'active' }]);

    const after = await rows();
    for (const [index, { envelope, version, updated_at }] of after.entries()) {
      expect({ data: envelope.data, version, updated_at }).toEqual({
        data: before[index]!.envelope.data,
        version: before[index]!.version,
        updated_at: before[index]!.updated_at,
      });
      expect(envelope.key).not.toEqual(before[index]!.envelope.key);
    }
    await expectAllReadable();
    await expectAllReadable(await openInstallation(database.current));
  });

  it('rewraps the secrets of webhooks too', async () => {
    const { context, values } = await sealedWebhook();
    await database.current.db.insertInto('webhook_endpoints').values(values).execute();
    const result = await rotateInstallationKey(database.current, installation.keys);
    expect(result).toMatchObject({ rewrapped: 31, retiringKeyIds: [] });
    const row = await database.current.db.selectFrom('webhook_endpoints').selectAll().executeTakeFirstOrThrow();
    expect(row.key_id).toBe(result.keyId);
    expect(await installation.store.open(context, row.secret_envelope)).toBe('whsec_x');
  });

  it('rewraps the second factors of users too', async () => {
    const userId = newId('user');
    const context = { owner: userId, integrationId: 'accounts', field: 'totp' };
    await sql`insert into users (id, email, name, role, status) values (${userId}, ${`${userId}@example.com`}, 'A', 'viewer', 'active')`.execute(
      database.current.db,
    );
    const { envelope, keyId } = await installation.store.seal(context, 'a secret');
    await database.current.db
      .insertInto('second_factors')
      .values({ user_id: userId, secret_envelope: JSON.stringify(envelope), key_id: keyId })
      .execute();
    const result = await rotateInstallationKey(database.current, installation.keys);
    expect(result).toMatchObject({ rewrapped: 31, retiringKeyIds: [] });
    const row = await database.current.db.selectFrom('second_factors').selectAll().executeTakeFirstOrThrow();
    expect(row.key_id).toBe(result.keyId);
    expect(await installation.store.open(context, row.secret_envelope)).toBe('a secret');
  });

  it('knows every table that refers to an installation key', async () => {
    const { rows: tables } = await sql<{ name: string }>`
      select conrelid::regclass::text as name from pg_constraint
      where confrelid = 'installation_keys'::regclass and contype = 'f' order by 1`.execute(database.current.db);
    const known = SEALED_TABLES.map(({ table }) => sql`${table}`.compile(database.current.db).sql.replaceAll('"', ''));
    expect(known.sort()).toEqual(tables.map(({ name }) => name));
  });

  it('stops when it is told to, and the next call finishes what is left and starts nothing new', async () => {
    const stop = new AbortController();
    const stopped = rotateInstallationKey(database.current, installation.keys, {
      batchRows: 4,
      signal: stop.signal,
      onProgress: ({ rewrapped }) => rewrapped >= 12 && stop.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    expect(Object.values(await rowsByKey(database.current)).sort()).toEqual([12, 18]);
    await expectAllReadable();

    const result = await rotateInstallationKey(database.current, installation.keys);
    expect(result).toMatchObject({ rewrapped: 18, resumed: true, retiringKeyIds: [] });
    expect(await keyRows(database.current)).toHaveLength(1);
    expect(await finishRotation(database.current, installation.keys)).toMatchObject({
      rewrapped: 0,
      removedKeyIds: [],
    });
    await expectAllReadable();
  });

  it('is shared by several processes that start it at the same time', async () => {
    const others = await Promise.all([1, 2].map(() => openInstallation(database.current)));
    const results = await Promise.all(
      [installation, ...others].map(({ keys }) => rotateInstallationKey(database.current, keys, { batchRows: 3 })),
    );
    expect(results.reduce((sum, { rewrapped }) => sum + rewrapped, 0)).toBe(30);
    expect(new Set(results.map(({ keyId }) => keyId)).size).toBe(1);
    expect(await keyRows(database.current)).toHaveLength(1);
    await expectAllReadable();
  });

  it('leaves a damaged envelope and its key, reports it, and does not let it stop the next rotation', async () => {
    const damaged = ids.pop()!;
    await sql`update credentials set envelope = jsonb_set(envelope, '{key,iv}', '"AAAAAAAAAAAAAAAA"')
      where integration_id = ${damaged}`.execute(database.current.db);
    const [oldKey] = await keyRows(database.current);
    const first = await rotateInstallationKey(database.current, installation.keys);
    expect(first).toMatchObject({ rewrapped: 29, unreadable: 1, removedKeyIds: [], retiringKeyIds: [oldKey!.id] });
    const second = await rotateInstallationKey(database.current, installation.keys);
    expect(second).toMatchObject({ rewrapped: 29, unreadable: 1, removedKeyIds: [first.keyId], resumed: false });
    await expectAllReadable();

    await database.current.transaction((tx) => installation.store.save(tx, damaged, 'acme', { token: damaged }));
    expect(await finishRotation(database.current, installation.keys)).toMatchObject({ removedKeyIds: [oldKey!.id] });
  });

  it('waits for a row that a writer holds', async () => {
    const writer = await heldOpen((tx) =>
      sql`select from credentials where integration_id = ${ids[0]!} for update`.execute(tx),
    );
    let done = false;
    const rotation = rotateInstallationKey(database.current, installation.keys).finally(() => {
      done = true;
    });
    try {
      await eventually(
        'all but the held row',
        async () =>
          Object.values(await rowsByKey(database.current))
            .sort((a, b) => a - b)
            .join() === '1,29',
      );
      expect(done).toBe(false);
    } finally {
      await writer.commit();
    }
    expect(await rotation).toMatchObject({ rewrapped: 30, retiringKeyIds: [] });
    await expectAllReadable();
  });

  it('never passes over a write that began before it', async () => {
    const [late] = (await insertIntegrations(database.current, 1)) as [string];
    // Sealed with the old key in a transaction that is still open when the key is to be retired.
    const writer = await heldOpen((tx) => installation.store.save(tx, late, 'acme', { token: late }));
    const rotation = rotateInstallationKey(database.current, installation.keys);
    try {
      await eventually('the rotation to wait', async () => {
        const { rows: waiting } = await sql`
          select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
          database.current.db,
        );
        return waiting.length > 0;
      });
    } finally {
      await writer.commit();
    }
    expect(await rotation).toMatchObject({ rewrapped: 31, retiringKeyIds: [] });
    ids.push(late);
    await expectAllReadable();
  });

  it('takes along what was sealed before it and is stored while the old key is being removed', async () => {
    const { context, values } = await sealedWebhook();
    const writer = await heldOpen((tx) => tx.insertInto('webhook_endpoints').values(values).execute());
    const rotation = rotateInstallationKey(database.current, installation.keys);
    try {
      await eventually('the removal to wait', async () => {
        const { rows: waiting } = await sql`
          select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like '%delete from%'`.execute(
          database.current.db,
        );
        return waiting.length > 0;
      });
    } finally {
      await writer.commit();
    }
    expect(await rotation).toMatchObject({ rewrapped: 31, retiringKeyIds: [] });
    const row = await database.current.db.selectFrom('webhook_endpoints').selectAll().executeTakeFirstOrThrow();
    expect(await installation.store.open(context, row.secret_envelope)).toBe('whsec_x');
  });

  it('goes on under concurrent reads and writes of other processes, and loses nothing', {
    timeout: 60_000,
  }, async () => {
    const [reader, writer] = [await openInstallation(database.current), await openInstallation(database.current)];
    const written = new Map(ids.map((id) => [id, 0]));
    let running = true;
    let reads = 0;
    const pick = () => ids[Math.floor(Math.random() * ids.length)]!;
    const readers = Array.from({ length: 2 }, async () => {
      for (; running; reads++) {
        const id = pick();
        const least = written.get(id)!;
        const credentials = await reader.store.load(id);
        expect(Number(credentials?.n ?? 0)).toBeGreaterThanOrEqual(least);
      }
    });
    const writing = (async () => {
      while (running) {
        const id = pick();
        const n = written.get(id)! + 1;
        await database.current.transaction((tx) => writer.store.save(tx, id, 'acme', { token: id, n: `${n}` }));
        written.set(id, n);
      }
    })();
    const rotated: string[] = [];
    for (let rotation = 0; rotation < 3; rotation++) {
      const result = await rotateInstallationKey(database.current, installation.keys, { batchRows: 4 });
      rotated.push(result.keyId);
      expect(result).toMatchObject({ unreadable: 0, retiringKeyIds: [] });
    }
    running = false;
    await Promise.all([...readers, writing]);
    expect(new Set(rotated).size).toBe(3);
    expect(await keyRows(database.current)).toEqual([{ id: rotated.at(-1), status: 'active' }]);
    expect(reads).toBeGreaterThan(0);
    const fresh = await openInstallation(database.current);
    for (const [id, n] of written) {
      expect(await fresh.store.load(id)).toEqual(n === 0 ? { token: id } : { token: id, n: `${n}` });
    }
  });
});

describe('rotating one credential', () => {
  it('gives it a new data key and envelope, raises its version and keeps its date', async () => {
    const [before] = await rows();
    expect(await rotateIntegrationCredential(database.current, installation.store, ids[0]!)).toBe(true);
    const [after] = await rows();
    expect(after!.version).toBe(before!.version + 1);
    expect(after!.updated_at).toEqual(before!.updated_at);
    expect(after!.envelope.data).not.toEqual(before!.envelope.data);
    await expectAllReadable();
    const [other] = (await insertIntegrations(database.current, 1)) as [string];
    expect(await rotateIntegrationCredential(database.current, installation.store, other)).toBe(false);
  });
});
