import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** As `npm start` does it, so that its memory is that of the server. */
export const SERVER_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=50'];

/** The server keeps compiled code and one malloc arena (bin/): without, it is 30 MB larger each. */
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/compile', import.meta.url));

export interface BenchProgram {
  readonly child: ChildProcess;
  /** What it prints first; rejects when it ends without a word. */
  readonly firstLine: Promise<string>;
}

/** Runs a TypeScript file, named relative to bench/, as a process of its own. */
export function startProgram(file: string, args: readonly string[], flags: readonly string[] = []): BenchProgram {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  const child = spawn(process.execPath, [...flags, path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, MALLOC_ARENA_MAX: '1' },
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code}`);
  });
  const firstLine = Promise.race([
    once(createInterface({ input: child.stdout! }), 'line').then(([line]) => String(line)),
    ended,
  ]);
  ended.catch(() => {});
  return { child, firstLine };
}

/** Tells it to end, and waits until it has. */
export async function endProgram({ child }: BenchProgram): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}
