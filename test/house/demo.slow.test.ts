import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { freePort, repository, start } from './support/cleanMachine.ts';
import { processesOf } from './support/processesOf.ts';

const folder = mkdtempSync(join(tmpdir(), 'integration-services-demo-'));
// As root, the database runs as another user, who must come through.
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const demo = async (...args: string[]) =>
  start('npm', ['run', 'demo', '--', ...args], {
    cwd: repository,
    env: {
      PATH: process.env.PATH!,
      HOME: process.env.HOME!,
      DATA_DIR: join(folder, 'data'),
      PORT: String(await freePort()),
    },
  });

test('npm run demo connects and syncs both providers, twice with the same result, and leaves no process', async () => {
  for (const _ of ['first', 'second']) {
    const running = await demo('--once');
    expect(await running.ended, running.output()).toBe(0);
    expect(running.output()).toContain('Demo GitHub is connected as octocat');
    expect(running.output()).toMatch(/^Demo GitHub +issues +220$/m);
    expect(running.output()).toMatch(/^Demo Stripe +customers +251$/m);
    expect(processesOf(folder)).toEqual([]);
  }
});

test('Ctrl-C ends it cleanly, once it stays up and also in the middle of starting', async () => {
  for (const moment of ['Ctrl-C ends everything', 'Starting']) {
    const running = await demo();
    await running.says(moment);
    running.interrupt();
    await running.ended;
    expect(running.output()).not.toMatch(/error|\n\s+at /);
    expect(processesOf(folder)).toEqual([]);
  }
});
