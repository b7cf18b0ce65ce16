import { sql } from 'kysely';
import { newId } from '../../src/core/ids.ts';
import { CredentialStore } from '../../src/credentials/credentialStore.ts';
import { InstallationKeys, type InstallationKeysOptions } from '../../src/credentials/installationKeys.ts';
import type { Database } from '../../src/store/database.ts';

export const SECRET = 'the ENCRYPTION_SECRET of these tests';

export interface Installation {
  readonly keys: InstallationKeys;
  readonly store: CredentialStore;
}

/** What a server process has open. */
export async function openInstallation(
  database: Database,
  secret = SECRET,
  options?: InstallationKeysOptions,
): Promise<Installation> {
  const keys = await InstallationKeys.open(database, secret, options);
  return { keys, store: new CredentialStore(database, keys) };
}

/** Integrations without credentials; their ids. */
export async function insertIntegrations(database: Database, count: number, owner = 'acme'): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId('integration'));
  await sql`
    insert into integrations (id, owner, name, type, platform, status, configuration)
    select id, ${owner}, 'an integration', 'test', 'http', 'connected', '{}' from unnest(${ids}::text[]) as id
  `.execute(database.db);
  return ids;
}

/** Stores credentials for each; `{ token: id }` unless said otherwise. */
export async function saveAll(
  database: Database,
  { store }: Installation,
  ids: readonly string[],
  owner = 'acme',
): Promise<void> {
  await database.transaction(async (tx) => {
    for (const id of ids) await store.save(tx, id, owner, { token: id });
  });
}

export async function keyRows(database: Database): Promise<{ id: string; status: string }[]> {
  return await database.db.selectFrom('installation_keys').select(['id', 'status']).orderBy('id').execute();
}

/** How many rows of credentials each key wraps. */
export async function rowsByKey(database: Database): Promise<Record<string, number>> {
  const rows = await sql<{ key_id: string; rows: number }>`
    select key_id, count(*)::integer as rows from credentials group by key_id`.execute(database.db);
  return Object.fromEntries(rows.rows.map((row) => [row.key_id, row.rows]));
}
