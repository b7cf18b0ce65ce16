import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { UnavailableError } from '../../core/errors.ts';
import { type Endpoint, type PidFile, readPidFile, removeStaleFiles } from './pidFile.ts';
import { type Installation, POLL_MS, START_TIMEOUT_MS, startPostmaster, stopPostmaster } from './postmaster.ts';
import { identify } from './processes.ts';

/** Leftovers of a killed server end by themselves within this time. */
const LEFTOVERS_TIMEOUT_MS = 30_000;
/** A pid file that is still empty after this time is not being written: a crash left it. */
const EMPTY_FILE_TIMEOUT_MS = 2_000;
/** A server that says it is ready but does not answer for this long is ended. */
const SILENCE_TIMEOUT_MS = 10_000;

/**
 * Leaves a server of this data directory running and answering: the one that runs already (left over by a
 * process that was killed, or started by another of ours), else a new one.
 */
export async function ensureRunning(installation: Installation, port: number): Promise<Endpoint> {
  const { folders, log } = installation;
  const startedAt = performance.now();
  let told = false;
  while (performance.now() - startedAt < START_TIMEOUT_MS) {
    const found = readPidFile(folders);
    if (found && (await answers(found, installation.password))) return found;
    const kind = found ? identify(found.pid, folders.cluster) : 'gone';
    if (found && kind === 'ours') {
      if (await becomesReady(installation, found)) return found;
      continue;
    }
    if (found && kind === 'other') removeStaleFiles(folders, found.pid);
    const started = await startPostmaster(installation, port);
    if (typeof started !== 'string') return started;
    // Somebody else starts it at this moment, or processes of a killed server are still ending.
    const passing =
      /lock file .* already exists|lock file .* is empty|pre-existing shared memory|is still in use|Is another postmaster/;
    if (!passing.test(started) || performance.now() - startedAt > LEFTOVERS_TIMEOUT_MS) {
      throw new UnavailableError(
        `The embedded database did not start: ${started || 'it ended without a word'} (more in ${folders.log})`,
      );
    }
    if (/is empty/.test(started) && performance.now() - startedAt > EMPTY_FILE_TIMEOUT_MS) removeStaleFiles(folders, 0);
    if (!told) log(`database: waiting for what is left of the last server (${started.split('\n')[0]})`);
    told = true;
    await delay(200);
  }
  throw new UnavailableError(`The embedded database is not ready after 10 minutes (more in ${folders.log}).`);
}

/** Waits for a server that is starting, recovering or ending. False when it is gone; a silent one is ended. */
async function becomesReady(installation: Installation, found: PidFile): Promise<boolean> {
  const { folders, log } = installation;
  const startedAt = performance.now();
  let readySince: number | undefined;
  let toldAt = startedAt;
  for (;;) {
    const now = performance.now();
    const current = readPidFile(folders);
    if (current?.pid !== found.pid || identify(found.pid, folders.cluster) !== 'ours') return false;
    if (current.status === 'ready') {
      if (await answers(current, installation.password)) return true;
      readySince ??= now;
      if (now - readySince > SILENCE_TIMEOUT_MS) {
        log(`database: the running server (pid ${found.pid}) does not answer; ending it`);
        await stopPostmaster(installation, found.pid);
        return false;
      }
    }
    if (now - startedAt > START_TIMEOUT_MS) {
      throw new UnavailableError(`The embedded database (pid ${found.pid}) is not ready after 10 minutes.`);
    }
    if (now - toldAt > 10_000) {
      toldAt = now;
      log(`database: waiting for the server (pid ${found.pid}), which is ${current.status || 'starting'}`);
    }
    await delay(readySince ? 200 : POLL_MS);
  }
}

async function answers(endpoint: Endpoint, password: string | undefined): Promise<boolean> {
  if (!endpoint.host || !endpoint.port) return false;
  const { host, port } = endpoint;
  const client = new pg.Client({
    host,
    port,
    user: 'postgres',
    database: 'postgres',
    password,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
