import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { program } from './commandLine.ts';

export interface Terminal {
  /** Everything on the screen so far, with the codes that paint it. */
  screen(): string;
  /** Waits for a text on the screen that was not there at the last call. */
  sees(text: string): Promise<void>;
  type(keys: string): void;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** The command line at a real terminal: a pseudo-terminal made by `script` of util-linux, which every Linux has. */
export function openTerminal(args: readonly string[], variables: Record<string, string>): Terminal {
  const quoted = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', `stty rows 40 cols 100; exec ${quoted}`, '/dev/null'],
    {
      cwd: '/',
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color', SHELL: '/bin/sh', ...variables },
    },
  );
  let screen = '';
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  });
  return {
    screen: () => screen,
    async sees(text) {
      const at = await eventually(`"${text}" on the screen`, () => {
        const found = screen.indexOf(text, seen);
        return found === -1 ? null : { found };
      }).catch((error: Error) => {
        throw new Error(`${error.message}\n${screen.slice(seen)}`);
      });
      seen = at.found + text.length;
    },
    type: (keys) => child.stdin.write(keys),
    ended,
  };
}
