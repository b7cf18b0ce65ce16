import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ConflictError } from '../../src/core/errors.ts';
import { NoPendingDeletionsError } from '../../src/sync/errors.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { addIntegration, liveKeys, openSync } from './support/harness.ts';
import { numbered, type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

const database = useTestDatabase();
let api: RecordsApi;
let service: ReturnType<typeof openSync>;
beforeAll(async () => {
  api = await startRecordsApi();
  service = openSync(database.current);
});
afterAll(async () => {
  await service.close();
  await api.close();
});
beforeEach(() => {
  api.intercept = null;
  api.tables.clear();
});

const keys = (from: number, to: number) =>
  numbered(to)
    .slice(from - 1)
    .map((record) => String(record.id));

async function synced(count: number, deletionSafetyPercent?: number): Promise<string> {
  api.put('items', ...numbered(count));
  const id = await addIntegration(database.current, api.url, { streams: ['items'], deletionSafetyPercent });
  expect(await service.sync.run(id)).toMatchObject({ success: true, recordsAdded: count });
  return id;
}

async function statusOf(id: string) {
  const [status] = await service.sync.streamStatus(id);
  // The count that is kept must be the one that is there.
  expect(status?.records).toBe((await liveKeys(database.current, id, status!.stream)).length);
  await expectExactMissing(id);
  return status!;
}

/** So must the other one be. */
async function expectExactMissing(id: string) {
  const { rows } = await database.current.pool.query(
    `select missing_count, (
       select count(*) from records r
       where (r.integration_id, r.stream) = (s.integration_id, s.stream) and seen_by < complete_read_id and deleted_at is null
     ) as missing
     from sync_states s where integration_id = $1`,
    [id],
  );
  for (const { missing_count, missing } of rows) expect(missing_count).toBe(missing);
}

const refuse = (page: string) => {
  api.intercept = (_request, response, url) => {
    if (url.searchParams.get('after') !== page) return false;
    response.writeHead(404).end();
    return true;
  };
};

describe('records that a full read did not bring', () => {
  test('are deleted up to the safe share', async () => {
    const id = await synced(50);
    api.remove('items', ...keys(11, 20));
    expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 10, recordsUnchanged: 40, warnings: [] });
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(40);
    expect((await statusOf(id)).pendingDeletions).toBeNull();
  });

  test('above the safe share are kept until somebody confirms', async () => {
    const id = await synced(50);
    api.remove('items', ...keys(11, 21));
    const run = await service.sync.run(id);
    expect(run).toMatchObject({
      success: true,
      recordsDeleted: 0,
      warnings: [
        {
          code: 'DELETIONS_NEED_CONFIRMATION',
          stream: 'items',
          message: expect.stringMatching(
            /^11 of 50 records of the stream "items" did not come any more, above .* 20 %/,
          ),
        },
      ],
    });
    expect(await statusOf(id)).toMatchObject({ records: 50, pendingDeletions: { count: 11, total: 50 } });

    expect(await service.sync.confirmDeletions(id, 'items')).toBe(11);
    expect(await statusOf(id)).toMatchObject({ records: 39, pendingDeletions: null });
    expect(await liveKeys(database.current, id, 'items')).toEqual([...keys(1, 10), ...keys(22, 50)]);
    await expect(service.sync.confirmDeletions(id, 'items')).rejects.toThrow(NoPendingDeletionsError);
    expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 0, warnings: [] });
  });

  test('of a stream that is suddenly empty are kept, however small it is', async () => {
    const id = await synced(3);
    api.tables.clear();
    expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 0, warnings: [{ stream: 'items' }] });
    expect(await statusOf(id)).toMatchObject({ records: 3, pendingDeletions: { count: 3, total: 3 } });
  });

  test('that come back clear what was pending', async () => {
    const id = await synced(10);
    api.remove('items', ...keys(1, 5));
    await service.sync.run(id);
    expect((await statusOf(id)).pendingDeletions).toMatchObject({ count: 5 });
    api.put('items', ...numbered(5));
    expect(await service.sync.run(id)).toMatchObject({ recordsUnchanged: 10, warnings: [] });
    expect((await statusOf(id)).pendingDeletions).toBeNull();
  });

  test('that are still missing are pending anew; a smaller rest is deleted', async () => {
    const id = await synced(10);
    api.remove('items', ...keys(1, 5));
    await service.sync.run(id);
    await service.sync.run(id);
    expect((await statusOf(id)).pendingDeletions).toMatchObject({ count: 5, total: 10 });
    api.put('items', ...numbered(3));
    expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 2, warnings: [] });
    expect(await statusOf(id)).toMatchObject({ records: 8, pendingDeletions: null });
  });

  test('are measured against what was there before, not against what is new', async () => {
    const id = await synced(10);
    api.remove('items', ...keys(1, 5));
    api.put('items', ...numbered(100, {}, 'n'));
    expect(await service.sync.run(id)).toMatchObject({ recordsAdded: 100, recordsDeleted: 0 });
    expect((await statusOf(id)).pendingDeletions).toMatchObject({ count: 5, total: 10 });
  });

  test('may all be deleted when the integration says so, and none when it says that', async () => {
    const all = await synced(10, 100);
    const none = await synced(10, 0);
    api.tables.clear();
    expect(await service.sync.run(all)).toMatchObject({ recordsDeleted: 10 });
    expect(await liveKeys(database.current, all, 'items')).toEqual([]);
    expect(await statusOf(all)).toMatchObject({ records: 0, pendingDeletions: null });
    api.put('items', ...numbered(9));
    expect(await service.sync.run(none)).toMatchObject({ recordsDeleted: 0 });
    expect((await statusOf(none)).pendingDeletions).toMatchObject({ count: 1 });
  });
});

