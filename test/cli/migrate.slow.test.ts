import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runCommand } from './support/commandLine.ts';

const url = new URL(inject('adminUrl'));
const name = inject('templateName').replace(/template$/, `cli_${randomBytes(4).toString('hex')}`);
url.pathname = `/${name}`;
const variables = { DATABASE_URL: url.href, DATA_DIR: '/nonexistent' };

const onServer = async (statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: inject('adminUrl') });
  await client.connect();
  await client.query(statement);
  await client.end();
};
beforeAll(() => onServer(`create database ${name}`));
afterAll(() => onServer(`drop database ${name}`));

test('migrate says what it applied, and then that there is nothing left', async () => {
  const before = await runCommand(['migrate', '--status'], variables);
  expect(before.stdout).toMatch(/^000001_spine\.sql +not yet$/m);

  const first = await runCommand(['migrate'], variables);
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('applied 000001_spine.sql\n') });

  const second = await runCommand(['migrate'], variables);
  expect(second).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('up to date') });
  expect(JSON.parse((await runCommand(['migrate', '--json'], variables)).stdout)).toEqual({ applied: [] });

  const after = await runCommand(['migrate', '--status', '--json'], variables);
  expect(JSON.parse(after.stdout)[0]).toEqual({
    name: '000001_spine.sql',
    appliedAt: expect.stringMatching(/^\d{4}-/),
  });
});
