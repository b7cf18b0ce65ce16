import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { runCommand, startCommand } from './support/commandLine.ts';

const database = useTestDatabase();
const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const PASSWORD = 'tortoise umbrella granite 47';
const variables = { DATABASE_URL: database.url, DATA_DIR: dataDir, PORT: '0', PUBLIC_URL: 'https://x.example' };
const run = (args: string[], input?: string) => runCommand(['users', ...args], variables, input);

test('the start prints a link that makes the first user, as long as there is none', async () => {
  const server = startCommand(['start'], { ...variables, PUBLIC_URL: '' });
  await server.says('Ready in');
  const [, origin, token] = /Set up +(http:\/\/localhost:\d+)\/setup#([\w-]{43})/.exec(server.stderr())!;
  expect(server.stdout()).not.toContain(token);
  expect((await fetch(`${origin}/setup`)).status).toBe(200);
  const answer = await fetch(`${origin}/api/v1/auth/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, email: 'owner@example.com', name: 'Owner', password: PASSWORD }),
  });
  expect(answer.status).toBe(201);
  server.child.kill('SIGTERM');
  await server.ended;
  const again = startCommand(['start'], { ...variables, PUBLIC_URL: '' });
  await again.says('Ready in');
  expect(again.stderr()).not.toContain('/setup#');
  again.child.kill('SIGTERM');
  await again.ended;
});

test('users are made with a link or with a password from a file, and listed', async () => {
  const made = await run(['create', 'anna@example.com', '--name', 'Anna', '--role', 'operator']);
  expect(made).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^https:\/\/x\.example\/reset-password#[\w-]{43}\n$/),
  });
  expect(made.stderr).toContain('Created Anna (anna@example.com) as operator.');
  const file = join(dataDir, 'password');
  writeFileSync(file, `${PASSWORD}\n`);
  const second = await run(['create', 'ben@example.com', '--password-file', file, '--json']);
  expect(JSON.parse(second.stdout)).toMatchObject({
    email: 'ben@example.com',
    name: 'ben',
    role: 'viewer',
    link: null,
  });
  expect(second.stdout + second.stderr).not.toContain(PASSWORD);
  const weak = await run(['create', 'cy@example.com', '--password-file', '-'], 'password12');
  expect(weak).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('too easy to guess') });
  expect((await run(['create', 'anna@example.com'])).stderr).toContain('exists');
  const { stdout } = await run(['list']);
  expect(stdout).toMatch(/anna@example\.com +Anna +operator +active/);
});

test('passwords and second factors are reset, users deactivated; what cannot be undone is asked for', async () => {
  const reset = await run(['reset-password', 'ANNA@example.com', '--json']);
  expect(JSON.parse(reset.stdout).link).toMatch(/#[\w-]{43}$/);
  expect(await run(['reset-password', 'nobody@example.com'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no user "nobody@example.com"'),
  });
  expect(await run(['reset-second-factor', 'anna@example.com', '--yes'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no second factor'),
  });
  expect(await run(['deactivate', 'anna@example.com'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--yes'),
  });
  expect(await run(['deactivate', 'anna@example.com', '--yes'])).toMatchObject({ code: 0 });
  expect(JSON.parse((await run(['list', '--json'])).stdout)).toContainEqual(
    expect.objectContaining({ email: 'anna@example.com', status: 'deactivated' }),
  );
  expect(await run(['deactivate', 'owner@example.com', '--yes'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('last active owner'),
  });
});

test('no flag takes a secret', async () => {
  const { stdout } = await run(['create', '--help']);
  const flags = [...stdout.matchAll(/--([\w-]+)/g)].map(([, flag]) => flag);
  expect(flags.filter((flag) => /password|secret|token/.test(flag!))).toEqual(['password-file']);
});
