import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { foldersOf } from '../../src/store/embedded/folders.ts';
import { readPidFile } from '../../src/store/embedded/postmaster.ts';
import { identify } from '../../src/store/embedded/processes.ts';

/** Makes data folders that are removed after each test, together with a database that still runs in one. */
export function useDataDirs(): () => string {
  const made: string[] = [];
  afterEach(() => {
    for (const dataDir of made.splice(0)) {
      const pid = databasePid(dataDir);
      if (pid && identify(pid, foldersOf(dataDir).cluster) === 'ours') process.kill(pid, 'SIGKILL');
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 20 });
    }
  });
  return () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'is-data-'));
    // As root the database runs as another user, who has to get in.
    chmodSync(dataDir, 0o755);
    made.push(dataDir);
    return dataDir;
  };
}

/** The process of the database in a data folder, as its pid file says. */
export function databasePid(dataDir: string): number | undefined {
  return readPidFile(foldersOf(dataDir))?.pid;
}
