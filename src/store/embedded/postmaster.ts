import { spawn } from 'node:child_process';
import { closeSync, fchownSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { UnavailableError } from '../../core/errors.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import type { Folders } from './folders.ts';
import { identify } from './processes.ts';
import { CHILD_ENVIRONMENT, cannotRun, runProgram } from './run.ts';

const POLL_MS = 10;
/** A server that recovers from a crash is waited for this long; nothing is killed meanwhile. */
const START_TIMEOUT_MS = 10 * 60_000;
/** Leftovers of a killed server end by themselves within this time. */
const LEFTOVERS_TIMEOUT_MS = 30_000;
/** A server that says it is ready but does not answer for this long is ended. */
const SILENCE_TIMEOUT_MS = 10_000;
const LOG_MAX_BYTES = 5 * 1024 * 1024;

export interface Endpoint {
  readonly pid: number;
  /** Socket folder, or address. */
  readonly host: string;
  readonly port: number;
}

export interface Installation {
  readonly folders: Folders;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly password: string | undefined;
  /** Options of postgres, `name=value`. */
  readonly settings: readonly string[];
  readonly log: (line: string) => void;
}

interface PidFile extends Endpoint {
  readonly status: string;
}

/** postmaster.pid: pid, data directory, start time, port, socket folder, address, shared memory, status. */
export function readPidFile(folders: Folders): PidFile | null {
  let lines: string[];
  try {
    lines = readFileSync(join(folders.cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return {
    pid: Number(lines[0]),
    port: Number(lines[3]) || 0,
    host: lines[4] || lines[5] || '',
    status: (lines[7] ?? '').trim(),
  };
}

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
    const passing = /lock file .* already exists|pre-existing shared memory|is still in use|Is another postmaster/;
    if (!passing.test(started) || performance.now() - startedAt > LEFTOVERS_TIMEOUT_MS) {
      throw new UnavailableError(
        `The embedded database did not start: ${started || 'it ended without a word'} (more in ${folders.log})`,
      );
    }
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

export async function answers(endpoint: Endpoint, password: string | undefined): Promise<boolean> {
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

/** Starts a server and waits until it takes connections; what it said when it ended instead. */
async function startPostmaster(installation: Installation, port: number): Promise<Endpoint | string> {
  const { folders, binaries, account, settings } = installation;
  const logFrom = rotateLog(folders.log);
  const logFile = openSync(folders.log, 'a', 0o600);
  if (account) fchownSync(logFile, account.uid, account.gid);
  // In a session of its own, so that Ctrl-C in a terminal reaches us only, and we end it after our own work.
  const child = spawn(
    binaries.postgres,
    ['-D', folders.cluster, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    {
      cwd: '/',
      env: CHILD_ENVIRONMENT,
      stdio: ['ignore', logFile, logFile],
      detached: true,
      windowsHide: true,
      ...(account && { uid: account.uid, gid: account.gid }),
    },
  );
  closeSync(logFile);
  child.unref();
  let failure: UnavailableError | undefined;
  child.once('error', (error) => {
    failure = cannotRun(binaries.postgres, error);
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    if (failure) throw failure;
    const current = readPidFile(folders);
    if (current?.pid === child.pid && current?.status === 'ready') return current;
    if (child.exitCode !== null || child.signalCode !== null) {
      return readFileSync(folders.log).subarray(logFrom).toString('utf8').slice(-2_000).trim();
    }
    if (performance.now() > deadline)
      throw new UnavailableError('The embedded database is not ready after 10 minutes.');
    await delay(POLL_MS);
  }
}

/** Keeps the log within twice its bound; where it ends now. */
function rotateLog(path: string): number {
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes < LOG_MAX_BYTES) return sizeBytes;
  renameSync(path, `${path}.1`);
  return 0;
}

/** PostgreSQL refuses to start while a pid in these files is taken, though it is another program's by now. */
function removeStaleFiles(folders: Folders, pid: number): void {
  for (const path of [join(folders.cluster, 'postmaster.pid'), join(folders.socket, '.s.PGSQL.5432.lock')]) {
    try {
      if (Number(readFileSync(path, 'utf8').split('\n')[0]) === pid) rmSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Ends the server: sessions are closed and everything is on disk; one that hangs is ended harder, losing nothing. */
export async function stopPostmaster(installation: Installation, pid: number): Promise<void> {
  const { folders, binaries, account } = installation;
  if (process.platform === 'win32') {
    await runProgram(binaries.pgCtl, ['stop', '-w', '-m', 'fast', '-D', folders.cluster], account, 60_000);
    return;
  }
  // https://www.postgresql.org/docs/18/server-shutdown.html
  for (const [signal, patienceMs] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (identify(pid, folders.cluster) !== 'ours') return;
    process.kill(pid, signal);
    if (await isGone(folders, pid, patienceMs)) return;
  }
}

async function isGone(folders: Folders, pid: number, patienceMs: number): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    if (identify(pid, folders.cluster) !== 'ours') return true;
    await delay(POLL_MS);
  }
  return false;
}
