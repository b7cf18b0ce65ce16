import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { type Provider, startProvider } from '../support/provider.ts';
import { runCommand } from './support/commandLine.ts';
import { openTerminal } from './support/terminal.ts';

const ENTER = '\r';
const CTRL_C = '\u0003';

describe.skipIf(process.platform !== 'linux')('at a terminal', () => {
  const database = useTestDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'integration-services-cli-'));
  const variables = () => ({ DATABASE_URL: database.url, DATA_DIR: folder, ALLOWED_PRIVATE_HOSTS: '127.0.0.1' });
  let provider: Provider;

  beforeAll(async () => {
    provider = await startProvider(0);
  });
  afterAll(async () => {
    await provider.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('integrations create asks for what is missing, hides the secret, and proves the connection', async () => {
    provider.answer = (request, response) => {
      const known = request.headers.authorization === `Bearer ${TOKEN}`;
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json', 'x-oauth-scopes': 'repo' });
      response.end(JSON.stringify(known ? { login: 'octo', id: 1 } : { message: 'Bad credentials' }));
    };
    const args = ['integrations', 'create', '--connection', `apiBaseUrl=${provider.url}`];
    const terminal = openTerminal(args, variables());
    await terminal.sees('Platform');
    terminal.type('github');
    await terminal.sees('GitHub');
    terminal.type(ENTER);
    await terminal.sees('Name');
    terminal.type(` at work${ENTER}`);
    await terminal.sees('Personal access token');
    terminal.type(TOKEN + ENTER);
    await terminal.sees('GitHub at work is connected as octo');
    expect(await terminal.ended).toBe(0);
    expect(stripVTControlCharacters(terminal.screen())).not.toContain(TOKEN.slice(0, 12));
  });

  test('a value that cannot be right is refused at the prompt, and Ctrl-C leaves with 130 and stores nothing', async () => {
    const terminal = openTerminal(['integrations', 'create', '--platform', 'github', '--name', 'Left'], variables());
    await terminal.sees('Personal access token');
    terminal.type(`no${ENTER}`);
    await terminal.sees('does not look like');
    terminal.type(CTRL_C);
    expect(await terminal.ended).toBe(130);
    expect((await runCommand(['integrations', 'list'], variables())).stdout).not.toContain('Left');
  });

  test('integrations delete asks first, and does nothing on Enter', async () => {
    const terminal = openTerminal(['integrations', 'delete', 'GitHub at work'], variables());
    await terminal.sees('Delete GitHub at work');
    terminal.type(ENTER);
    expect(await terminal.ended).toBe(1);
    expect((await runCommand(['integrations', 'list'], variables())).stdout).toContain('GitHub at work');
  });

  test('a sync paints its progress over one line and leaves the summary', async () => {
    const { stdout } = await runCommand(['integrations', 'list', '--json'], variables());
    const [{ id }] = JSON.parse(stdout) as [{ id: string }];
    provider.answer = (_, response) => {
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('[]'), 300);
    };
    const terminal = openTerminal(['integrations', 'sync', id, '--stream', 'repositories'], variables());
    await terminal.sees('GitHub at work: starting');
    await terminal.sees('✓ GitHub at work succeeded: 0 records read');
    expect(await terminal.ended).toBe(0);
    expect(terminal.screen()).toContain('\r\u001b[2K');
  });

  test('NO_COLOR takes the colours away', async () => {
    const colored = openTerminal(['doctor'], { ...variables(), PORT: 'x' });
    await colored.ended;
    expect(colored.screen()).toContain('\u001b[31m');
    const plain = openTerminal(['doctor'], { ...variables(), PORT: 'x', NO_COLOR: '1' });
    await plain.ended;
    expect(plain.screen()).not.toContain('\u001b[');
  });
});

const TOKEN = `github_pat_${'a'.repeat(22)}_${'b'.repeat(59)}`;
