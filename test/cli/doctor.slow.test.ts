import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { useTestDatabase } from '../support/database.ts';
import { runCommand } from './support/commandLine.ts';

const database = useTestDatabase();
const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function examine(variables: Record<string, string>): Promise<{ code: number | null; findings: Finding[] }> {
  const outcome = await runCommand(['doctor', '--json'], { DATA_DIR: dataDir, PORT: '0', ...variables });
  return { code: outcome.code, findings: (JSON.parse(outcome.stdout) as { findings: Finding[] }).findings };
}

const of = (findings: readonly Finding[], check: string): Finding | undefined =>
  findings.find((finding) => finding.check === check);

test('a machine on which all is well passes', async () => {
  await runCommand(['integrations', 'list'], { DATA_DIR: dataDir, DATABASE_URL: database.url });
  const { code, findings } = await examine({ DATABASE_URL: database.url });
  expect(code).toBe(0);
  expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
  expect(of(findings, 'database')!.observed).toMatch(/^PostgreSQL \d+/);
  expect(of(findings, 'migrations')!.observed).toMatch(/^all \d+ applied/);
  expect(of(findings, 'encryption secret')!.state).toBe('pass');
});

test('a new folder passes, and is left as it is', async () => {
  const folder = join(dataDir, 'not', 'there', 'yet');
  const { code, findings } = await examine({ DATA_DIR: folder });
  expect(code).toBe(0);
  expect(of(findings, 'database')!.observed).toContain('made at the first start');
  expect(rmSync.bind(null, folder)).toThrow('ENOENT');
});

test('every wrong variable is a finding, and nothing else is tried', async () => {
  const { code, findings } = await examine({ PORT: 'x', LOG_LEVEL: 'y' });
  expect(code).toBe(1);
  expect(findings.filter(({ state }) => state === 'fail').map(({ observed }) => observed)).toEqual([
    'PORT is "x"',
    'LOG_LEVEL is "y"',
  ]);
  expect(of(findings, 'database')).toBeUndefined();
});

test('each thing that stands in the way is found, with what to do', async () => {
  const other = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { code, findings } = await examine({
    DATABASE_URL: database.url,
    ENCRYPTION_SECRET: 'not the secret of this database 0123456789',
    PORT: String(port),
    REDIS_URL: 'redis://127.0.0.1:1',
  });
  other.close();
  expect(code).toBe(1);
  expect(of(findings, 'encryption secret')).toMatchObject({
    state: 'fail',
    advice: expect.stringContaining('ENCRYPTION_SECRET'),
  });
  expect(of(findings, 'port')).toMatchObject({ state: 'fail', advice: expect.stringContaining('PORT') });
  expect(of(findings, 'redis')).toMatchObject({ state: 'warn', observed: expect.stringContaining('127.0.0.1:1') });
});

test('a database that does not answer is said with the reason', async () => {
  const { code, findings } = await examine({ DATABASE_URL: 'postgresql://u:hidden-word@127.0.0.1:1/none' });
  expect(code).toBe(1);
  expect(of(findings, 'database')).toMatchObject({ state: 'fail', observed: expect.stringContaining('ECONNREFUSED') });
  expect(JSON.stringify(findings)).not.toContain('hidden-word');
});

test('a person gets a line a check, with the advice below', async () => {
  const { stdout } = await runCommand(['doctor'], { DATA_DIR: dataDir, PORT: 'x' });
  expect(stdout).toMatch(/^✓ node: v\d+/m);
  expect(stdout).toMatch(/^✗ configuration: PORT is "x"\n {4}Set it to a port/m);
});
