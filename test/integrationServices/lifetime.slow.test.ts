import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { processesOf } from '../house/support/processesOf.ts';
import { firstStart, useDataDirs } from '../support/dataDir.ts';
import { startProgram } from '../support/processes.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';

const makeDataDir = useDataDirs();
let provider: Provider;
beforeAll(async () => {
  provider = await startProvider(45);
});
afterAll(() => provider.close());

/** Runs a program that closes nothing, on a database of its own; gives what it printed when it has ended by itself. */
async function runToItsEnd(dataDir: string, what: 'read' | 'sync' | 'start'): Promise<string[]> {
  const program = startProgram('integrationServices/support/libraryProgram.ts', [
    dataDir,
    what,
    JSON.stringify(describeProvider(provider)),
  ]);
  expect(await program.ended).toBe(0);
  // Nor does its database go on.
  expect(processesOf(dataDir)).toEqual([]);
  return program.lines;
}

test('a program that only asks ends by itself, and so does its database', async () => {
  expect(await runToItsEnd(await firstStart(makeDataDir()), 'read')).toEqual(['integrations: 0']);
});

test('a program that waits for a sync ends after it', async () => {
  expect(await runToItsEnd(await firstStart(makeDataDir()), 'sync')).toEqual(['succeeded: 45']);
});

test('a program that only starts a sync ends when nothing is half done', async () => {
  const dataDir = await firstStart(makeDataDir());
  expect(await runToItsEnd(dataDir, 'start')).toEqual(['started']);
  const database = await openDatabase({ url: null, dataDir });
  const { rows } = await database.pool.query('select status, records_added from sync_runs');
  await database.close();
  expect(rows).toHaveLength(1);
  // Finished, or back in the queue for whoever works on it next.
  expect(['succeeded', 'queued']).toContain(rows[0].status);
});
