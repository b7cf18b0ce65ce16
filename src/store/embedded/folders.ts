import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errorMessage, UnavailableError } from '../../core/errors.ts';
import { type Account, closedTo } from './account.ts';

// sockaddr_un holds 107 bytes on Linux and 103 on macOS; PostgreSQL appends "/.s.PGSQL.5432.lock".
const SOCKET_FOLDER_MAX_BYTES = 103 - '/.s.PGSQL.5432.lock'.length;

/** Where the embedded server's things lie; all paths are absolute. */
export interface Folders {
  /** Owned by the user the database runs as, closed to others. */
  readonly server: string;
  /** PostgreSQL's own data directory. */
  readonly cluster: string;
  readonly log: string;
  /** `server`, or a short folder below /tmp when a socket's path in there would be too long. */
  readonly socket: string;
  /** Copies of the programs, when they cannot be used where npm put them. */
  readonly binaries: string;
}

/** The folders of a data folder, which is named by its real path so that every process names it alike. */
export function foldersOf(realDataDir: string): Folders {
  const server = join(realDataDir, 'postgres');
  const tooLong = Buffer.byteLength(server) > SOCKET_FOLDER_MAX_BYTES;
  const digest = createHash('sha256').update(server).digest('hex').slice(0, 16);
  return {
    server,
    cluster: join(server, 'data'),
    log: join(server, 'server.log'),
    socket: tooLong && process.platform !== 'win32' ? `/tmp/integration-services-${digest}` : server,
    // Root's are shared by all its data folders, and lie where the unprivileged user gets to.
    binaries: process.getuid?.() === 0 ? '/var/cache/integration-services' : join(realDataDir, 'postgres-binaries'),
  };
}

/** Makes the folders where they are missing. @throws UnavailableError when this user may not. */
export function makeFolders(dataDir: string): Folders {
  try {
    mkdirSync(dataDir, { recursive: true });
    const folders = foldersOf(realpathSync(dataDir));
    mkdirSync(folders.server, { recursive: true, mode: 0o700 });
    accessSync(folders.server, constants.R_OK | constants.W_OK | constants.X_OK);
    return folders;
  } catch (cause) {
    throw new UnavailableError(
      `The data folder ${dataDir} cannot be used (${errorMessage(cause)}). Set DATA_DIR to a folder that this user may write to, or DATABASE_URL to a server.`,
      { cause },
    );
  }
}

/** Makes the folders reachable for the user that the database runs as, and its own folder its own. */
export function handOver(folders: Folders, account: Account | undefined): void {
  if (account) {
    const dataDir = dirname(folders.server);
    // Only our own folder is opened, and only for passing through; secrets in it have modes of their own.
    chmodSync(dataDir, statSync(dataDir).mode | 0o011);
    const closed = closedTo(account, dataDir);
    if (closed) {
      throw new UnavailableError(
        `The database runs as the user ${account.name} (PostgreSQL does not run as root), who cannot reach ${folders.server}, because ${closed} is closed to others. Set DATA_DIR to a folder such as /var/lib/integration-services, or run "chmod o+x ${closed}".`,
      );
    }
    giveTo(account, folders.server);
  }
  if (folders.socket !== folders.server) prepareSocketFolder(folders.socket, account);
}

/** Hands what is root's (a restored backup, a new folder) to the account. */
function giveTo(account: Account, path: string): void {
  const stat = lstatSync(path);
  if (stat.uid === account.uid) return;
  chownSync(path, account.uid, account.gid);
  if (stat.isDirectory()) for (const name of readdirSync(path)) giveTo(account, join(path, name));
}

function prepareSocketFolder(path: string, account: Account | undefined): void {
  if (!existsSync(path)) {
    mkdirSync(path, { mode: 0o700 });
    if (account) chownSync(path, account.uid, account.gid);
  }
  // In /tmp anybody could have made a folder of this name first.
  const stat = lstatSync(path);
  const expected = account?.uid ?? process.getuid?.();
  if (stat.isDirectory() && stat.uid === expected && (stat.mode & 0o077) === 0) return;
  throw new UnavailableError(
    `${path} is needed for the database's socket, but exists and is not a folder of mode 0700 owned by uid ${expected}. Remove it, or set DATA_DIR to a shorter path.`,
  );
}
