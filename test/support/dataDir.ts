import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { openEmbeddedServer } from '../../src/store/embedded/embeddedServer.ts';
import { foldersOf } from '../../src/store/embedded/folders.ts';
import { readPidFile } from '../../src/store/embedded/pidFile.ts';
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

/** Gives a data folder the database of a first start, without waiting for the disk as that does. */
export async function firstStart(dataDir: string): Promise<string> {
  const server = await openEmbeddedServer({ dataDir, sync: false, log: () => {} });
  await server.close();
  return dataDir;
}

/** The process of the database in a data folder, as its pid file says. */
export function databasePid(dataDir: string): number | undefined {
  return readPidFile(foldersOf(dataDir))?.pid;
}
