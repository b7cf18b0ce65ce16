import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { type Command, runCommand, startCommand } from './support/commandLine.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const addressOf = (server: Command): string => /http:\/\/localhost:\d+/.exec(server.stderr())![0];

describe('start in development, with nothing set but the folder', () => {
  const variables = { DATA_DIR: dataDir, PORT: '0' };

  test('says where it is, where the data is and how to call it; the call works, commands work beside it', async () => {
    const server = startCommand(['start'], variables);
    await server.says('Ready in');
    expect(server.stderr()).toContain(dataDir);
    const curl = /curl -H "Authorization: (Bearer \S+)" (\S+)/.exec(server.stderr())!;
    const answer = await fetch(curl[2]!, { headers: { authorization: curl[1]! } });
    expect(answer.status).toBe(200);
    expect((await fetch(`${addressOf(server)}/health`)).status).toBe(200);
    expect((await fetch(curl[2]!)).status).toBe(401);

    const credentials = JSON.stringify({ token: `github_pat_${'a'.repeat(22)}_${'b'.repeat(59)}` });
    const args = ['integrations', 'create', '--platform', 'github', '--name', 'Beside', '--credentials-file', '-'];
    expect(await runCommand(args, variables, credentials)).toMatchObject({ code: 0 });
    expect(await (await fetch(curl[2]!, { headers: { authorization: curl[1]! } })).text()).toContain('"Beside"');

    const second = await runCommand(['start'], variables);
    expect(second).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: Another server \(pid \d+\) uses/) });

    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
  });

  test('keeps its key and its data; a second Ctrl-C of the same press changes nothing', async () => {
    const server = startCommand(['start'], variables);
    await server.says('Ready in');
    const key = /Bearer (\S+)"/.exec(server.stderr())![1];
    const answer = await fetch(`${addressOf(server)}/api/v1/integrations`, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(await answer.text()).toContain('"Beside"');
    server.child.kill('SIGINT');
    server.child.kill('SIGINT');
    expect((await server.ended).code).toBe(0);
    expect(readdirSync(join(dataDir, 'postgres', 'data'))).not.toContain('postmaster.pid');
  });

  test('ends cleanly when told so while it is still starting', async () => {
    const server = startCommand(['start'], variables);
    await eventually('the database', () => existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid')));
    server.child.kill('SIGTERM');
    expect(await server.ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error') });
  });
});

describe('start with a mistake ends with 1, says all of it and shows no stack trace', () => {
  const database = useTestDatabase();
  const fails = async (variables: Record<string, string>): Promise<string> => {
    const outcome = await runCommand(['start'], { DATA_DIR: dataDir, PORT: '0', ...variables });
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
    return outcome.stderr;
  };

  test('wrong variables: each one', async () => {
    const words = await fails({ PORT: 'eighty', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://secret@host' });
    expect(words).toContain('3 problems');
    expect(words).toContain('PORT: got "eighty"; takes a port');
    expect(words).toContain('LOG_LEVEL: got "loud"; takes debug, verbose');
    expect(words).toContain('DATABASE_URL');
    expect(words).not.toContain('mysql://secret');
  });

  test('production without secrets: each one', async () => {
    const words = await fails({ NODE_ENV: 'production' });
    for (const name of ['ENCRYPTION_SECRET', 'JWT_SECRET', 'API_KEY']) expect(words).toContain(name);
  });

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const words = await fails({ PORT: String(port), DATABASE_URL: database.url });
    expect(words).toContain(`Port ${port} of 127.0.0.1 is taken`);
    other.close();
  });

  test('a database that does not answer', async () => {
    expect(await fails({ DATABASE_URL: 'postgresql://x@127.0.0.1:1/none' })).toContain('cannot be reached');
  });

  test('a secret that is not the one the data was encrypted with', async () => {
    const variables = { DATABASE_URL: database.url, ENCRYPTION_SECRET: 'the first secret 0123456789abcdef0123' };
    await runCommand(['integrations', 'list'], { DATA_DIR: dataDir, ...variables });
    const words = await fails({ ...variables, ENCRYPTION_SECRET: 'another secret 0123456789abcdef012345' });
    expect(words).toContain('ENCRYPTION_SECRET');
  });
});

describe('start in production', () => {
  const database = useTestDatabase();

  test('logs JSON lines to stdout, says nothing else and shows no secret', async () => {
    const secrets = {
      ENCRYPTION_SECRET: 'production-secret-0123456789abcdef01234567',
      JWT_SECRET: 'production-jwt-secret-0123456789abcdef0123',
      API_KEY: 'production-key-0123456789abcdef0123456789abcdef',
    };
    const server = startCommand(['start'], {
      NODE_ENV: 'production',
      PORT: '0',
      DATA_DIR: dataDir,
      DATABASE_URL: database.url,
      LOG_LEVEL: 'debug',
      ...secrets,
    });
    await server.says('"server.ready"');
    server.child.kill('SIGTERM');
    const { code, stdout, stderr } = await server.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'info', msg: 'The server is ready', url: expect.stringMatching(/^http:/) }),
    );
    for (const secret of Object.values(secrets)) expect(stdout).not.toContain(secret);
    // Whoever reads the log must not become the owner.
    expect(stdout).toContain('users create <e-mail> --role owner');
    expect(stdout).not.toContain('/setup#');
  });
});
