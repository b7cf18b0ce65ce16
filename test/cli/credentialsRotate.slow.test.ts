import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { runCommand } from './support/commandLine.ts';

const database = useTestDatabase();
const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const OLD = 'the old encryption secret 0123456789abcdef';
const NEW = 'the new encryption secret 0123456789abcdef';
const run = (args: string[], secret: string, input?: string) =>
  runCommand(args, { DATABASE_URL: database.url, DATA_DIR: dataDir, ENCRYPTION_SECRET: secret }, input);

const keyIds = async (): Promise<string[]> => {
  const { rows } = await database.current.pool.query('select id from installation_keys order by id');
  return rows.map((row) => row.id);
};

test('credentials rotate seals everything under a new key, then under a new secret that comes by stdin', async () => {
  const token = `github_pat_${'c'.repeat(22)}_${'d'.repeat(59)}`;
  const args = ['integrations', 'create', '--platform', 'github', '--name', 'Kept', '--credentials-file', '-'];
  expect((await run(args, OLD, JSON.stringify({ token }))).code).toBe(0);
  const before = await keyIds();

  const rotated = await run(['credentials', 'rotate', '--json'], OLD);
  expect(rotated.code).toBe(0);
  const result = JSON.parse(rotated.stdout);
  expect(result).toMatchObject({ rewrapped: 1, unreadable: 0, resumed: false, removedKeyIds: before });
  expect(await keyIds()).toEqual([result.keyId]);

  const changed = await run(['credentials', 'rotate', '--new-secret-file', '-'], OLD, `${NEW}\n`);
  expect(changed).toMatchObject({ code: 0, stdout: 'Sealed 1 keys under the new secret.\n' });
  expect(changed.stdout + changed.stderr).not.toContain(NEW);

  // Both are in the audit log, in the name of whoever sat at the machine.
  const { stdout } = await run(['audit', 'list', '--json'], NEW);
  const events = (JSON.parse(stdout) as { action: string; actor: { id: string } }[]).filter(({ action }) =>
    /^(installationKey|encryptionSecret)\./.test(action),
  );
  expect(events.map(({ action, actor }) => [action, actor.id]).reverse()).toEqual([
    ['installationKey.created', 'command line'],
    ['installationKey.removed', 'command line'],
    ['encryptionSecret.changed', 'command line'],
  ]);

  expect(await run(['integrations', 'list'], OLD)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ENCRYPTION_SECRET'),
  });
  expect((await run(['integrations', 'list'], NEW)).stdout).toContain('Kept');
});

test('a new secret that is too short is refused, and nothing is changed', async () => {
  const outcome = await run(['credentials', 'rotate', '--new-secret-file', '-'], NEW, 'short');
  expect(outcome.code).toBe(2);
  expect((await run(['integrations', 'list'], NEW)).code).toBe(0);
});
