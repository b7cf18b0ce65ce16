import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { runCommand } from './support/commandLine.ts';

const folder = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('connectors new', () => {
  test.each(['bearer', 'api_key', 'basic', 'oauth2_client_credentials'])(
    'writes a file with %s that connectors validate takes',
    async (auth) => {
      const file = join(folder, `${auth}.yaml`);
      const made = await runCommand(
        [
          'connectors',
          'new',
          'acme',
          '--title',
          'Acme: "the" API',
          '--base-url',
          'https://api.acme.example/v1/',
          '--auth',
          auth,
          '--file',
          file,
        ],
        {},
      );
      expect(made).toMatchObject({ code: 0, stdout: `${file}\n` });
      const judged = await runCommand(['connectors', 'validate', file], {});
      expect(judged).toMatchObject({ code: 0, stdout: `${file}: valid (acme, 1 streams)\n` });
    },
  );

  test('overwrites nothing and needs an address where nobody can be asked', async () => {
    const file = join(folder, 'kept.yaml');
    writeFileSync(file, 'mine');
    const args = ['connectors', 'new', 'acme', '--file', file];
    expect(await runCommand(args, {})).toMatchObject({ code: 2, stderr: expect.stringContaining('--base-url') });
    const outcome = await runCommand([...args, '--base-url', 'https://api.acme.example'], {});
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('exists already') });
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});

describe('connectors validate', () => {
  const source = (streams: string) => `
platform: acme
title: Acme
category: other
docsUrl: https://acme.example/
apiVersion: "1"
baseUrl: https://api.acme.example
auth: [{ name: none, title: None, type: none }]
check: { path: /me }
streams:
${streams}`;

  test('reads stdin, and points at each fault by line', async () => {
    const bad = source('  - { nmae: items, title: Items, path: /items, primaryKey: id }');
    const outcome = await runCommand(['connectors', 'validate', '-'], {}, bad);
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toMatch(/^-:11:\d+ streams\.0\.nmae: .*name/m);
  });

  test('judges several files and tells programs in JSON', async () => {
    const good = join(folder, 'good.yaml');
    const bad = join(folder, 'bad.yaml');
    writeFileSync(good, source('  - { name: items, title: Items, path: /items, primaryKey: id }'));
    writeFileSync(bad, 'platform: [');
    const outcome = await runCommand(['connectors', 'validate', good, bad, '--json'], {});
    expect(outcome.code).toBe(1);
    expect(JSON.parse(outcome.stdout)).toMatchObject([
      { file: good, platform: 'acme', streams: 1, problems: [] },
      { file: bad, problems: [{ line: 1 }] },
    ]);
  });
});

describe('the platforms', () => {
  const database = useTestDatabase();

  test('are listed and shown with what they take', async () => {
    const variables = { DATABASE_URL: database.url, DATA_DIR: folder };
    const listed = await runCommand(['connectors', 'list', '--json'], variables);
    const platforms = (JSON.parse(listed.stdout) as { platform: string }[]).map((one) => one.platform);
    expect(platforms).toEqual(expect.arrayContaining(['github', 'stripe', 'slack', 'http']));

    const shown = await runCommand(['connectors', 'show', 'github'], variables);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('token: Personal access token');
    expect(shown.stdout).toMatch(/^issues .*updated_at$/m);

    const unknown = await runCommand(['connectors', 'show', 'gitub'], variables);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean "github"?') });
  });
});