describe('a read that is not complete deletes nothing', () => {
  test('when it failed in the middle, and the next run completes it', async () => {
    const id = await synced(50);
    api.remove('items', 'r0002', 'r0042');
    refuse('r0031');
    expect(await service.sync.run(id)).toMatchObject({ status: 'failed', recordsDeleted: 0 });
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(50);
    api.intercept = null;
    api.requests.length = 0;
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsDeleted: 2, recordsRead: 18 });
    expect(api.requests[0]).toBe('/items?after=r0031');
    expect(await statusOf(id)).toMatchObject({ records: 48 });
  });

  test('when it was stopped', async () => {
    const id = await synced(50);
    api.remove('items', ...keys(1, 5));
    api.intercept = (_request, _response, url) => url.searchParams.get('after') === 'r0025';
    const { id: runId } = await service.sync.requestRun(id, { trigger: 'manual' });
    await eventually('pages', async () => (await service.sync.getRun(runId)).pages === 2);
    await service.sync.stop(id);
    expect(await service.sync.getRun(runId)).toMatchObject({ status: 'stopped', recordsDeleted: 0 });
    expect(await statusOf(id)).toMatchObject({ records: 50 });
  });

  test('when it read only what changed', async () => {
    api.put('events', ...numbered(20, { updated_at: '2026-01-01T00:00:00Z' }));
    const id = await addIntegration(database.current, api.url, { streams: ['events'] });
    await service.sync.run(id);
    api.tables.clear();
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsRead: 0, recordsDeleted: 0 });
    expect(await liveKeys(database.current, id, 'events')).toHaveLength(20);
  });

  test('when it began at a start date', async () => {
    api.put('events', ...numbered(10, { updated_at: '2026-01-01T00:00:00Z' }, 'old'));
    api.put('events', ...numbered(10, { updated_at: '2026-03-01T00:00:00Z' }, 'new'));
    const id = await addIntegration(database.current, api.url, { streams: ['events'], deletionSafetyPercent: 100 });
    await service.sync.run(id);
    await database.current.pool.query(
      `update integrations set configuration = configuration || '{"startDate": "2026-02-01T00:00:00Z"}' where id = $1`,
      [id],
    );
    expect(await service.sync.run(id, { fullRefresh: true })).toMatchObject({ recordsRead: 10, recordsDeleted: 0 });
    expect(await liveKeys(database.current, id, 'events')).toHaveLength(20);
  });
});

