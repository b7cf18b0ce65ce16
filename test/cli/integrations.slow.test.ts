import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { runCommand, startCommand } from './support/commandLine.ts';

const database = useTestDatabase();
const folder = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
const connectorFile = join(folder, 'connector.json');
let provider: Provider;

const run = (args: string[], input?: string) =>
  runCommand(
    args,
    { DATABASE_URL: database.url, DATA_DIR: folder, ALLOWED_PRIVATE_HOSTS: '127.0.0.1', DEFAULT_RATE_LIMIT: '100000' },
    input,
  );
const create = (name: string, credentials: object) =>
  run(
    [
      'integrations',
      'create',
      '--platform',
      'http',
      '--name',
      name,
      '--credentials-file',
      '-',
      '--connector-file',
      connectorFile,
    ],
    JSON.stringify(credentials),
  );

beforeAll(async () => {
  provider = await startProvider(25);
  writeFileSync(connectorFile, JSON.stringify({ ...describeProvider(provider), platform: 'shop', category: 'other' }));
});
afterAll(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

test('an integration is created, proven, synced, read and deleted, and its secret is shown nowhere', async () => {
  const seen: string[] = [];
  const keep = async (args: string[], input?: string) => {
    const outcome = await run(args, input);
    seen.push(outcome.stdout, outcome.stderr);
    return outcome;
  };

  const created = await create('Our shop', { apiKey: provider.key });
  seen.push(created.stdout, created.stderr);
  expect(created.code).toBe(0);
  const id = created.stdout.trim();
  expect(id).toMatch(/^int_\w+$/);

  const listed = await keep(['integrations', 'list', '--json']);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { id, name: 'Our shop', status: 'pending', credentialFields: ['apiKey'] },
  ]);

  // Also by its name.
  const tested = await keep(['integrations', 'test', 'Our shop']);
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringContaining('connected as octo') });

  const synced = await keep(['integrations', 'sync', id]);
  expect(synced.code).toBe(0);
  expect(synced.stdout).toMatch(
    /Our shop succeeded: 25 records read \(25 added, 0 updated, 0 deleted, 0 unchanged; 3 pages/,
  );
  // A line that is painted over belongs to terminals.
  expect(synced.stderr).not.toContain('\r');

  const read = await keep(['records', id, '--stream', 'items']);
  const lines = read.stdout.trim().split('\n');
  expect(lines).toHaveLength(25);
  expect(JSON.parse(lines[0]!)).toMatchObject({ stream: 'items', key: '1', change: 'added', data: { name: 'item 1' } });
  const cursor = /--cursor (\S+)/.exec(read.stderr)![1]!;

  provider.items[3]!.name = 'renamed';
  await keep(['integrations', 'sync', id]);
  const changed = await keep(['records', id, '--cursor', cursor, '--json']);
  expect(JSON.parse(changed.stdout)).toMatchObject({
    records: [{ key: '4', change: 'updated', data: { name: 'renamed' } }],
    hasMore: false,
  });

  const csv = await keep(['records', id, '--stream', 'items', '--format', 'csv']);
  expect(csv.stdout).toMatch(/^_key,_changed_at,_deleted_at,id,name,updated_at\r?\n/);
  const table = await keep(['records', id, '--format', 'table', '--limit', '2']);
  expect(table.stdout.trim().split('\n')).toHaveLength(3);

  // Nobody can be asked here.
  const refused = await keep(['integrations', 'delete', id]);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  expect((await keep(['integrations', 'delete', id, '--yes'])).code).toBe(0);
  expect((await keep(['integrations', 'list', '--json'])).stdout.trim()).toBe('[]');

  expect(seen.join('\n')).not.toContain(provider.key);
});

test('deletions that a sync held back are made once a person says that they are meant', async () => {
  const id = (await create('Shrinking', { apiKey: provider.key })).stdout.trim();
  await run(['integrations', 'sync', id]);
  const all = provider.items;
  provider.items = all.slice(0, 5);
  const held = await run(['integrations', 'sync', id, '--full-refresh']);
  provider.items = all;
  expect(held.stdout).toContain('0 deleted');
  expect(held.stderr).toContain(`integrations confirm-deletions ${id} items`);

  const args = ['integrations', 'confirm-deletions', id, 'items'];
  expect(await run(args)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Delete 20 of 25 records of items'),
  });
  expect(await run([...args, '--yes'])).toMatchObject({ code: 0, stdout: '20 records of items are deleted.\n' });
  expect((await run([...args, '--yes'])).code).toBe(1);
});

describe('what is wrong is said, with the fitting exit code', () => {
  test('wrong credentials: 1, and the result as data', async () => {
    const { stdout } = await create('Wrong key', { apiKey: 'not-the-key-0123' });
    const outcome = await run(['integrations', 'test', stdout.trim(), '--json']);
    expect(outcome.code).toBe(1);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ success: false, status: 'wrong_credentials' });

    const synced = await run(['integrations', 'sync', stdout.trim()]);
    expect(synced).toMatchObject({ code: 1, stdout: expect.stringContaining('✗ Wrong key failed') });
    expect(synced.stderr).toContain('items: ');
  });

  test('input that is wrong: 2, with every problem, and nothing stored', async () => {
    const outcome = await create('Bad', { apikey: 'x', other: 1 });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain('credentials.other');
    expect((await run(['integrations', 'list'])).stdout).not.toContain('Bad');
  });

  test('a credentials file that is none: 2, without quoting it', async () => {
    const args = ['integrations', 'create', '--platform', 'github', '--name', 'x', '--credentials-file', '-'];
    const outcome = await run(args, '{"token": "top-secret-value');
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('stdin') });
    expect(outcome.stderr).not.toContain('top-secret-value');
  });

  test('an unknown integration: 2, with the near one', async () => {
    await create('Inventory', { apiKey: provider.key });
    const outcome = await run(['integrations', 'sync', 'Inventry']);
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean "Inventory"?') });
    const gone = await run(['records', 'int_01m82ryaqge008wvkgm9vve45z']);
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no integration') });
  });

  test('a name that several have: 2, with their ids', async () => {
    const ids = [await create('Twin', { apiKey: provider.key }), await create('Twin', { apiKey: provider.key })];
    const outcome = await run(['integrations', 'test', 'Twin']);
    expect(outcome.code).toBe(2);
    for (const { stdout } of ids) expect(outcome.stderr).toContain(stdout.trim());
  });

  test('a database that is not there: 1, without a stack trace', async () => {
    const outcome = await runCommand(['integrations', 'list'], {
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
      DATA_DIR: folder,
    });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^error: The database cannot be reached/m);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  });
});

test('a reader that leaves early, as head does, is no error', async () => {
  const command = startCommand(['connectors', 'show', 'github', '--json'], {
    DATABASE_URL: database.url,
    DATA_DIR: folder,
  });
  command.child.stdout.destroy();
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
});
