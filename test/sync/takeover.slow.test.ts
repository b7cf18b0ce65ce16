import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/processes.ts';
import { addIntegration, liveKeys, openSync } from './support/harness.ts';
import { numbered, type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

const database = useTestDatabase();
let api: RecordsApi;
beforeAll(async () => {
  api = await startRecordsApi();
});
afterAll(() => api.close());

test('the run of a killed worker is taken over within ten seconds, and not before', async () => {
  api.tables.clear();
  api.put('items', ...numbered(30));
  // The first worker never gets its third page.
  api.intercept = (_request, _response, url) => url.searchParams.get('after') === 'r0020';
  const asking = openSync(database.current, { workers: false });
  try {
    const id = await addIntegration(database.current, api.url, { streams: ['items'] });
    const first = startProgram('sync/support/worker.ts', [database.url]);
    const { id: runId } = await asking.sync.requestRun(id, { trigger: 'manual' });
    await eventually('two pages', async () => (await asking.sync.getRun(runId)).pages === 2);
    api.intercept = null;
    api.requests.length = 0;
    const second = startProgram('sync/support/worker.ts', [database.url]);
    await second.line('working');
    // Time to claim what it must not.
    await delay(1_500);
    expect(api.requests).toEqual([]);
    await first.kill();
    expect(await asking.sync.waitForRun(runId, AbortSignal.timeout(10_000))).toMatchObject({
      success: true,
      recordsAdded: 30,
    });
    expect(api.requests).toEqual(['/items?after=r0020']);
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(30);
    await second.kill();
  } finally {
    await asking.close();
  }
});