describe('a full read whose pages can shift', () => {
  const events = (count: number) => numbered(count, { updated_at: '2026-01-01T00:00:00Z' });
  const syncedEvents = async (count: number) => {
    api.put('events', ...events(count));
    const id = await addIntegration(database.current, api.url, { streams: ['events'] });
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsAdded: count });
    return id;
  };
  const refresh = (id: string) => service.sync.run(id, { fullRefresh: true });

  test('deletes only what the complete one before did not bring either', async () => {
    const id = await syncedEvents(30);
    // While the second page is asked for, a record of the first is deleted: r0011 moves to the first, unseen.
    api.intercept = (_request, _response, url) => {
      if (url.searchParams.get('page') === '2') api.remove('events', 'r0001');
      return false;
    };
    const first = await refresh(id);
    expect(first).toMatchObject({ recordsRead: 29, recordsDeleted: 0 });
    expect(first.warnings).toMatchObject([{ code: 'DELETIONS_NEED_ANOTHER_READ', stream: 'events' }]);
    expect(first.warnings[0]!.message).toMatch(/^1 records of the stream "events" did not come/);
    // What was read on the first page, before it was deleted, is missed by the second read for the first time.
    expect(await refresh(id)).toMatchObject({ recordsRead: 29, recordsDeleted: 0 });
    expect(await statusOf(id)).toMatchObject({ records: 30 });
    expect(await refresh(id)).toMatchObject({ recordsDeleted: 1, warnings: [] });
    expect(await liveKeys(database.current, id, 'events')).toEqual(keys(2, 30));
  });

  test('measures against the safe share what is certain, not what one read missed', async () => {
    const id = await syncedEvents(30);
    api.remove('events', ...keys(1, 15));
    expect((await refresh(id)).warnings).toMatchObject([{ code: 'DELETIONS_NEED_ANOTHER_READ' }]);
    expect((await statusOf(id)).pendingDeletions).toBeNull();
    api.put('events', ...events(12));
    expect(await refresh(id)).toMatchObject({ recordsDeleted: 3, warnings: [] });
    expect(await statusOf(id)).toMatchObject({ records: 27, pendingDeletions: null });
  });

  test('holds back what two of them did not bring, above the safe share', async () => {
    const id = await syncedEvents(30);
    api.remove('events', ...keys(1, 15));
    await refresh(id);
    expect((await refresh(id)).warnings).toMatchObject([{ code: 'DELETIONS_NEED_CONFIRMATION' }]);
    expect((await statusOf(id)).pendingDeletions).toMatchObject({ count: 15, total: 30 });
    api.put('events', ...events(1));
    await service.sync.run(id);
    expect(await service.sync.confirmDeletions(id, 'events')).toBe(14);
    expect(await statusOf(id)).toMatchObject({ records: 16, pendingDeletions: null });
  });

  test('counts as one before only when it was complete', async () => {
    const id = await syncedEvents(30);
    api.remove('events', 'r0004');
    api.intercept = (_request, response, url) => {
      if (url.searchParams.get('page') !== '3') return false;
      response.writeHead(400).end();
      return true;
    };
    expect(await refresh(id)).toMatchObject({ status: 'failed' });
    api.intercept = null;
    expect(await refresh(id)).toMatchObject({ success: true, recordsDeleted: 0 });
    expect(await refresh(id)).toMatchObject({ success: true, recordsDeleted: 1 });
    expect(await statusOf(id)).toMatchObject({ records: 29 });
  });

  test('of a single page deletes at once', async () => {
    const id = await syncedEvents(10);
    api.remove('events', 'r0004');
    expect(await refresh(id)).toMatchObject({ recordsDeleted: 1, warnings: [] });
    expect(await statusOf(id)).toMatchObject({ records: 9 });
  });
});

test('deletions that a run did not come to make are made by the next', async () => {
  api.put('events', ...numbered(8, { updated_at: '2026-01-01T00:00:00Z' }));
  const id = await addIntegration(database.current, api.url, { streams: ['events'] });
  await service.sync.run(id);
  api.remove('events', 'r0003');
  // Somebody holds the record, so that the run stands in its deletions; then its connection is lost.
  const holder = await database.current.pool.connect();
  await holder.query('begin');
  await holder.query(`select from records where integration_id = $1 and record_key = 'r0003' for update`, [id]);
  const running = service.sync.run(id, { fullRefresh: true });
  const backend = await eventually('the deletions to wait', async () => {
    const { rows } = await database.current.pool.query(
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows[0]?.pid as number | undefined;
  });
  const stopping = service.sync.stop(id);
  await database.current.pool.query('select pg_terminate_backend($1)', [backend]);
  await stopping;
  await holder.query('rollback');
  holder.release();
  expect(await running).toMatchObject({ status: 'stopped', recordsDeleted: 0 });
  expect(await liveKeys(database.current, id, 'events')).toHaveLength(8);
  expect(await service.sync.run(id)).toMatchObject({ success: true, recordsDeleted: 1, recordsRead: 7 });
  expect(await statusOf(id)).toMatchObject({ records: 7 });
  expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 0 });
});

