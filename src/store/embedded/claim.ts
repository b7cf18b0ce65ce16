import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { DataFolderInUseError } from '../errors.ts';
import type { Endpoint } from './pidFile.ts';
import { isAlive } from './processes.ts';

// Session-level advisory locks of a connection of our own to our own server: they end with the process that
// holds them, however it ends, so nothing is ever stale.
/** Held shared by every process that uses the embedded server, exclusively by the one that ends it. */
const USERS_KEY = 7_204_118_302;
/** Held by the one process that is the server of this data folder. */
const SERVER_KEY = 7_204_118_303;
const APPLICATION = /^integration-services server pid (\d+)$/;

/** A process's stake in the embedded server. */
export interface Claim {
  /** Resolves when the connection is lost, which is when the database went away. */
  readonly lost: Promise<void>;
  /** Gives the claim up; true when no other process uses the server, so that the caller has to end it. */
  release(): Promise<boolean>;
}

/**
 * Takes a claim. With `exclusive`, only one process has it at a time. Null when the server is about to end.
 * @throws DataFolderInUseError naming the process that has it.
 */
export async function takeClaim(
  { host, port }: Endpoint,
  password: string | undefined,
  exclusive: boolean,
): Promise<Claim | null> {
  const client: pg.Client & { ref?(): void; unref?(): void } = new pg.Client({
    host,
    port,
    user: 'postgres',
    database: 'postgres',
    password,
    application_name: `integration-services ${exclusive ? 'server' : 'client'} pid ${process.pid}`,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  const lost = new Promise<void>((resolve) => {
    client.once('end', resolve);
    client.on('error', () => resolve());
  });
  await client.connect();
  try {
    if (!(await call(client, 'pg_try_advisory_lock_shared', USERS_KEY))) {
      await client.end();
      return null;
    }
    if (exclusive) await takeServerLock(client);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  // While nothing is asked of it, it does not keep a program running that has nothing else to do.
  client.unref?.();
  return {
    lost,
    async release() {
      client.ref?.();
      try {
        await call(client, 'pg_advisory_unlock_shared', USERS_KEY);
        const last = await call(client, 'pg_try_advisory_lock', USERS_KEY);
        // The last one keeps the connection, and the lock, until the server has ended.
        if (!last) await client.end();
        return last;
      } catch {
        return true; // the connection is lost: if a server still runs, nobody can be using it through us
      }
    },
  };
}

async function takeServerLock(client: pg.Client): Promise<void> {
  const deadline = performance.now() + 3_000;
  while (!(await call(client, 'pg_try_advisory_lock', SERVER_KEY))) {
    const holder = await holderPid(client);
    // The database may not have noticed yet that the holder was killed.
    if ((holder === undefined || !isAlive(holder)) && performance.now() < deadline) {
      await delay(50);
      continue;
    }
    throw new DataFolderInUseError(
      `Another server${holder ? ` (pid ${holder})` : ''} uses this data folder. Stop it first, or set DATA_DIR to another folder; several servers share one database through DATABASE_URL.`,
      { details: { pid: holder } },
    );
  }
}

async function holderPid(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ application_name: string }>(
    `select activity.application_name
     from pg_locks locks join pg_stat_activity activity using (pid)
     where locks.locktype = 'advisory' and locks.granted and locks.mode = 'ExclusiveLock'
       and (locks.classid::bigint << 32 | locks.objid::bigint) = $1`,
    [SERVER_KEY],
  );
  const pid = APPLICATION.exec(rows[0]?.application_name ?? '')?.[1];
  return pid === undefined ? undefined : Number(pid);
}

async function call(client: pg.Client, name: string, key: number): Promise<boolean> {
  const { rows } = await client.query<{ answer: boolean }>(`select ${name}($1) as answer`, [key]);
  return rows[0]!.answer;
}
