import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { UnavailableError } from '../../../src/core/errors.ts';
import { type Database, openDatabase } from '../../../src/store/database.ts';
import { foldersOf } from '../../../src/store/embedded/folders.ts';
import { databasePid, firstStart, useDataDirs } from '../../support/dataDir.ts';
import { eventually } from '../../support/eventually.ts';
import { startProgram } from '../../support/processes.ts';

const makeDataDir = useDataDirs();
const lines: string[] = [];
afterEach(() => {
  lines.length = 0;
});

const open = (dataDir: string): Promise<Database> =>
  openDatabase({ url: null, dataDir, log: (line) => lines.push(line) });

test('the database that a killed process left running is taken over as it runs', async () => {
  const dataDir = await firstStart(makeDataDir());
  const owner = startProgram('store/fixtures/owner.ts', [dataDir]);
  await owner.line('open true');
  const pid = databasePid(dataDir);
  await owner.kill();
  const database = await open(dataDir);
  expect(databasePid(dataDir)).toBe(pid);
  await database.close();
  expect(databasePid(dataDir)).toBeUndefined();
});

test('a database that dies while we run is started again, and queries work again by themselves', async () => {
  const dataDir = await firstStart(makeDataDir());
  const database = await open(dataDir);
  const pid = databasePid(dataDir)!;
  process.kill(pid, 'SIGKILL');
  await eventually('queries to work again', () =>
    sql`select 1`.execute(database.db).catch((error: unknown) => {
      expect(error).toBeInstanceOf(UnavailableError);
      return null;
    }),
  );
  await eventually('the log to tell', () => lines.some((line) => line.includes('running again')));
  expect(databasePid(dataDir)).not.toBe(pid);
  expect(lines).toContain('database: the server is gone; starting it again');
  await database.close();
  expect(databasePid(dataDir)).toBeUndefined();
});

test('closing while the database is dead leaves none running', async () => {
  const dataDir = await firstStart(makeDataDir());
  const database = await open(dataDir);
  process.kill(databasePid(dataDir)!, 'SIGKILL');
  await database.close();
  const again = await open(dataDir);
  await again.close();
  expect(databasePid(dataDir)).toBeUndefined();
});

test('a pid file that names a living process which is none of ours does not keep it from starting', async () => {
  const dataDir = await firstStart(makeDataDir());
  const { cluster, socket } = foldersOf(dataDir);
  // As after a restart of a container, where ids begin at 1 again.
  const stale = `${process.pid}\n${cluster}\n1700000000\n5432\n${socket}\n\n  1234567        99\nready   \n`;
  writeFileSync(join(cluster, 'postmaster.pid'), stale);
  writeFileSync(join(socket, '.s.PGSQL.5432.lock'), stale);
  const database = await open(dataDir);
  await database.pool.query('select 1');
  await database.close();
});

test('a pid file that a crash left empty does not keep it from starting', async () => {
  const dataDir = await firstStart(makeDataDir());
  writeFileSync(join(foldersOf(dataDir).cluster, 'postmaster.pid'), '');
  const database = await open(dataDir);
  await database.close();
});

test('a first start that was killed half way is begun anew', async () => {
  const dataDir = makeDataDir();
  const { pid } = spawnSync(process.execPath, ['--version']);
  const draft = join(dataDir, 'postgres', `data.${pid}.draft`);
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, 'PG_VERSION'), '18\n');
  const database = await open(dataDir);
  await database.close();
  expect(existsSync(draft)).toBe(false);
});

test('data of another major version is refused with both versions', async () => {
  const dataDir = await firstStart(makeDataDir());
  writeFileSync(join(foldersOf(dataDir).cluster, 'PG_VERSION'), '17\n');
  await expect(open(dataDir)).rejects.toThrow(/was made by PostgreSQL 17; this version of the program brings 18/);
});

test('a database that does not start says why, in the words of its log', async () => {
  const dataDir = await firstStart(makeDataDir());
  const { cluster, log } = foldersOf(dataDir);
  rmSync(join(cluster, 'global', 'pg_control'));
  const opening = open(dataDir);
  await expect(opening).rejects.toThrow(UnavailableError);
  await expect(opening).rejects.toThrow(/did not start: [\s\S]*pg_control[\s\S]*server\.log/);
  expect(readFileSync(log, 'utf8')).toContain('pg_control');
});

test('it listens on a socket only, and its processes know nothing of our environment', async () => {
  const dataDir = await firstStart(makeDataDir());
  const database = await open(dataDir);
  const { rows } = await database.pool.query('show listen_addresses');
  expect(rows).toEqual([{ listen_addresses: '' }]);
  if (process.platform === 'linux') {
    const names = readFileSync(`/proc/${databasePid(dataDir)}/environ`, 'utf8')
      .split('\0')
      .map((entry) => entry.split('=')[0]);
    expect(names.filter((name) => name && !['LC_ALL', 'PATH'].includes(name) && !name.startsWith('PG'))).toEqual([]);
  }
  await database.close();
});

test('a data folder whose path is too long for a socket gets its socket in a short one', async () => {
  const dataDir = join(makeDataDir(), 'a'.repeat(60), 'b'.repeat(60));
  const { socket, server } = foldersOf(dataDir);
  expect(socket).not.toBe(server);
  try {
    const database = await open(dataDir);
    await database.pool.query('select 1');
    await database.close();
    rmSync(socket, { recursive: true });
    // Somebody else was there first.
    mkdirSync(socket, { mode: 0o777 });
    await expect(open(dataDir)).rejects.toThrow(/is needed for the database's socket/);
  } finally {
    rmSync(socket, { recursive: true, force: true });
  }
});

test('a data folder that cannot be made is refused with what to do', async () => {
  const file = join(makeDataDir(), 'file');
  writeFileSync(file, '');
  await expect(open(join(file, 'data'))).rejects.toThrow(/cannot be used \(ENOTDIR.* Set DATA_DIR to a folder/);
});
