import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { UnavailableError } from '../../core/errors.ts';
import type { Account } from './account.ts';

/**
 * Nothing of our environment, which holds secrets, is handed to the database's processes.
 * (On Windows Node adds the variables that the system needs.)
 */
export const CHILD_ENVIRONMENT = { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

/** Runs a program to its end. @throws UnavailableError with its last output when it fails. */
export async function runProgram(
  program: string,
  args: readonly string[],
  account: Account | undefined,
  timeoutMs: number,
): Promise<void> {
  const child = spawn(program, args, {
    cwd: '/',
    env: CHILD_ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    timeout: timeoutMs,
    ...(account && { uid: account.uid, gid: account.gid }),
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(cannotRun(program, error)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new UnavailableError(`${program} ended with ${signal ?? `code ${code}`}: ${output.trim()}`));
    });
  });
}

/** The error of a program that the system did not even start. */
export function cannotRun(program: string, error: Error): UnavailableError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' && existsSync(program)) {
    // The file is there, so what is missing is its loader: the binaries need glibc.
    return new UnavailableError(
      'The embedded PostgreSQL needs glibc, which this system (Alpine and other musl ones) does not have. Set DATABASE_URL to a PostgreSQL server, or use an image with glibc such as node:24-slim.',
      { cause: error },
    );
  }
  return new UnavailableError(
    `${program} cannot be run (${code ?? error.message}). Set DATABASE_URL to use a server.`,
    {
      cause: error,
    },
  );
}
