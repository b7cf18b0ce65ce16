import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.ts';

export const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** The machine's own programs, without those of this project, which npm has put first. */
export const systemPath = (process.env.PATH ?? '')
  .split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');

export interface Surroundings {
  readonly cwd: string;
  /** All variables there are. */
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything it has written so far, stdout and stderr together. */
  output(): string;
  /** Ctrl-C: as a terminal does, the signal goes to the program and all that it has started. */
  interrupt(): void;
  /** Waits until it has written `text`; fails when it ends before. */
  says(text: string, timeoutMs?: number): Promise<void>;
  readonly ended: Promise<number | null>;
}

/** Starts a program with nothing of this process's environment; the end of the test ends it. */
export function start(program: string, args: readonly string[], surroundings: Surroundings): Running {
  const running = launch(program, args, surroundings);
  onTestFinished(async () => {
    if (running.child.exitCode === null) running.child.kill('SIGTERM');
    await running.ended;
  });
  return running;
}

function launch(program: string, args: readonly string[], { cwd, env, uid }: Surroundings): Running {
  const child = spawn(program, args, { cwd, env, uid, gid: uid, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let over = false;
  const ended = once(child, 'close').then(([code]) => {
    over = true;
    return code as number | null;
  });
  return {
    child,
    pid: child.pid!,
    output: () => text,
    interrupt: () => process.kill(-child.pid!, 'SIGINT'),
    ended,
    async says(wanted, timeoutMs = 60_000) {
      await eventually(
        `"${wanted}" from ${program} ${args.join(' ')}`,
        () => {
          if (over && !text.includes(wanted)) throw new Error(`It ended without saying "${wanted}":\n${text}`);
          return text.includes(wanted);
        },
        timeoutMs,
      );
    },
  };
}

/** Runs a program to its end and gives its output. @throws when it fails */
export async function run(program: string, args: readonly string[], surroundings: Surroundings): Promise<string> {
  const running = launch(program, args, surroundings);
  const code = await running.ended;
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${running.output()}`);
  return running.output();
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
