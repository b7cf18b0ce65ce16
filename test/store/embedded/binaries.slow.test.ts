import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { UnavailableError } from '../../../src/core/errors.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { closedTo, databaseAccount } from '../../../src/store/embedded/account.ts';
import { locatePackage, prepareBinaries } from '../../../src/store/embedded/binaries.ts';
import { foldersOf } from '../../../src/store/embedded/folders.ts';
import { runProgram } from '../../../src/store/embedded/run.ts';
import { databasePid, firstStart, useDataDirs } from '../../support/dataDir.ts';
import { startProgram } from '../../support/processes.ts';

const makeDataDir = useDataDirs();
const isRoot = process.getuid?.() === 0;
const account = databaseAccount('/nonexistent');
const repository = fileURLToPath(new URL('../../..', import.meta.url));
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) {
    execFileSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true });
  }
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'is-binaries-'));
  chmodSync(folder, 0o755);
  folders.push(folder);
  return folder;
}

/** The package as npm leaves it when it runs no install scripts. */
function packageWithoutLinks(): string {
  const native = join(makeFolder(), 'native');
  cpSync(locatePackage().native, native, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !lstatSync(source).isSymbolicLink(),
  });
  return native;
}

const version = (postgres: string) => execFileSync(postgres, ['--version'], { encoding: 'utf8' });

test('library links that install scripts would have made are made at the first start', async () => {
  const native = packageWithoutLinks();
  expect(existsSync(join(native, 'lib', 'libpq.so.5'))).toBe(false);
  const { postgres } = await prepareBinaries(join(makeFolder(), 'copies'), undefined, { native, version: 'test' });
  expect(postgres).toBe(join(native, 'bin', 'postgres'));
  expect(version(postgres)).toContain('PostgreSQL) 18');
  expect(existsSync(join(native, 'lib', 'libpq.so.5'))).toBe(true);
});

test.skipIf(isRoot && closedTo(account!, repository))(
  'links that cannot be made where npm put the package are made in a copy (skipped as root in a closed home)',
  async () => {
    const native = packageWithoutLinks();
    execFileSync('chmod', ['-R', 'a-w', native]);
    const copies = join(makeFolder(), 'copies');
    mkdirSync(copies);
    if (account) chownSync(copies, account.uid, account.gid);
    const program = startProgram('store/fixtures/prepareBinaries.ts', [native, copies], account ?? {});
    expect(await program.line('prepared')).toContain(`${copies}/test/bin/postgres postgres (PostgreSQL) 18`);
  },
);

test.runIf(isRoot)('as root, programs in a home closed to others are copied once to where they can run', async () => {
  const home = makeFolder();
  cpSync(locatePackage().native, join(home, 'native'), { recursive: true, verbatimSymlinks: true });
  chmodSync(home, 0o700);
  const copies = join(makeFolder(), 'copies');
  const packaged = { native: join(home, 'native'), version: 'test' };
  const left = join(copies, 'draft-of-a-killed-process');
  mkdirSync(left, { recursive: true });
  utimesSync(left, 0, 0);
  const [first, second] = await Promise.all([
    prepareBinaries(copies, account, packaged),
    prepareBinaries(copies, account, packaged),
  ]);
  expect(first).toEqual(second);
  expect(first.postgres).toBe(join(copies, 'test', 'bin', 'postgres'));
  await runProgram(first.postgres, ['--version'], account, 10_000);
  expect(readdirSync(copies)).toEqual(['test']);
  const { mtimeMs } = statSync(first.postgres);
  await prepareBinaries(copies, account, packaged);
  expect(statSync(first.postgres).mtimeMs).toBe(mtimeMs);
});

test.runIf(isRoot)('as root, the database runs as an unprivileged user who owns its folder', async () => {
  const dataDir = await firstStart(makeDataDir());
  const database = await openDatabase({ url: null, dataDir });
  const uid = Number(execFileSync('stat', ['-c', '%u', `/proc/${databasePid(dataDir)}`], { encoding: 'utf8' }));
  expect(uid).toBe(account!.uid);
  expect(uid).not.toBe(0);
  await database.close();
  // A backup restored by root belongs to root.
  execFileSync('chown', ['-R', 'root:root', foldersOf(dataDir).server]);
  const restored = await openDatabase({ url: null, dataDir });
  await restored.pool.query('select 1');
  await restored.close();
});

test.runIf(isRoot)('as root, a data folder that the unprivileged user cannot reach is refused by name', async () => {
  const home = makeFolder();
  chmodSync(home, 0o700);
  const opening = openDatabase({ url: null, dataDir: join(home, 'data') });
  await expect(opening).rejects.toThrow(UnavailableError);
  await expect(opening).rejects.toThrow(`because ${home} is closed to others`);
});

test.skipIf(!isRoot || closedTo(account!, repository))(
  'as an ordinary user the database runs as that user (run as root, with the repository in reach)',
  async () => {
    const dataDir = makeDataDir();
    chownSync(dataDir, account!.uid, account!.gid);
    const owner = startProgram('store/fixtures/owner.ts', [dataDir], account);
    await owner.line('open true');
    owner.child.stdin.write('close\n');
    await owner.line('closed');
    // Root may take it over, and still does not run it as root.
    const database = await openDatabase({ url: null, dataDir });
    await database.close();
  },
);

test('a platform without programs is told to use a server', () => {
  expect(() => locatePackage('linux-mips')).toThrow(/no embedded PostgreSQL for linux-mips .* set DATABASE_URL/);
});

test.skipIf(process.platform === 'win32')('a system without glibc is told so', async () => {
  // A program whose loader is missing is what the system sees on musl.
  const program = join(makeFolder(), 'postgres');
  writeFileSync(program, '#!/lib64/ld-linux-that-is-not-here.so.2\n', { mode: 0o755 });
  await expect(runProgram(program, [], undefined, 1_000)).rejects.toThrow(/needs glibc, .* Set DATABASE_URL/);
});
