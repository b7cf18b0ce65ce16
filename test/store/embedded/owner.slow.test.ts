import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/database.ts';
import { DataFolderInUseError } from '../../../src/store/errors.ts';
import { databasePid, firstStart, useDataDirs } from '../../support/dataDir.ts';
import { startProgram } from '../../support/processes.ts';

const makeDataDir = useDataDirs();

test('a second server of a data folder is refused with the process id of the first', async () => {
  const dataDir = await firstStart(makeDataDir());
  const owner = startProgram('store/fixtures/owner.ts', [dataDir]);
  await owner.line('open true');
  const second = openDatabase({ url: null, dataDir });
  await expect(second).rejects.toThrow(DataFolderInUseError);
  await expect(second).rejects.toThrow(`Another server (pid ${owner.pid}) uses this data folder`);
  owner.child.stdin.write('close\n');
  await owner.line('closed');
  const successor = await openDatabase({ url: null, dataDir });
  await successor.close();
  expect(databasePid(dataDir)).toBeUndefined();
});

test('a command shares the database of a running server, and whoever leaves last ends it', async () => {
  const dataDir = await firstStart(makeDataDir());
  const owner = startProgram('store/fixtures/owner.ts', [dataDir]);
  await owner.line('open true');
  const running = databasePid(dataDir);
  const command = await openDatabase({ url: null, dataDir, attach: true });
  expect(databasePid(dataDir)).toBe(running);
  owner.child.stdin.write('close\n');
  await owner.line('closed');
  // The command is not cut off in the middle of its work.
  await command.pool.query('select 1');
  await command.close();
  expect(databasePid(dataDir)).toBeUndefined();
});

test('a command starts the database when no server runs, a server joins in, and keeps it', async () => {
  const dataDir = await firstStart(makeDataDir());
  const command = await openDatabase({ url: null, dataDir, attach: true });
  const running = databasePid(dataDir);
  const server = await openDatabase({ url: null, dataDir });
  await command.close();
  expect(databasePid(dataDir)).toBe(running);
  await server.pool.query('select 1');
  await server.close();
  expect(databasePid(dataDir)).toBeUndefined();
});

test('of several servers that start at once in an empty folder one wins, and commands all get in', async () => {
  const dataDir = makeDataDir();
  const servers = Array.from({ length: 2 }, () => startProgram('store/fixtures/owner.ts', [dataDir]));
  const commands = Array.from({ length: 2 }, () => startProgram('store/fixtures/owner.ts', [dataDir, 'attach']));
  await Promise.all(commands.map((command) => command.line('open true')));
  const answers = await Promise.all(
    servers.map((server) => Promise.race([server.line('open'), server.line('refused')])),
  );
  expect(answers.filter((answer) => answer === 'open true')).toHaveLength(1);
  expect(answers.filter((answer) => answer.startsWith('refused DATA_FOLDER_IN_USE'))).toHaveLength(1);
  for (const program of [...servers, ...commands]) program.child.stdin.write('close\n');
  await Promise.all([...servers, ...commands].map((program) => program.ended));
  expect(databasePid(dataDir)).toBeUndefined();
});
