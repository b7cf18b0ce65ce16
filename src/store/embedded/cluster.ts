import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UnavailableError } from '../../core/errors.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import type { Folders } from './folders.ts';
import { isAlive } from './processes.ts';
import { runProgram } from './run.ts';

const MAJOR_VERSION = '18';

/** Makes the data directory if there is none; a crash on the way leaves nothing that would be taken for one. */
export async function ensureCluster(
  folders: Folders,
  binaries: Binaries,
  account: Account | undefined,
  sync: boolean,
): Promise<void> {
  if (existsSync(folders.cluster)) return requireMajorVersion(folders.cluster);
  await removeDrafts(folders.server);
  const draft = join(folders.server, `data.${process.pid}.draft`);
  await runProgram(
    binaries.initdb,
    [
      `--pgdata=${draft}`,
      '--username=postgres',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(sync ? [] : ['--no-sync']),
      ...(process.platform === 'win32'
        ? ['--auth=scram-sha-256', `--pwfile=${passwordFile(folders)}`]
        : // The socket lies in a folder that only this user can enter.
          ['--auth-local=trust', '--auth-host=reject']),
    ],
    account,
    120_000,
  );
  try {
    await rename(draft, folders.cluster);
    if (sync && process.platform !== 'win32') await syncFolder(folders.server);
  } catch (error) {
    // Another process was first.
    if (!existsSync(folders.cluster)) throw error;
    await rm(draft, { recursive: true, force: true });
  }
}

/** Windows only, where the server listens on loopback: the file with its generated password. */
function passwordFile(folders: Folders): string {
  const path = join(folders.server, 'password');
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600, flush: true });
  return path;
}

/** What to log in with. */
export function clusterPassword(folders: Folders): string | undefined {
  return process.platform === 'win32' ? readFileSync(passwordFile(folders), 'utf8').trim() : undefined;
}

async function requireMajorVersion(cluster: string): Promise<void> {
  const version = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  if (version === MAJOR_VERSION) return;
  throw new UnavailableError(
    `${cluster} was made by PostgreSQL ${version}; this version of the program brings ${MAJOR_VERSION}. Copy the data out with pg_dump of PostgreSQL ${version}, move the folder away, start again and restore.`,
    { details: { found: version, needed: MAJOR_VERSION } },
  );
}

/** What processes that were killed while making one left behind. */
async function removeDrafts(server: string): Promise<void> {
  for (const name of await readdir(server)) {
    const pid = /^data\.(\d+)\.draft$/.exec(name)?.[1];
    if (pid && (Number(pid) === process.pid || !isAlive(Number(pid)))) {
      await rm(join(server, name), { recursive: true, force: true });
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path);
  await folder.sync();
}
