import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { errorMessage } from '../core/errors.ts';
import { MigrationError, UnsupportedDatabaseError } from './errors.ts';
import { isConnectionFailure } from './pool.ts';

// src/store and dist/store lie equally deep, so this holds in the repository and in the package.
const FOLDER = fileURLToPath(new URL('../../migrations/', import.meta.url));
const LOCK_KEY = 7_204_118_301;
const MINIMUM_SERVER_VERSION = 150_000;
/** A migration of a large table takes as long as it takes, and so does waiting for another process's one. */
const PATIENCE = { query_timeout: 24 * 3_600_000 };

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** The migrations of `folder`, in order. */
export async function readMigrations(folder: string = FOLDER): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const version = Number(/^(\d{6})_\w+\.sql$/.exec(name)?.[1]);
      if (!version) throw new MigrationError(`migrations/${name}: the name must be like 000042_what.sql`);
      // Line endings are normalised, so that a checkout with CRLF is not taken for an edit.
      const sql = (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n');
      return { version, name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Brings the database to the newest migration, each in a transaction of its own, and returns the names of those
 * that it applied. Several processes may call it at once: one applies, the others wait and find it done.
 *
 * @throws MigrationError when an applied migration was edited or is unknown to this version.
 * @throws UnsupportedDatabaseError below PostgreSQL 15.
 */
export async function migrate(pool: pg.Pool, migrations?: readonly Migration[]): Promise<string[]> {
  const wanted = migrations ?? (await readMigrations());
  const applied: string[] = [];
  const client = await pool.connect();
  let failure: unknown;
  try {
    await requireServerVersion(client);
    for (;;) {
      const name = await applyNext(client, wanted);
      if (name === null) return applied;
      applied.push(name);
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    // After a failure the connection may be inside a broken transaction.
    client.release(failure !== undefined);
  }
}

async function requireServerVersion(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ server_version: string; number: number }>(
    `select current_setting('server_version') as server_version, current_setting('server_version_num')::int as number`,
  );
  const { server_version, number } = rows[0]!;
  if (number >= MINIMUM_SERVER_VERSION) return;
  throw new UnsupportedDatabaseError(
    `DATABASE_URL leads to PostgreSQL ${server_version}; 15 or newer is needed. Upgrade that server, or unset DATABASE_URL to use the embedded one.`,
    { details: { serverVersion: server_version } },
  );
}

/** Applies the first migration that is missing; null when there is none. */
async function applyNext(client: pg.PoolClient, wanted: readonly Migration[]): Promise<string | null> {
  await client.query('begin');
  await client.query({ text: 'select pg_advisory_xact_lock($1)', values: [LOCK_KEY], ...PATIENCE });
  await client.query(`
    create table if not exists schema_migrations (
      version integer primary key,
      name text not null,
      sha256 text not null,
      applied_at timestamptz not null default now()
    )`);
  const { rows } = await client.query<{ version: number; name: string; sha256: string }>(
    'select version, name, sha256 from schema_migrations order by version',
  );
  checkHistory(rows, wanted);
  const next = wanted[rows.length];
  if (next) await apply(client, next);
  await client.query('commit');
  return next?.name ?? null;
}

async function apply(client: pg.PoolClient, { version, name, sql, sha256 }: Migration): Promise<void> {
  try {
    // Without parameters, so that the file may hold many statements.
    await client.query({ text: sql, ...PATIENCE });
  } catch (error) {
    if (isConnectionFailure(error)) throw error;
    throw new MigrationError(`migrations/${name} failed and was rolled back: ${errorMessage(error)}`, {
      cause: error,
      details: { migration: name },
    });
  }
  await client.query('insert into schema_migrations (version, name, sha256) values ($1, $2, $3)', [
    version,
    name,
    sha256,
  ]);
}

/** What is applied must be, in order and to the letter, the beginning of what we have. */
function checkHistory(
  applied: readonly { version: number; name: string; sha256: string }[],
  wanted: readonly Migration[],
): void {
  for (const [index, row] of applied.entries()) {
    const file = wanted[index];
    if (file?.version !== row.version) {
      throw new MigrationError(
        `The database has migration ${row.name}, which this version of the program does not know in that place. Run the version that applied it, or a newer one.`,
        { details: { migration: row.name } },
      );
    }
    if (file.sha256 !== row.sha256) {
      throw new MigrationError(
        `migrations/${file.name} was edited after it was applied to this database. Restore the file, and put the change into a new migration.`,
        { details: { migration: file.name } },
      );
    }
  }
}
