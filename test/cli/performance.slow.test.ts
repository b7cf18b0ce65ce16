import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { runCommand } from './support/commandLine.ts';

const database = useTestDatabase();
const folder = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
let provider: Provider;
let id: string;
let calls: number;

/** As the app in the test has it, which made the calls. */
const variables = {
  DATABASE_URL: database.url,
  DATA_DIR: folder,
  ENCRYPTION_SECRET: 'a-secret-for-tests-only-0123456789abcdef',
};
const run = (...args: string[]) => runCommand(['performance', ...args], variables);

beforeAll(async () => {
  provider = await startProvider(25);
  const app = await openTestApp(database.url, { workers: false });
  ({ id } = await app.catalog.create({
    name: 'Our shop',
    platform: 'http',
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
  }));
  for (let round = 0; round < 10; round++) await app.sync.run(id);
  await app.close();
  calls = provider.seen.length;
});

afterAll(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the performance of an integration, for people and for programs', async () => {
  const words = await run('Our shop');
  expect(words.code).toBe(0);
  expect(words.stdout).toMatch(/^Our shop: 100 of 100$/m);
  expect(words.stdout).toMatch(new RegExp(`^calls +${calls}$`, 'm'));
  expect(words.stdout).toMatch(/^95 % within +[\d.]+ ms$/m);
  expect(words.stdout).toMatch(new RegExp(`^total +${calls} +[\\d.]+ ms`, 'm'));
  const json = await run(id, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ integrationId: id, metrics: { totalRequests: calls } });
});

test('the performance of all of them', async () => {
  const words = await run();
  expect(words.stdout).toContain(`${calls} calls of 1 integration in 24 hours, 100 % succeeded`);
  expect(words.stdout).toMatch(/^SLOWEST .*\nOur shop /m);
  const json = await run('--json');
  expect(JSON.parse(json.stdout).summary).toMatchObject({ integrations: 1, totalRequests: calls });
});

test('an integration that is unknown', async () => {
  expect((await run('Our ship')).stderr).toContain('Did you mean "Our shop"?');
});

test('settings are shown and set by name', async () => {
  expect((await run('tuning', 'Our shop')).stdout).toMatch(/^ {2}cacheValidators: the connector's$/m);
  const set = await run('tuning', id, 'cacheValidators=true', 'headersMs=5000', '--json');
  expect(JSON.parse(set.stdout)).toMatchObject({ cacheValidators: true, headersMs: 5_000, pageSizePercent: null });
  // The others stay.
  const more = await run('tuning', id, 'headersMs=null', '--json');
  expect(JSON.parse(more.stdout)).toMatchObject({ cacheValidators: true, headersMs: null });
  const unknown = await run('tuning', id, 'cacheValidator=true');
  expect(unknown.code).not.toBe(0);
  expect(unknown.stderr).toContain('cacheValidators');
  const wrong = await run('tuning', id, 'cacheValidators=1');
  expect(wrong.code).not.toBe(0);
});
