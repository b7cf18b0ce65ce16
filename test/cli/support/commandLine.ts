import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';
import { eventually } from '../../support/eventually.ts';

// A command takes about a second, on a busy machine several, and these tests run many.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

export const program = fileURLToPath(new URL('../../../bin/integration-services.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when stdout or stderr contain the text; rejects when it ends before. */
  says(text: string): Promise<void>;
  readonly ended: Promise<Outcome>;
}

/** Starts the command line; the end of the test ends it. */
export function startCommand(args: readonly string[], variables: Record<string, string>, input?: string): Command {
  const command = launch(args, variables, input);
  onTestFinished(async () => {
    if (command.child.exitCode === null) command.child.kill('SIGKILL');
    await command.ended;
  });
  return command;
}

/** The command line as a person at a shell has it: a process of its own that knows only the variables given. */
function launch(args: readonly string[], variables: Record<string, string>, input?: string): Command {
  const child = spawn(process.execPath, [program, ...args], {
    // Not the repository, whose .env is a developer's.
    cwd: '/',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...variables },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.end(input);
  let over = false;
  const ended = once(child, 'close').then(([code]) => {
    over = true;
    return { code: code as number | null, stdout, stderr };
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    says: (text) =>
      eventually(`"${text}" from ${args.join(' ')}`, () => {
        const found = stdout.includes(text) || stderr.includes(text);
        if (over && !found) throw new Error(`It ended without saying "${text}":\n${stdout}\n${stderr}`);
        return found;
      }).then(() => {}),
  };
}

/** Runs the command line to its end. */
export function runCommand(
  args: readonly string[],
  variables: Record<string, string>,
  input?: string,
): Promise<Outcome> {
  return launch(args, variables, input).ended;
}
