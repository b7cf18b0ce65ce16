import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { type Database, openDatabase } from '../../src/store/database.ts';

export interface TestDatabase {
  readonly current: Database;
  /** Connection string, to open it once more. */
  readonly url: string;
}

/**
 * A migrated database of its own for the calling file or `describe`; dropped at the end, which fails when a
 * connection to it was not given back or not closed.
 */
export function useTestDatabase(): TestDatabase {
  const adminUrl = inject('adminUrl');
  const template = inject('templateName');
  const name = template.replace(/template$/, randomBytes(6).toString('hex'));
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  let database: Database | undefined;

  beforeAll(async () => {
    await withClient(adminUrl, (client) => client.query(`create database ${name} template ${template}`));
    database = await openDatabase({ url: url.href, dataDir: '', migrate: false });
  });

  afterAll(async () => {
    if (!database) return;
    // Closing would wait for what is not given back.
    if (await isIdle(database.pool)) await database.close();
    const leaked = await withClient(adminUrl, async (client) => {
      const open = await openConnections(client, name);
      await client.query(`drop database ${name} with (force)`);
      return open;
    });
    if (leaked.length > 0) throw new Error(`Connections were leaked; their last statements:\n${leaked.join('\n')}`);
  });

  return {
    get current() {
      if (!database) throw new Error('The test database is open from beforeAll on.');
      return database;
    },
    url: url.href,
  };
}

async function isIdle(pool: pg.Pool): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (pool.totalCount === pool.idleCount) return true;
    await delay(20);
  }
  return false;
}

/** What is still connected after a moment in which the server notices that connections were closed. */
async function openConnections(client: pg.Client, name: string): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const { rows } = await client.query<{ query: string }>(
      `select query from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [name],
    );
    if (rows.length === 0 || attempt === 50) return rows.map((row) => row.query);
    await delay(20);
  }
}

async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
