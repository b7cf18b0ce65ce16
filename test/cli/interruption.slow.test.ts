import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { runCommand, startCommand } from './support/commandLine.ts';

const database = useTestDatabase();
const folder = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
const variables = () => ({ DATABASE_URL: database.url, DATA_DIR: folder, ALLOWED_PRIVATE_HOSTS: '127.0.0.1' });
let provider: Provider;
let id: string;

beforeAll(async () => {
  provider = await startProvider(0);
  const connectorFile = join(folder, 'connector.json');
  writeFileSync(connectorFile, JSON.stringify(describeProvider(provider)));
  const credentialsFile = join(folder, 'credentials.yaml');
  writeFileSync(credentialsFile, `apiKey: ${provider.key}\n`);
  // A list without an end, served slowly.
  let next = 1;
  provider.answer = (_, response) => {
    const items = Array.from({ length: 10 }, () => ({ id: next++, name: 'x', updated_at: '2026-01-01T00:00:00Z' }));
    setTimeout(() => response.setHeader('content-type', 'application/json').end(JSON.stringify({ items })), 20);
  };
  const files = ['--credentials-file', credentialsFile, '--connector-file', connectorFile];
  const made = await runCommand(
    ['integrations', 'create', '--platform', 'http', '--name', 'Endless', ...files],
    variables(),
  );
  id = made.stdout.trim();
});
afterAll(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

async function recordCount(): Promise<number> {
  const { rows } = await database.current.pool.query('select count(*)::int as count from records');
  return rows[0].count;
}

test('Ctrl-C in a sync stops the run, keeps what was written and ends with 130, also when npm hands it on twice', async () => {
  const command = startCommand(['integrations', 'sync', id, '--json'], variables());
  await eventually('records', async () => (await recordCount()) > 20);
  command.child.kill('SIGINT');
  await delay(5);
  command.child.kill('SIGINT');
  const { code, stdout } = await command.ended;
  expect(code).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject([{ integrationId: id, status: 'stopped', success: false }]);
  expect(await recordCount()).toBe(JSON.parse(stdout)[0].recordsRead);
});

test('Ctrl-C in a test of a provider that hangs ends at once with 130', async () => {
  provider.answer = () => {};
  const command = startCommand(['integrations', 'test', id], variables());
  const before = provider.seen.length;
  await eventually('the request', () => provider.seen.length > before);
  command.child.kill('SIGINT');
  expect(await command.ended).toMatchObject({ code: 130, stdout: '', stderr: 'Interrupted.\n' });
});

test('SIGTERM ends a reader that follows, with 143', async () => {
  const command = startCommand(['records', id, '--follow'], variables());
  await command.says('"stream":"items"');
  command.child.kill('SIGTERM');
  expect((await command.ended).code).toBe(143);
  expect((await runCommand(['records', id, '--limit', '1'], variables())).code).toBe(0);
});
