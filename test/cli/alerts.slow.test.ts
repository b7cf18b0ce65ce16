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
  await database.current.pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     values ('int_a', 'o', 'Flaky shop', 't', 'github', 'connected', '{}')`,
  );
  const labels = { team: 'shop', integrationId: 'int_a' };
  await writeChange(database.current, { alert: 'a', to: 'firing', labels, value: 89.30075100000249, atMs: Date.now() });
  await service.runOnce();

  const listed = await run('list');
  expect(listed.stdout).toMatch(/^[A-Z]+ .* of Flaky shop$/m);
  expect(listed.stdout).toMatch(/^ {2}89\.3\b/m);
  expect(listed.stdout).toMatch(/^ {2}since \d{4}-\d\d-\d\d \d\d:\d\d UTC \(\d+ (s|min)\)$/m);
  expect(listed.stdout).toContain('rule_a/0000000000000001');
  expect(listed.stderr).toContain('no notification channel');

  expect((await run('ack', 'rule_a/0000000000000001', '--comment', 'on it', '--for', '2h')).code).toBe(0);
  const known = await run('silence', 'team=shop', 'alertname=~a|b', '--for', '30m', '--comment', 'known');
  expect(known).toMatchObject({ code: 0, stderr: expect.stringContaining('Active alerts that match now: 1.') });
  const typo = await run('silence', 'team=shpo', '--for', '30m', '--comment', 'known');
  expect(typo).toMatchObject({ code: 0, stderr: expect.stringContaining('No active alert matches now.') });
  expect((await run('silence', 'team', '--for', '30m', '--comment', 'known')).code).toBe(2);
  expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject([
    { acknowledgement: { comment: 'on it', author: 'command line' }, silencedBy: [expect.stringMatching(/^sil_/)] },
  ]);

  const history = JSON.parse((await run('history', '--since', '1h', '--state', 'firing', '--json')).stdout);
  expect(history).toMatchObject([{ ruleId: 'rule_a', from: 'normal', to: 'firing', labels: { team: 'shop' } }]);
  const shown = (await run('history')).stdout;
  expect(shown).toContain('rule_a/0000000000000001');
  expect(shown).toMatch(/ of Flaky shop: normal → firing at 89\.3$/m);
  expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThan(120);
  expect((await run('history', '--kind', 'security')).stderr).toContain('No alert changed within 24h.');
  expect((await run('history', '--state', 'broken')).code).toBe(2);

  await service.channels.add({ kind: 'webhook', name: 'hook', settings: { url: receiver.url } });
  expect(await run('channels', 'test', 'hook')).toMatchObject({ code: 0, stdout: expect.stringContaining('Arrived') });
  receiver.answers.push({ status: 500 });
  expect(await run('channels', 'test', 'hook')).toMatchObject({ code: 1 });
  expect(receiver.received).toHaveLength(2);
});