describe('a confirmation', () => {
  test('spares records that came again since', async () => {
    api.put('events', ...numbered(10, { updated_at: '2026-01-01T00:00:00Z' }));
    const id = await addIntegration(database.current, api.url, { streams: ['events'] });
    await service.sync.run(id);
    const gone = api.tables.get('events')!;
    api.tables.clear();
    expect(await service.sync.run(id, { fullRefresh: true })).toMatchObject({ warnings: [{ stream: 'events' }] });
    // An incremental read brings three of them, two unchanged.
    api.put('events', gone.get('r0001')!, gone.get('r0002')!, { ...gone.get('r0003')!, name: 'changed' });
    await service.sync.run(id);
    expect(await service.sync.confirmDeletions(id, 'events')).toBe(7);
    expect(await liveKeys(database.current, id, 'events')).toEqual(['r0001', 'r0002', 'r0003']);
  });

  test('ends when the integration is being deleted', async () => {
    const id = await synced(10);
    api.tables.clear();
    await service.sync.run(id);
    await database.current.pool.query(`update integrations set status = 'deleting' where id = $1`, [id]);
    await expect(service.sync.confirmDeletions(id, 'items')).rejects.toThrow(ConflictError);
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(10);
  });

  test('waits for the end of a sync, and spares what that one has seen', async () => {
    const id = await synced(40);
    const gone = api.tables.get('items')!;
    api.tables.clear();
    await service.sync.run(id);
    api.tables.set('items', gone);
    api.intercept = (_request, _response, url) => url.searchParams.get('after') === 'r0020';
    const { id: runId } = await service.sync.requestRun(id, { trigger: 'manual' });
    await eventually('pages', async () => (await service.sync.getRun(runId)).pages === 2);
    await expect(service.sync.confirmDeletions(id, 'items')).rejects.toThrow(ConflictError);
    await service.sync.stop(id);
    expect(await service.sync.confirmDeletions(id, 'items')).toBe(20);
    expect(await liveKeys(database.current, id, 'items')).toEqual(keys(1, 20));
    const [confirmed] = await service.sync.listRuns(id);
    expect(confirmed).toMatchObject({ status: 'succeeded', recordsDeleted: 20, recordsRead: 0, pages: 0 });
    // They were there after all: they come back, as added.
    api.intercept = null;
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsAdded: 20, recordsDeleted: 0 });
    expect(await statusOf(id)).toMatchObject({ records: 40, pendingDeletions: null });
  });

  test('that was cut off is made by the next sync', async () => {
    const id = await synced(10);
    const { items } = Object.fromEntries(api.tables);
    api.tables.clear();
    await service.sync.run(id);
    // What a crash right after the confirmation leaves.
    await database.current.pool.query(
      `update sync_states set pending_deletions = null,
       due_deletions = jsonb_build_object('readId', pending_deletions -> 'readId', 'count', pending_deletions -> 'count')
       where integration_id = $1`,
      [id],
    );
    api.tables.set('items', items!);
    expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 10, recordsAdded: 10 });
    expect(await statusOf(id)).toMatchObject({ records: 10 });
  });
});

test('a record that goes and comes back is deleted, then added', async () => {
  const id = await synced(10);
  const before = await service.sync.changes(id, { limit: 100 });
  api.remove('items', 'r0007');
  expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 1 });
  const gone = await service.sync.changes(id, { cursor: before.nextCursor });
  expect(gone.records).toMatchObject([{ key: 'r0007', change: 'deleted', data: { name: 'record 7' } }]);
  api.put('items', numbered(7)[6]!);
  expect(await service.sync.run(id)).toMatchObject({ recordsAdded: 1, recordsUnchanged: 9 });
  const back = await service.sync.changes(id, { cursor: gone.nextCursor });
  expect(back.records).toMatchObject([{ key: 'r0007', change: 'added', deletedAt: null }]);
  expect(await statusOf(id)).toMatchObject({ records: 10 });
});
