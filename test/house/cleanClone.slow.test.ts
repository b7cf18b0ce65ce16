import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, repository, run, type Surroundings, start, systemPath } from './support/cleanMachine.ts';
import { processesOf } from './support/processesOf.ts';

const asRoot = process.getuid?.() === 0;
const NOBODY_UID = 65_534;
const DEFAULT_DATA_FOLDER = '/var/lib/integration-services';

/** Who follows the README. An ordinary user is nobody, so that no account has to be made. */
const people: { who: string; uid: number | undefined }[] = asRoot
  ? [
      { who: 'root', uid: undefined },
      { who: 'an ordinary user', uid: NOBODY_UID },
    ]
  : [{ who: 'an ordinary user', uid: undefined }];

describe.each(people)('a clone in a closed home, with the machine’s own Node, as $who', ({ uid }) => {
  let home: string;
  let surroundings: Surroundings;
  let dataFolder: string;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'integration-services-home-'));
    const clone = join(home, 'clone');
    surroundings = { cwd: clone, env: { PATH: systemPath, HOME: home }, uid };
    const cloning = { cwd: home, env: { PATH: systemPath, HOME: home } };
    await run('git', ['-c', `safe.directory=*`, 'clone', '--quiet', `file://${repository}`, clone], cloning);
    if (uid !== undefined) giveTo(uid, home);
    chmodSync(home, 0o700);
    dataFolder = ordinary(uid) ? join(home, '.local/share/integration-services') : DEFAULT_DATA_FOLDER;
    // A server that somebody runs here is left alone.
    if (!ordinary(uid) && existsSync(dataFolder)) {
      dataFolder = mkdtempSync(join(tmpdir(), 'integration-services-data-'));
      surroundings = { ...surroundings, env: { ...surroundings.env, DATA_DIR: dataFolder } };
    }
  });
  afterAll(() => {
    rmSync(home, { recursive: true, force: true });
    rmSync(dataFolder, { recursive: true, force: true });
  });

  test('npm install says nothing to worry about', async () => {
    const output = await run('npm', ['install'], surroundings);
    expect(output).not.toMatch(/warn|deprecated|error|vulnerab/i);
    // What was not there before, it has not changed either.
    const changed = await run('git', ['-c', 'safe.directory=*', 'status', '--short'], surroundings);
    expect(changed).toBe('');
  });

  test('npm start serves, tells how to go on, keeps its data over a restart and leaves no process', async () => {
    for (const time of ['first', 'second']) {
      const port = await freePort();
      const server = start('npm', ['start'], { ...surroundings, env: { ...surroundings.env, PORT: String(port) } });
      await server.says('Ready in');
      const health = await fetch(`http://localhost:${port}/health`);
      expect(health.status).toBe(200);
      const key = /Bearer (isk_[\w-]+)/.exec(server.output())?.[1];
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      const integrations = `http://localhost:${port}/api/v1/integrations`;
      if (time === 'first') {
        const body = JSON.stringify({ name: 'Kept', platform: 'github', credentials: { token: GITHUB_TOKEN } });
        const made = await fetch(integrations, { method: 'POST', headers, body });
        expect(made.status).toBe(201);
      }
      expect(await (await fetch(integrations, { headers })).text()).toContain('"Kept"');
      server.child.kill('SIGTERM');
      await server.ended;
      expect(processesOf(dataFolder)).toEqual([]);
    }
  });

  test('npm test runs on a database of its own', async () => {
    const output = await run('npm', ['test', '--', '--testPathPattern=store/migrations'], surroundings);
    expect(stripVTControlCharacters(output)).toMatch(/Tests\s+\d+ passed/);
  });
});

const GITHUB_TOKEN = `github_pat_${'a'.repeat(22)}_${'b'.repeat(59)}`;

function ordinary(uid: number | undefined): boolean {
  return uid !== undefined || !asRoot;
}

function giveTo(uid: number, path: string): void {
  chownSync(path, uid, uid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) giveTo(uid, join(path, entry.name));
    else if (!entry.isSymbolicLink()) chownSync(join(path, entry.name), uid, uid);
  }
}
