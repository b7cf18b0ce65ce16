import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp } from '../src/app.ts';
import { makeConfig } from '../src/config/config.ts';
import { startServer } from '../src/http/startServer.ts';
import { measureSearches } from './logSearch/searches.ts';
import { measureTail } from './logSearch/tail.ts';

/**
 * Searches in a million records of a day, and 5,000 records a second followed by 200 clients over loopback, one of
 * which reads nothing. With a database and a server of its own.
 * Targets: p95 ≤ 100 ms for errors of one integration in 24 h that hold a word, ≤ 300 ms for the slowest documented
 * search; p99 ≤ 500 ms from logging a record to its arrival at a client.
 */
export async function run(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'is-bench-logs-'));
  chmodSync(dataDir, 0o755);
  const config = makeConfig({ DATA_DIR: dataDir, PORT: '0', API_RATE_LIMIT: '1000000' });
  const app = await openApp({ config, workers: false, attach: false });
  try {
    console.table(await measureSearches(app));
    const server = await startServer(app);
    try {
      console.table(await measureTail(app, server.url));
    } finally {
      await server.close();
    }
  } finally {
    await app.close();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20 });
  }
}
