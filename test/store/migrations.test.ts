import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { MigrationError } from '../../src/store/errors.ts';
import { migrate, readMigrations } from '../../src/store/migrate.ts';
import { useTestDatabase } from '../support/database.ts';
import { startProgram } from '../support/processes.ts';

const database = useTestDatabase();
const shipped = await readMigrations();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'migrations-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Two harmless migrations after the shipped ones; `edit` replaces one of them. */
async function withMore(edit: Record<string, string> = {}) {
  const path = await mkdtemp(join(folder, 'set-'));
  const files = {
    '000901_first.sql': 'create table more_first (id integer);',
    '000902_second.sql': 'create table more_second (id integer);\ninsert into more_first values (1);',
    ...edit,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return [...shipped, ...(await readMigrations(path))];
}

afterEach(async () => {
  await database.current.pool.query(
    'drop table if exists more_first, more_second; delete from schema_migrations where version > 900',
  );
});

test('migrations are applied once, in order', async () => {
  const { pool } = database.current;
  const migrations = await withMore();
  expect(await migrate(pool, migrations)).toEqual(['000901_first.sql', '000902_second.sql']);
  expect(await migrate(pool, migrations)).toEqual([]);
  const { rows } = await pool.query('select version, name from schema_migrations where version > 900 order by version');
  expect(rows.map((row) => row.version)).toEqual([901, 902]);
});

test('a migration that fails leaves nothing behind and is tried again when it is repaired', async () => {
  const { pool } = database.current;
  const broken = await withMore({ '000902_second.sql': 'insert into more_first values (2); select 1 / 0;' });
  await expect(migrate(pool, broken)).rejects.toThrow(/000902_second.sql failed and was rolled back: division by zero/);
  expect((await pool.query('select * from more_first')).rows).toEqual([]);
  expect(await migrate(pool, await withMore())).toEqual(['000902_second.sql']);
});

test('an edited migration is refused by name', async () => {
  const { pool } = database.current;
  await migrate(pool, await withMore());
  const edited = await withMore({ '000901_first.sql': 'create table more_first (id bigint);' });
  await expect(migrate(pool, edited)).rejects.toThrow(MigrationError);
  await expect(migrate(pool, edited)).rejects.toThrow(/000901_first.sql was edited after it was applied/);
});

test('line endings of a checkout are no edit', async () => {
  const { pool } = database.current;
  await migrate(pool, await withMore());
  const crlf = await withMore({
    '000902_second.sql': 'create table more_second (id integer);\r\ninsert into more_first values (1);',
  });
  expect(await migrate(pool, crlf)).toEqual([]);
});

test('a database of a newer version of the program is refused', async () => {
  const { pool } = database.current;
  await migrate(pool, await withMore());
  await expect(migrate(pool, shipped)).rejects.toThrow(/000901_first.sql, which this version .* does not know/);
});

test('a misnamed file is refused', async () => {
  const path = join(folder, 'misnamed');
  await mkdir(path);
  await writeFile(join(path, '12_short.sql'), '');
  await expect(readMigrations(path)).rejects.toThrow(/12_short.sql: the name must be like/);
});

test('of several processes that migrate an empty database at once, one applies each migration', async () => {
  const url = new URL(database.url);
  const name = `${url.pathname.slice(1)}_empty`;
  await database.current.pool.query(`create database ${name}`);
  url.pathname = `/${name}`;
  try {
    const programs = Array.from({ length: 5 }, () => startProgram('store/fixtures/migrate.ts', [url.href]));
    await Promise.all(programs.map((program) => program.line('ready')));
    for (const program of programs) program.child.stdin.write('go\n');
    const applied = await Promise.all(
      programs.map(async (program) => JSON.parse((await program.line('applied')).slice('applied '.length))),
    );
    expect(applied.flat().sort()).toEqual(shipped.map((migration) => migration.name));
    expect(await Promise.all(programs.map((program) => program.ended))).toEqual([0, 0, 0, 0, 0]);
  } finally {
    await database.current.pool.query(`drop database ${name} with (force)`);
  }
});

test('a server that is too old is refused with its version', async () => {
  // Speaks just enough of the protocol to say that it is PostgreSQL 14.
  const server = createServer((socket) => {
    let started = false;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (!started) {
        started = true;
        return socket.write(Buffer.concat([message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]));
      }
      if (data[0] === 0x58) return socket.end();
      socket.write(
        Buffer.concat([
          message('T', rowDescription(['server_version', 'number'])),
          message('D', dataRow(['14.11', '140011'])),
          message('C', Buffer.from('SELECT 1\0')),
          message('Z', Buffer.from('I')),
        ]),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'test', database: 'test' });
  await expect(migrate(pool)).rejects.toThrow(/PostgreSQL 14.11; 15 or newer is needed/);
  await pool.end();
  server.close();
});

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

function rowDescription(names: readonly string[]): Buffer {
  const fields = names.map((name) => {
    const rest = Buffer.alloc(18);
    rest.writeInt32BE(name === 'number' ? 23 : 25, 6);
    return Buffer.concat([Buffer.from(`${name}\0`), rest]);
  });
  const count = Buffer.alloc(2);
  count.writeInt16BE(names.length);
  return Buffer.concat([count, ...fields]);
}

function dataRow(values: readonly string[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(values.length);
  const columns = values.map((value) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value.length);
    return Buffer.concat([length, Buffer.from(value)]);
  });
  return Buffer.concat([count, ...columns]);
}

test('a first start says in one line what it applied, and later ones say nothing', async () => {
  const { pool } = database.current;
  await pool.query('create database first_start');
  const url = new URL(database.url);
  url.pathname = '/first_start';
  const lines: string[] = [];
  const open = () => openDatabase({ url: url.href, dataDir: '', log: (line) => lines.push(line) });
  await (await open()).close();
  expect(lines).toEqual([
    `database: applied ${shipped.length} migrations, 000001_spine.sql to ${shipped.at(-1)!.name}`,
  ]);
  await (await open()).close();
  expect(lines).toHaveLength(1);
  await pool.query('drop database first_start');
});
