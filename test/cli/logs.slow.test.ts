import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { logLine } from '../../src/cli/logLine.ts';
import { writeLogs } from '../logging/support.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { runCommand, startCommand } from './support/commandLine.ts';

const database = useTestDatabase();
let app: App;
let variables: Record<string, string>;

beforeAll(async () => {
  app = await openTestApp(database.url, { workers: false });
  variables = {
    DATABASE_URL: database.url,
    DATA_DIR: app.config.dataDir,
    ENCRYPTION_SECRET: app.secrets.encryptionSecret,
    JWT_SECRET: app.secrets.jwtSecret,
    API_KEY: app.secrets.apiKey,
  };
});
afterAll(() => app?.close());

const logs = (...args: string[]) => runCommand(['logs', ...args], variables);
const messages = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).message);

describe('logs', () => {
  beforeAll(() =>
    writeLogs(database.current, [
      { integrationId: 'system', level: 'info', message: 'started' },
      { integrationId: 'system', level: 'error', message: 'timeout of one' },
      { integrationId: 'int_x', level: 'error', message: 'timeout of another', operationId: 'op_1' },
      { integrationId: 'system', level: 'critical', message: 'timeout of all', attributes: { status: 500 } },
    ]),
  );

  it('prints what a search finds as a JSON line each, the oldest first', async () => {
    const { code, stdout } = await logs('--level', 'error', '--query', 'timeout', '--integration', 'system');
    expect(code).toBe(0);
    expect(messages(stdout)).toEqual(['timeout of one', 'timeout of all']);
    const newest = await logs(
      '--json',
      '--query',
      'attributes.status:>=500 OR operation:op_1',
      '--since',
      '1h',
      '--limit',
      '1',
    );
    expect(messages(newest.stdout)).toEqual(['timeout of all']);
  });

  it('says what is wrong with a search or a time, and ends with 2', async () => {
    const search = await logs('--query', 'levle:error');
    expect(search).toMatchObject({ code: 2, stdout: '' });
    expect(search.stderr).toMatch(/no field "levle".*Did you mean "level"/);
    expect(await logs('--since', 'yesterday')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--since takes'),
    });
    expect(await logs('--level', 'loud')).toMatchObject({ code: 2 });
  });

  it('follows, over a database that goes away, until Ctrl-C', async () => {
    // Not "followed": the program says with that word, in a record of its own, that it could not follow for a while.
    const command = startCommand(
      ['logs', '--follow', '--integration', 'system', '--query', 'numbered OR "timeout of all"'],
      variables,
    );
    await command.says('timeout of all');
    await writeLogs(database.current, [{ message: 'numbered 1' }, { message: 'other' }]);
    await command.says('numbered 1');
    expect(await cutConnections()).toBeGreaterThan(0);
    // Also while it asks, not only between two questions.
    for (let times = 0; times < 50; times++) await cutConnections();
    await eventually('the database to answer again', () =>
      writeLogs(database.current, [{ message: 'numbered 2' }]).catch(() => false as const),
    );
    await command.says('numbered 2');
    command.child.kill('SIGINT');
    const { code, stdout } = await command.ended;
    expect(code).toBe(130);
    expect(messages(stdout)).toEqual(['timeout of all', 'numbered 1', 'numbered 2']);
  });
});

/** Of the programs that follow; how many there were. */
async function cutConnections(): Promise<number> {
  const { rows } = await database.current.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and application_name = 'integration-services'`,
  );
  return rows.length;
}

describe('a record as a line', () => {
  it('has its time, level, message and fields, and steers no terminal', () => {
    const timestamp = new Date(2026, 0, 15, 9, 5, 7, 8);
    const line = logLine(
      {
        seq: 1,
        timestamp: timestamp.toISOString(),
        observedTimestamp: timestamp.toISOString(),
        integrationId: 'int_1',
        level: 'warn',
        severityNumber: 13,
        message: 'slow\u001b[2J answer\nof 3 s',
        eventName: 'call.slow',
        operationId: 'syn_1',
        requestId: null,
        traceId: null,
        spanId: null,
        attributes: { runId: 'syn_1', operation: 'check', status: 200, path: '/a b' },
      },
      'My shop',
      timestamp,
    );
    expect(stripVTControlCharacters(line)).toBe(
      '09:05:07.008 warn     My shop slow answer\\u000aof 3 s event=call.slow operation=syn_1 attributes.operation=check status=200 path="/a b"',
    );
  });
});
