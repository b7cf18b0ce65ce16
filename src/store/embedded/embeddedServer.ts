import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage, UnavailableError } from '../../core/errors.ts';
import { lazy } from '../../core/lazy.ts';
import { databaseAccount } from './account.ts';
import { prepareBinaries } from './binaries.ts';
import { type Claim, takeClaim } from './claim.ts';
import { clusterPassword, ensureCluster } from './cluster.ts';
import { ensureRunning } from './ensureRunning.ts';
import { handOver, makeFolders } from './folders.ts';
import type { Endpoint } from './pidFile.ts';
import { type Installation, stopPostmaster } from './postmaster.ts';

export interface EmbeddedServer {
  /** Connection string; stays the same when the server is restarted. */
  readonly url: string;
  readonly pid: number;
  /** Ends the server, unless another process of ours still uses it. */
  close(): Promise<void>;
}

export interface EmbeddedServerOptions {
  readonly dataDir: string;
  /** Shares a server that another process of ours runs, instead of insisting on being the only one. */
  readonly attach?: boolean;
  /** False only where the data may be lost, in tests. */
  readonly sync?: boolean;
  readonly log: (line: string) => void;
}

const RESTART_MAX_DELAY_MS = 5_000;
const HANDOVER_TIMEOUT_MS = 30_000;

/**
 * PostgreSQL 18 with its data in `dataDir`/postgres, made at the first start, reachable through a Unix socket
 * only. While open, a server that dies is started again.
 *
 * @throws DataFolderInUseError when another process is the server of this folder and `attach` is not set.
 * @throws UnavailableError when there is no server for this platform or it does not start.
 */
export async function openEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const installation = await install(options);
  const exclusive = options.attach !== true;
  const port = process.platform === 'win32' ? await freePort() : 5432;
  let { endpoint, claim } = await start(installation, port, exclusive);
  const closing = new AbortController();
  let restarting: Promise<void> | undefined;

  const restart = async () => {
    options.log('database: the server is gone; starting it again');
    for (let delayMs = 100; !closing.signal.aborted; delayMs = Math.min(2 * delayMs, RESTART_MAX_DELAY_MS)) {
      try {
        ({ endpoint, claim } = await start(installation, endpoint.port, exclusive));
        return options.log(`database: running again (pid ${endpoint.pid})`);
      } catch (error) {
        options.log(`database: could not be started again: ${errorMessage(error)}`);
        await delay(delayMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };
  const watch = async () => {
    while (!closing.signal.aborted) {
      await claim.lost;
      if (closing.signal.aborted) return;
      restarting = restart();
      await restarting;
    }
  };
  const watching = watch();

  return {
    url: connectionString(endpoint, installation.password),
    get pid() {
      return endpoint.pid;
    },
    close: lazy(async () => {
      closing.abort();
      await restarting;
      if (await claim.release()) await stopPostmaster(installation, endpoint.pid);
      await watching;
    }),
  };
}

async function install({ dataDir, sync = true, log }: EmbeddedServerOptions): Promise<Installation> {
  const folders = makeFolders(dataDir);
  const account = databaseAccount(folders.cluster);
  handOver(folders, account);
  const binaries = await prepareBinaries(folders.binaries, account);
  await ensureCluster(folders, binaries, account, sync);
  return {
    folders,
    binaries,
    account,
    password: clusterPassword(folders),
    settings: settings(folders.socket, sync),
    log,
  };
}

/** For a small machine; given on the command line, so that they follow the program's version and not the data. */
function settings(socketFolder: string, sync: boolean): string[] {
  return [
    ...(process.platform === 'win32'
      ? ['listen_addresses=127.0.0.1', 'unix_socket_directories=']
      : ['listen_addresses=', `unix_socket_directories=${socketFolder}`, 'unix_socket_permissions=0700']),
    'max_connections=50',
    'shared_buffers=128MB',
    'synchronous_commit=on',
    'wal_compression=on',
    'random_page_cost=1.1',
    'jit=off',
    'timezone=UTC',
    'log_timezone=UTC',
    // Neither statements nor their values are logged: they hold what our users synchronise.
    'log_min_messages=log',
    'log_min_error_statement=panic',
    'log_checkpoints=off',
    ...(sync ? [] : ['fsync=off', 'full_page_writes=off']),
  ];
}

async function start(
  installation: Installation,
  port: number,
  exclusive: boolean,
): Promise<{ endpoint: Endpoint; claim: Claim }> {
  const deadline = performance.now() + HANDOVER_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const endpoint = await ensureRunning(installation, port);
    const claim = await takeClaim(endpoint, installation.password, exclusive).catch((error: unknown) => {
      // Gone in between; look again.
      if (readyToRetry(error)) return null;
      throw error;
    });
    if (claim) return { endpoint, claim };
    await delay(50);
  }
  throw new UnavailableError('The embedded database is being ended by another process, which does not finish.');
}

function readyToRetry(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', '57P01', '57P03'].includes(String(code));
}

function connectionString({ host, port }: Endpoint, password: string | undefined): string {
  if (password !== undefined) return `postgresql://postgres:${password}@${host}:${port}/postgres`;
  return `postgresql://postgres@localhost:${port}/postgres?host=${encodeURIComponent(host)}`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
