import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UnavailableError } from '../../core/errors.ts';

/** The unprivileged user that the database runs as when we are root, because PostgreSQL refuses root. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Undefined when we are not root: the database then runs as we do. For root it is the owner of the existing
 * `folder`, else the user `postgres`, else `nobody`. No account is created.
 */
export function databaseAccount(folder: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(folder, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  const account = accountNamed('postgres') ?? accountNamed('nobody');
  if (account) return account;
  throw new UnavailableError(
    'PostgreSQL does not run as root, and this system has neither a user "postgres" nor "nobody". Start as an ordinary user, or set DATABASE_URL.',
  );
}

function accountNamed(name: string): Account | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name && Number(uid) !== 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** The first folder on the way to `path` (or `path` itself) whose mode keeps `account` out; undefined when none. */
export function closedTo(account: Account, path: string): string | undefined {
  const parent = dirname(path);
  const above = parent === path ? undefined : closedTo(account, parent);
  if (above) return above;
  const stat = statSync(path);
  const shift = stat.uid === account.uid ? 6 : stat.gid === account.gid ? 3 : 0;
  const needed = stat.isDirectory() ? 0o1 : 0o5;
  return ((stat.mode >> shift) & needed) === needed ? undefined : path;
}
