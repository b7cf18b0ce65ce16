import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import type pg from 'pg';
import Cursor from 'pg-cursor';
import { lazy } from '../core/lazy.ts';
import { type EmbeddedServer, openEmbeddedServer } from './embedded/embeddedServer.ts';
import { migrate } from './migrate.ts';
import { DAILY_TABLES, ensurePartitions, PARTITION_DAYS_AHEAD } from './partitions.ts';
import { createPool, kyselyPool, translateError } from './pool.ts';
import type { Schema } from './schema.ts';
import { runTransaction } from './transaction.ts';

/** The open database. Nothing done through it may rely on session state: a pooler may stand in between. */
export interface Database {
  /** Typed queries. A server that cannot be reached throws `UnavailableError`. */
  readonly db: Kysely<Schema>;
  /** The driver's pool, for COPY and cursors. */
  readonly pool: pg.Pool;
  /** The connection string in use, also of the embedded server. Holds a password: not for messages. */
  readonly url: string;
  /**
   * Runs `run` in one transaction. After a deadlock or serialization failure it is run again, up to five times
   * in all, so it must do nothing outside the database that may not happen twice.
   */
  transaction<T>(run: (tx: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** Closes the connections, and ends the embedded server unless another process uses it. */
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  /** Null for the embedded server in `dataDir`. */
  readonly url: string | null;
  readonly dataDir: string;
  /** Most connections at a time. Default 10. */
  readonly poolSize?: number;
  /** Whether to apply missing migrations. Default true. */
  readonly migrate?: boolean;
  /** Shares an embedded server that another process runs, as the command line does. Default false. */
  readonly attach?: boolean;
  readonly log?: (line: string) => void;
}

const DAY_MS = 86_400_000;

/**
 * Opens the database of `url`, or starts the embedded one, and brings its tables up to date.
 *
 * @throws UnavailableError when it cannot be reached or started.
 * @throws DataFolderInUseError when another process is the server of `dataDir` and `attach` is not set.
 * @throws MigrationError, UnsupportedDatabaseError
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const log = options.log ?? (() => {});
  const embedded: EmbeddedServer | null =
    options.url === null ? await openEmbeddedServer({ dataDir: options.dataDir, attach: options.attach, log }) : null;
  const url = options.url ?? embedded!.url;
  const pool = createPool({ url, max: options.poolSize ?? 10, log });
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: kyselyPool(pool), cursor: Cursor }) });
  const database: Database = {
    db,
    pool,
    url,
    transaction: (run) => runTransaction(db, run),
    close: lazy(async () => {
      await db.destroy();
      // Kysely ends the pool only if it has used it.
      if (!pool.ending) await pool.end();
      await embedded?.close();
    }),
  };
  try {
    if (options.migrate !== false) await prepare(database, log);
    return database;
  } catch (error) {
    await database.close();
    throw translateError(error);
  }
}

async function prepare(database: Database, log: (line: string) => void): Promise<void> {
  const applied = await migrate(database.pool);
  if (applied.length === 1) log(`database: applied migration ${applied[0]}`);
  else if (applied.length > 1)
    log(`database: applied ${applied.length} migrations, ${applied[0]} to ${applied.at(-1)}`);
  const yesterday = new Date(Date.now() - DAY_MS);
  for (const table of DAILY_TABLES) await ensurePartitions(database, table, yesterday, 2 + PARTITION_DAYS_AHEAD);
}
