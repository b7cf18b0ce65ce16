import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCommand } from './support/commandLine.ts';

const run = (...args: string[]) => runCommand(args, {});

describe('a command line that is wrong', () => {
  test('ends with 2, says what was probably meant, and prints nothing on stdout', async () => {
    const outcome = await run('integrations', 'lst');
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.stderr).toContain(`unknown command 'lst'`);
    expect(outcome.stderr).toContain('Did you mean list?');
  });

  test('with --json says so as JSON on stderr', async () => {
    const outcome = await run('integrations', 'sync', '--streem', 'x', '--json');
    expect(outcome).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse(outcome.stderr)).toEqual({
      error: { code: 'USAGE', message: expect.stringContaining('--streem') },
    });
  });

  test('that lacks an argument names it', async () => {
    const outcome = await run('records');
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain('integration');
  });

  test('that names only a group shows the group, and ends with 2', async () => {
    const outcome = await run('integrations');
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain('create');
  });
});

describe('without touching any data', () => {
  test('--version and --help answer on stdout with 0', async () => {
    expect(await run('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+/),
      stderr: '',
    });
    for (const path of [[], ['integrations'], ['integrations', 'create'], ['credentials', 'rotate']]) {
      const outcome = await run(...path, '--help');
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      expect(outcome.stdout).toContain('Usage:');
    }
  });

  test('no output into a pipe carries colours', async () => {
    const outcome = await runCommand(['doctor'], { DATABASE_URL: 'nonsense' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is looked for
    expect(outcome.stdout + outcome.stderr).not.toMatch(/\u001b/);
  });

  test('no flag takes a secret', async () => {
    const { stdout } = await run('integrations', 'create', '--help');
    const flags = [...stdout.matchAll(/--([\w-]+)/g)].map(([, flag]) => flag);
    expect(flags).toContain('credentials-file');
    expect(flags.filter((flag) => /token|password|secret|api-key|credentials$/.test(flag!))).toEqual([]);
  });
});

test('a Node that is too old is told what to do instead of getting a syntax error', () => {
  const guard = fileURLToPath(new URL('../../bin/checkNode.js', import.meta.url));
  const asNode = (version: string) =>
    spawnSync(process.execPath, [
      '--import',
      `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`,
      guard,
    ]);
  for (const version of ['18.20.8', '20.20.2', '22.17.1']) {
    const { status, stderr } = asNode(version);
    expect(status).toBe(1);
    expect(stderr.toString()).toContain(`Node ${version} is too old`);
    expect(stderr.toString()).toContain('npm rebuild node');
  }
  for (const version of ['22.18.0', '24.21.0', '26.0.0']) expect(asNode(version).status).toBe(0);
});
