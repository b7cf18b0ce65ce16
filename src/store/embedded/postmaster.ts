import { spawn } from 'node:child_process';
import { closeSync, fchownSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '../../core/errors.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import type { Folders } from './folders.ts';
import { type Endpoint, readPidFile } from './pidFile.ts';
import { identify } from './processes.ts';
import { CHILD_ENVIRONMENT, cannotRun, runProgram } from './run.ts';

export const POLL_MS = 10;
/** A server that recovers from a crash is waited for this long; nothing is killed meanwhile. */
export const START_TIMEOUT_MS = 10 * 60_000;
const LOG_MAX_BYTES = 5 * 1024 * 1024;

export interface Installation {
  readonly folders: Folders;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly password: string | undefined;
  /** Options of postgres, `name=value`. */
  readonly settings: readonly string[];
  readonly log: (line: string) => void;
}

/** Starts a server and waits until it takes connections; what it said when it ended instead. */
export async function startPostmaster(installation: Installation, port: number): Promise<Endpoint | string> {
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
