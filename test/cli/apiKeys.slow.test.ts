import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseKey } from '../../src/access/apiKeys/keyFormat.ts';
import { addUser } from '../access/support/people.ts';
import { useTestDatabase } from '../support/database.ts';
import { runCommand } from './support/commandLine.ts';

const database = useTestDatabase();
const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const run = (...args: string[]) => runCommand(args, { DATABASE_URL: database.url, DATA_DIR: dataDir });

test('an API key is made, listed without itself, rotated, frozen, unfrozen and revoked', async () => {
  const owner = await addUser(database.current, 'owner');
  const made = await run(
    'api-keys',
    'create',
    `${owner}@EXAMPLE.com`,
    '--name',
    'Nightly',
    '--permission',
    'records:read',
    '--expires',
    '7',
  );
  expect(made.code, made.stderr).toBe(0);
  const { id } = parseKey(made.stdout.trim())!;
  expect(made.stderr).toContain(id);

  const rotated = await run('api-keys', 'rotate', id, '--overlap', '2', '--json');
  const { id: next, key } = JSON.parse(rotated.stdout);
  expect(parseKey(key)?.id).toBe(next);

  expect((await run('access', 'freeze', next, '--reason', 'seen in a log')).code).toBe(0);
  const listed = await run('api-keys', 'list', '--user', owner, '--json');
  expect(listed.stdout).not.toContain(key.split('_')[2]);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { id, name: 'Nightly', scopes: { permissions: ['records:read'] }, status: 'active' },
    { id: next, rotatedFrom: id, status: 'frozen', frozenReason: 'seen in a log' },
  ]);
  expect((await run('access', 'unfreeze', next)).stdout).toContain('is active');
  expect((await run('api-keys', 'revoke', next)).code).toBe(0);
  expect((await run('api-keys', 'list')).stdout).toMatch(new RegExp(`${next}.*revoked`));
});

test('mistakes are told, and the last owner is not frozen from here either', async () => {
  const outcomes = [
    await run('access', 'freeze', 'nobody@example.com', '--reason', 'x'),
    await run('api-keys', 'revoke', 'ak_none'),
    await run('api-keys', 'create', 'nobody@example.com', '--name', 'x', '--expires', 'soon'),
    await run(
      'access',
      'freeze',
      `${(await database.current.db.selectFrom('users').select('id').executeTakeFirstOrThrow()).id}`,
      '--reason',
      'x',
    ),
  ];
  expect(outcomes.map(({ stderr }) => stderr)).toEqual([
    expect.stringContaining('There is no user'),
    expect.stringContaining('There is no API key'),
    expect.stringContaining('There is no user'),
    expect.stringContaining('last active owner'),
  ]);
  expect(outcomes.every(({ code }) => code !== 0)).toBe(true);
});
