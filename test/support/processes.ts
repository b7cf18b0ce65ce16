import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface Program {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly pid: number;
  /** Lines of stdout so far. */
  readonly lines: string[];
  /** Resolves with the first line, past or future, that contains `text`; rejects when the program ends without. */
  line(text: string): Promise<string>;
  /** Ends it as a power loss would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Waits for its end; the exit code, null after a signal. */
  readonly ended: Promise<number | null>;
}

/**
 * Runs a TypeScript file of the tests, `path` relative to the test folder, as a process of its own, which ends with
 * the calling test at the latest.
 */
export function startProgram(
  path: string,
  args: readonly string[] = [],
  options: { uid?: number; gid?: number } = {},
): Program {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  // What is written to a program that has ended is lost.
  child.stdin.on('error', () => {});
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return {
    child,
    pid: child.pid!,
    lines,
    ended,
    line: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find((line) => line.includes(text));
          if (found !== undefined) resolve(found);
          return found;
        };
        if (look() !== undefined) return;
        reader.on('line', look);
        void ended.then((code) => reject(new Error(`${path} ended (${code}) without saying "${text}"`)));
      }),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
