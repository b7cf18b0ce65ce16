import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/processes.ts';
import { addIntegration, openSync, storedRecords } from './support/harness.ts';
import { seededRandom } from './support/killing.ts';
import { etagOfBody, numbered, type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

const database = useTestDatabase();
let api: RecordsApi;
beforeAll(async () => {
  api = await startRecordsApi();
});
afterAll(() => api.close());

test('workers that are killed between an answer and its commit lose nothing and confirm nothing that is not so', async () => {
  const random = seededRandom(7);
  api.validators = etagOfBody;
  api.put('items', ...numbered(8));
  const asking = openSync(database.current, { workers: false });
  const id = await addIntegration(database.current, api.url, { streams: ['items'], deletionSafetyPercent: 100 });
  const start = () => startProgram('sync/support/worker.ts', [database.url, 'validators']);
  let worker = start();
  let confirmed = 0;
  for (let round = 0; round < 10; round++) {
    // Every other time nothing changes, so that there is something to confirm.
    if (round % 4 === 1) api.put('items', { id: 'r0002', round });
    if (round % 4 === 3) api.remove('items', `r000${8 - Math.floor(round / 4)}`);
    const asked = api.requests.length;
    const { id: runId } = await asking.sync.requestRun(id, { trigger: 'manual' });
    await eventually('a request', () => api.requests.length > asked);
    // Around the moment of the write.
    await delay(random() * 12);
    await worker.kill();
    await database.current.pool.query(
      `update sync_runs set lease_until = now() - interval '1 second' where id = $1 and status = 'running'`,
      [runId],
    );
    worker = start();
    const run = await asking.sync.waitForRun(runId, AbortSignal.timeout(60_000));
    expect(run).toMatchObject({ success: true, warnings: [] });
    expect(run.streamsConfirmed.length * 8).toBeGreaterThanOrEqual(run.recordsConfirmed);
    confirmed += run.streamsConfirmed.length;
    const live = (await storedRecords(database.current, id, 'items')).filter((one) => !one.deleted);
    expect(live.map(({ data }) => data)).toEqual([...api.tables.get('items')!.values()]);
  }
  expect(confirmed).toBeGreaterThan(0);
  await worker.kill();
  await asking.close();
});
