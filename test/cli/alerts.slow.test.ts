import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { useNotifications, writeChange } from '../monitoring/notifications/support/notifications.ts';
import { useReceivers } from '../monitoring/notifications/support/receiver.ts';
import { useTestDatabase } from '../support/database.ts';
import { runCommand } from './support/commandLine.ts';

const database = useTestDatabase();
const openNotifications = useNotifications(database);
const startReceiver = useReceivers();
const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const run = (...args: string[]) =>
  runCommand(['alerts', ...args], {
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    ENCRYPTION_SECRET: 'a-secret-for-tests-only-0123456789abcdef',
    ALLOWED_PRIVATE_HOSTS: '127.0.0.1',
  });

test('alerts are listed, acknowledged and silenced, and a channel is tested', async () => {
  const { service } = await openNotifications();
  const receiver = await startReceiver();
  await writeChange(database.current, { alert: 'a', to: 'firing', labels: { team: 'shop' }, atMs: Date.now() });
  await service.runOnce();

  const listed = await run('list');
  expect(listed.stdout).toContain('rule_a/0000000000000001');
  expect(listed.stderr).toContain('no notification channel');

  expect((await run('ack', 'rule_a/0000000000000001', '--comment', 'on it', '--for', '2h')).code).toBe(0);
  expect((await run('silence', 'team=shop', 'alertname=~a|b', '--for', '30m', '--comment', 'known')).code).toBe(0);
  expect((await run('silence', 'team', '--for', '30m', '--comment', 'known')).code).toBe(2);
  expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject([
    { acknowledgement: { comment: 'on it', author: 'command line' }, silencedBy: [expect.stringMatching(/^sil_/)] },
  ]);

  const history = JSON.parse((await run('history', '--since', '1h', '--state', 'firing', '--json')).stdout);
  expect(history).toMatchObject([{ ruleId: 'rule_a', from: 'normal', to: 'firing', labels: { team: 'shop' } }]);
  expect((await run('history')).stdout).toContain('rule_a/0000000000000001');
  expect((await run('history', '--kind', 'security')).stderr).toContain('No alert changed within 24h.');
  expect((await run('history', '--state', 'broken')).code).toBe(2);

  await service.channels.add({ kind: 'webhook', name: 'hook', settings: { url: receiver.url } });
  expect(await run('channels', 'test', 'hook')).toMatchObject({ code: 0, stdout: expect.stringContaining('Arrived') });
  receiver.answers.push({ status: 500 });
  expect(await run('channels', 'test', 'hook')).toMatchObject({ code: 1 });
  expect(receiver.received).toHaveLength(2);
});
