import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/core/log.ts';
import { openDatabase } from '../../src/store/database.ts';
import { fireDueSchedules } from '../../src/sync/scheduler.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { addIntegration, openSync } from './support/harness.ts';
import { numbered, type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

const database = useTestDatabase();
let api: RecordsApi;
/** Works on nothing: what is due is fired by the tests. */
let service: ReturnType<typeof openSync>;
beforeAll(async () => {
  api = await startRecordsApi();
  api.put('items', ...numbered(3));
  service = openSync(database.current, { workers: false });
});
afterAll(async () => {
  await service.close();
  await api.close();
});

afterEach(async () => {
  await database.current.db.deleteFrom('integrations').execute();
});

async function scheduled(frequency: string, dueSecondsAgo: number, timezone = 'UTC'): Promise<string> {
  const id = await addIntegration(database.current, api.url, { streams: ['items'] });
  await database.current.transaction((tx) => service.sync.schedule(tx, id, frequency, timezone));
  await database.current.db
    .updateTable('sync_schedules')
    .set({ next_due_at: new Date(Date.now() - dueSecondsAgo * 1000) })
    .where('integration_id', '=', id)
    .execute();
  return id;
}

const fire = (on = database.current) => fireDueSchedules(on, silentLog);
const nextDueOf = async (id: string) =>
  (
    await database.current.db
      .selectFrom('sync_schedules')
      .select('next_due_at')
      .where('integration_id', '=', id)
      .executeTakeFirst()
  )?.next_due_at.getTime();
const runsOf = (id: string) => service.sync.listRuns(id);

describe('a due schedule', () => {
  test('queues one run and moves on', async () => {
    const id = await scheduled('hourly', 5);
    expect(await fire()).toMatchObject({ queued: 1 });
    expect(await fire()).toMatchObject({ queued: 0 });
    const runs = await runsOf(id);
    expect(runs).toMatchObject([{ trigger: 'schedule', status: 'queued', integrationId: id }]);
    expect(Date.now() - Date.parse(runs[0]!.dueAt)).toBeGreaterThanOrEqual(5_000);
    const next = (await nextDueOf(id))!;
    expect(next).toBeGreaterThan(Date.now());
    expect(next).toBeLessThanOrEqual(Date.now() + 3_600_000);
  });

  test('makes one run of all the times that were missed', async () => {
    const id = await scheduled('*/5 * * * *', 3 * 86_400);
    expect(await fire()).toMatchObject({ queued: 1 });
    expect(await runsOf(id)).toHaveLength(1);
    const next = (await nextDueOf(id))!;
    expect(next).toBeGreaterThan(Date.now());
    expect(next % 300_000).toBe(0);
  });

  test('queues nothing while a run of its integration waits or works', async () => {
    const id = await scheduled('minutely', 1);
    await service.sync.requestRun(id, { trigger: 'manual' });
    expect(await fire()).toMatchObject({ queued: 0 });
    expect(await runsOf(id)).toMatchObject([{ trigger: 'manual' }]);
    expect(await nextDueOf(id)).toBeGreaterThan(Date.now());
  });

  test('fires once, however many replicas look', async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, () => scheduled('hourly', 2)));
    const replica = await openDatabase({ url: database.url, dataDir: '', migrate: false });
    try {
      const rounds = await Promise.all([fire(), fire(replica), fire(), fire(replica), fire(), fire(replica)]);
      expect(rounds.reduce((sum, { queued }) => sum + queued, 0)).toBe(ids.length);
      for (const id of ids) expect(await runsOf(id)).toHaveLength(1);
    } finally {
      await replica.close();
    }
  });

  test('that cannot be read any more does not hold up the others', async () => {
    const broken = await scheduled('hourly', 9);
    await database.current.db
      .updateTable('sync_schedules')
      .set({ frequency: 'sometimes' })
      .where('integration_id', '=', broken)
      .execute();
    const id = await scheduled('hourly', 1);
    await fire();
    expect(await runsOf(id)).toHaveLength(1);
    expect(await nextDueOf(broken)).toBeGreaterThan(Date.now());
  });

  test('more than one batch is fired in one go', async () => {
    const first = await scheduled('hourly', 2);
    await database.current.pool.query(`
      insert into integrations (id, owner, name, type, platform, status, configuration)
      select 'int_many_' || n, 'o', 'n', 't', 'p', 'connected', '{}' from generate_series(1, 1200) n`);
    await database.current.pool.query(`
      insert into sync_schedules (integration_id, frequency, next_due_at)
      select 'int_many_' || n, 'hourly', now() - interval '1 second' from generate_series(1, 1200) n`);
    expect(await fire()).toMatchObject({ queued: 1201 });
    expect(await runsOf(first)).toHaveLength(1);
  });

  test('the next look is when the next is due, at the latest in a second', async () => {
    expect((await fire()).waitMs).toBe(1000);
    await scheduled('hourly', -0.4);
    const { waitMs } = await fire();
    expect(waitMs).toBeLessThanOrEqual(400);
    expect(waitMs).toBeGreaterThanOrEqual(50);
  });
});

describe('scheduling', () => {
  test('the same frequency again keeps the next time; another one sets it', async () => {
    const id = await scheduled('daily', -30);
    const before = await nextDueOf(id);
    await database.current.transaction((tx) => service.sync.schedule(tx, id, 'daily', 'UTC'));
    expect(await nextDueOf(id)).toBe(before);
    await database.current.transaction((tx) => service.sync.schedule(tx, id, '0 3 * * *', 'Europe/Berlin'));
    expect(new Date((await nextDueOf(id))!).toLocaleTimeString('sv', { timeZone: 'Europe/Berlin' })).toBe('03:00:00');
  });

  test('manual takes the schedule away, and rescheduling touches only what is scheduled', async () => {
    const id = await scheduled('daily', -30);
    await database.current.transaction((tx) => service.sync.reschedule(tx, id, 'manual', 'UTC'));
    expect(await nextDueOf(id)).toBeUndefined();
    await database.current.transaction((tx) => service.sync.reschedule(tx, id, 'hourly', 'UTC'));
    expect(await nextDueOf(id)).toBeUndefined();
  });

  test('start schedules and runs at once; halt ends both', async () => {
    const worker = openSync(database.current);
    try {
      const id = await addIntegration(database.current, api.url, { streams: ['items'] });
      const { id: runId } = await worker.sync.start(id, 'hourly', 'UTC');
      expect(await worker.sync.waitForRun(runId)).toMatchObject({ success: true, recordsAdded: 3 });
      expect(await nextDueOf(id)).toBeGreaterThan(Date.now());
      await worker.sync.halt(id);
      expect(await nextDueOf(id)).toBeUndefined();
    } finally {
      await worker.close();
    }
  });

  test('a due schedule is run by the workers', async () => {
    const id = await scheduled('hourly', 1);
    const worker = openSync(database.current);
    try {
      await eventually('the scheduled run', async () => (await runsOf(id))[0]?.status === 'succeeded');
      await delay(50);
      expect(await runsOf(id)).toHaveLength(1);
    } finally {
      await worker.close();
    }
  });
});
