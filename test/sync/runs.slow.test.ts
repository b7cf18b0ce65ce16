import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AbortedError, ConflictError } from '../../src/core/errors.ts';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/database.ts';
import { claimRuns, findRun } from '../../src/sync/runQueries.ts';
import type { SyncRun } from '../../src/sync/types.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { addIntegration, liveKeys, openSync, storedRecords } from './support/harness.ts';
import { numbered, type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

const database = useTestDatabase();
let api: RecordsApi;
/** Works on the queue. */
let service: ReturnType<typeof openSync>;
/** Another process: its own connections, and no workers. */
let otherDatabase: Database;
let other: ReturnType<typeof openSync>;

beforeAll(async () => {
  api = await startRecordsApi();
  service = openSync(database.current);
  otherDatabase = await openDatabase({ url: database.url, dataDir: '', migrate: false });
  other = openSync(otherDatabase, { workers: false });
});
afterAll(async () => {
  await other.close();
  await otherDatabase.close();
  await service.close();
  await api.close();
});
beforeEach(() => {
  api.intercept = null;
  api.tables.clear();
});

/** Answers pages from the given one on never, so that a run stays under way. */
function hangFromPage(page: number) {
  api.intercept = (_request, response, url) => {
    const after = url.searchParams.get('after') ?? '';
    if (page > 1 && after < `r${String((page - 1) * 10).padStart(4, '0')}`) return false;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"items":[');
    return true;
  };
}

const add = (streams = ['items']) => addIntegration(database.current, api.url, { streams });

describe('the runs of an integration', () => {
  test('are joined while one is active', async () => {
    api.put('items', ...numbered(25));
    hangFromPage(2);
    const id = await add();
    const run = await service.sync.requestRun(id, { trigger: 'manual' });
    const again = await other.sync.requestRun(id, { trigger: 'manual', fullRefresh: true });
    expect(again.id).toBe(run.id);
    await eventually('first page', async () => (await service.sync.getRun(run.id)).pages === 1);
    await service.sync.stop(id);
    expect(await service.sync.listRuns(id)).toHaveLength(1);
  });

  test('that wait take over what is asked of them', async () => {
    const id = await add();
    const { sync } = other;
    // Nobody works on the queue of this database while it is claimed here.
    await service.close();
    const first = await sync.requestRun(id, { trigger: 'schedule', streams: ['items'] });
    const second = await sync.requestRun(id, { trigger: 'manual', streams: ['things'], fullRefresh: true });
    expect(second).toMatchObject({ id: first.id, fullRefresh: true });
    expect((await findRun(database.current.db, first.id))?.streams?.toSorted()).toEqual(['items', 'things']);
    await sync.requestRun(id, { trigger: 'manual' });
    expect((await findRun(database.current.db, first.id))?.streams).toBeNull();
    await sync.stop(id);
    service = openSync(database.current);
  });

  test('are counted, listed newest first, and told to whoever wants to know', async () => {
    const finished: SyncRun[] = [];
    const listening = openSync(database.current, { onRunFinished: async (run) => void finished.push(run) });
    await service.close();
    api.put('items', ...numbered(12));
    const id = await add();
    const progress: number[] = [];
    const first = await listening.sync.run(id, { onProgress: (run) => progress.push(run.pages) });
    api.remove('items', 'r0012');
    const second = await listening.sync.run(id);
    expect((await listening.sync.listRuns(id)).map((run) => run.id)).toEqual([second.id, first.id]);
    expect((await listening.sync.listRuns(id, { before: second.id })).map((run) => run.id)).toEqual([first.id]);
    expect(second).toMatchObject({ recordsRead: 11, recordsDeleted: 1, recordsUnchanged: 11 });
    expect(progress.at(-1)).toBe(2);
    expect(finished.map((run) => run.id)).toEqual([first.id, second.id]);
    await listening.close();
    service = openSync(database.current);
  });

  test('runAll gives a result each, in order, and leaves deleted integrations out', async () => {
    api.put('items', ...numbered(5));
    const ids = await Promise.all(Array.from({ length: 20 }, () => add()));
    const results = await service.sync.runAll(['int_gone', ...ids]);
    expect(results.map((result) => result.integrationId)).toEqual(ids);
    expect(results.every((result) => result.success && result.recordsAdded === 5)).toBe(true);
  });

  test('runAll leaves out those that are found deleted when their run begins', async () => {
    api.put('items', ...numbered(5));
    const [deleted, id] = [await add(), await add()];
    await database.current.pool.query(`update integrations set status = 'deleting' where id = $1`, [deleted]);
    expect(await service.sync.runAll([deleted, id])).toMatchObject([{ integrationId: id, success: true }]);
  });

  test('runAll asks for no more after an error, and throws when those under way have ended', async () => {
    api.put('items', ...numbered(5));
    const ids = await Promise.all(Array.from({ length: 12 }, () => add()));
    await service.close();
    const few = openSync(database.current, { concurrency: 2 });
    // The database refuses the run of the third.
    await database.current.pool.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise 'no more runs'; end $$;
       create trigger refuse before insert on sync_runs for each row when (new.integration_id = '${ids[2]}')
       execute function refuse()`,
    );
    await expect(few.sync.runAll(ids)).rejects.toThrow('no more runs');
    const requested = (await Promise.all(ids.map((id) => few.sync.listRuns(id)))).flat();
    expect(requested.length).toBeLessThan(8);
    expect(requested.every(({ finishedAt }) => finishedAt !== null)).toBe(true);
    await database.current.pool.query('drop trigger refuse on sync_runs; drop function refuse');
    await few.close();
    service = openSync(database.current);
  });

  test('of an unknown integration are refused', async () => {
    await expect(service.sync.requestRun('int_unknown', { trigger: 'manual' })).rejects.toThrow(ConflictError);
  });

  test('waiting can be given up without ending the run', async () => {
    api.put('items', ...numbered(5));
    hangFromPage(1);
    const id = await add();
    const { id: runId } = await service.sync.requestRun(id, { trigger: 'manual' });
    await expect(service.sync.waitForRun(runId, AbortSignal.timeout(100))).rejects.toThrow(AbortedError);
    expect((await service.sync.getRun(runId)).finishedAt).toBeNull();
    await service.sync.stop(id);
  });
});

describe('stopping', () => {
  test.each([
    ['in this process', () => service],
    ['in another process', () => other],
  ])('ends a run whose API hangs in the middle of a body, and keeps what was written (%s)', async (_, asking) => {
    api.put('items', ...numbered(45));
    hangFromPage(4);
    const id = await add();
    const run = await service.sync.requestRun(id, { trigger: 'manual' });
    await eventually('three pages', async () => (await service.sync.getRun(run.id)).pages === 3);
    const askedAt = performance.now();
    await asking().sync.stop(id);
    expect(performance.now() - askedAt).toBeLessThan(2_000);
    const stopped = await service.sync.getRun(run.id);
    expect(stopped).toMatchObject({ status: 'stopped', recordsAdded: 30, error: null });
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(30);

    // The next run goes on where this one ended.
    api.intercept = null;
    api.requests.length = 0;
    expect(await service.sync.run(id)).toMatchObject({ recordsRead: 15, recordsAdded: 15, success: true });
    expect(api.requests).toEqual(['/items?after=r0030', '/items?after=r0040']);
    expect(await service.sync.streamStatus(id)).toMatchObject([
      { stream: 'items', records: 45, pendingDeletions: null },
    ]);
  });

  test('takes a waiting run out of the queue', async () => {
    const id = await add();
    await service.close();
    const run = await other.sync.requestRun(id, { trigger: 'manual' });
    await other.sync.stop(id);
    expect(await other.sync.getRun(run.id)).toMatchObject({ status: 'stopped', startedAt: null });
    await other.sync.stop(id);
    service = openSync(database.current);
  });

  test('ends the run of a worker that is gone', async () => {
    const id = await add();
    await service.close();
    const run = await other.sync.requestRun(id, { trigger: 'manual' });
    expect(await claimRuns(database.current.db, 1)).toMatchObject([{ id: run.id }]);
    await expireLease(run.id);
    await other.sync.stop(id);
    expect(await other.sync.getRun(run.id)).toMatchObject({ status: 'stopped' });
    service = openSync(database.current);
  });

  test('ends a run within two seconds also when pages come all the time', async () => {
    api.put('items', ...numbered(5_000));
    const id = await add();
    const run = await service.sync.requestRun(id, { trigger: 'manual' });
    await eventually('some pages', async () => (await service.sync.getRun(run.id)).pages > 0);
    const askedAt = performance.now();
    await other.sync.stop(id);
    expect(performance.now() - askedAt).toBeLessThan(2_000);
    const { status, recordsAdded } = await service.sync.getRun(run.id);
    expect(status).toBe('stopped');
    expect(await storedRecords(database.current, id, 'items')).toHaveLength(recordsAdded);
  });
});

describe('stopping while a page of 25 MB is written', () => {
  test.each([
    ['in this process', () => service],
    ['in another process', () => other],
  ])('ends the run within two seconds, and the page is read again (%s)', async (_, asking) => {
    const page = JSON.stringify({ items: numbered(40_000, { filler: 'x'.repeat(600) }), more: false });
    api.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(page);
      return true;
    };
    const id = await add();
    const run = await service.sync.requestRun(id, { trigger: 'manual' });
    await eventually('the transaction that writes it', async () => {
      const { rows } = await database.current.pool.query(
        `select from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()
           and state <> 'idle' and query like '%compared as materialized%'`,
      );
      return rows.length > 0;
    });
    const askedAt = performance.now();
    await asking().sync.stop(id);
    expect(performance.now() - askedAt).toBeLessThan(2_000);
    expect(await service.sync.getRun(run.id)).toMatchObject({ status: 'stopped', pages: 0, recordsAdded: 0 });
    expect(await storedRecords(database.current, id, 'items')).toEqual([]);
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsAdded: 40_000 });
  });
});

describe('streams', () => {
  test('one that fails does not hold up the others, and its error ends the run', async () => {
    api.put('items', ...numbered(25));
    api.put('events', { id: 'e1', updated_at: '2026-01-01T00:00:00Z' });
    api.intercept = (_request, response, url) => {
      if (url.searchParams.get('after') !== 'r0020') return false;
      response.writeHead(404).end();
      return true;
    };
    const id = await add(['items', 'events']);
    const run = await service.sync.run(id);
    expect(run).toMatchObject({
      status: 'failed',
      success: false,
      recordsAdded: 21,
      error: { code: 'OUTGOING_CALL_FAILED', stream: 'items' },
    });
    expect(await liveKeys(database.current, id, 'events')).toEqual(['e1']);
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(20);
    api.intercept = null;
    expect(await service.sync.run(id)).toMatchObject({ success: true, recordsAdded: 5 });
  });

  test('several that fail are all named', async () => {
    api.intercept = (_request, response) => {
      response.writeHead(404).end();
      return true;
    };
    const id = await add(['items', 'events', 'things']);
    expect(await service.sync.run(id)).toMatchObject({
      error: { stream: 'items' },
      warnings: [{ stream: 'events' }, { stream: 'things' }],
    });
  });

  test('that do not exist are refused with those that do', async () => {
    const id = await add();
    expect(await service.sync.run(id, { streams: ['item'] })).toMatchObject({
      status: 'failed',
      error: {
        code: 'UNKNOWN_STREAM',
        message: expect.stringMatching(/Did you mean "items"\? It has: items, events, things/),
      },
    });
  });

  test('are those of the connector that are on by default, unless named', async () => {
    api.put('items', ...numbered(1));
    api.put('things', ...numbered(1));
    const id = await addIntegration(database.current, api.url);
    await service.sync.run(id);
    expect((await service.sync.streamStatus(id)).map((row) => row.stream)).toEqual(['events', 'items']);
    await service.sync.run(id, { streams: ['things'] });
    expect((await service.sync.streamStatus(id)).map((row) => row.stream)).toEqual(['events', 'items', 'things']);
  });
});

describe('incremental streams', () => {
  test('lose no record that shares the last timestamp', async () => {
    const at = '2026-01-01T00:00:00Z';
    api.put('events', ...numbered(15, { updated_at: at }, 'a'));
    const id = await add(['events']);
    await service.sync.run(id);
    // Written in the same second, after the first run had passed it.
    api.put('events', ...numbered(3, { updated_at: at }, 'b'), { id: 'c1', updated_at: '2026-01-01T00:00:01Z' });
    expect(await service.sync.run(id)).toMatchObject({ recordsAdded: 4, recordsUpdated: 0 });
    expect(await liveKeys(database.current, id, 'events')).toHaveLength(19);
  });

  test('a full refresh reads them from the start and finds what is gone', async () => {
    api.put('events', ...numbered(30, { updated_at: '2026-01-01T00:00:00Z' }), {
      id: 'z1',
      updated_at: '2026-02-01T00:00:00Z',
    });
    const id = await add(['events']);
    await service.sync.run(id);
    api.remove('events', 'r0004', 'r0005');
    expect(await service.sync.run(id)).toMatchObject({ recordsRead: 1, recordsDeleted: 0 });
    expect(await service.sync.run(id, { fullRefresh: true })).toMatchObject({ recordsRead: 29, recordsDeleted: 0 });
    expect(await service.sync.run(id, { fullRefresh: true })).toMatchObject({ recordsRead: 29, recordsDeleted: 2 });
    expect(await liveKeys(database.current, id, 'events')).not.toContain('r0004');
  });
});

describe('a worker that was away', () => {
  test('cannot write once another has its run, and the run is whole', async () => {
    api.put('items', ...numbered(45));
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    let stalls = true;
    api.intercept = async (_request, _response, url) => {
      if (url.searchParams.get('after') === 'r0020' && stalls) {
        stalls = false;
        reach();
        await held;
      }
      return false;
    };
    const id = await add();
    const run = await service.sync.requestRun(id, { trigger: 'manual' });
    await reached;
    await eventually('two pages', async () => (await service.sync.getRun(run.id)).pages === 2);
    // As if its process had been paused: the other one takes the run over, while this one still waits for a page.
    const paused = await findRun(database.current.db, run.id);
    await takeOver(run.id);
    const taken = await findRun(database.current.db, run.id);
    expect(taken!.lease_token).toBe(paused!.lease_token + 1);
    release();
    await delay(1_500);
    // Its pages came, and were not written.
    expect(await service.sync.getRun(run.id)).toMatchObject({ status: 'running', pages: 2 });
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(20);
    await expireLease(run.id);
    expect(await service.sync.waitForRun(run.id)).toMatchObject({ success: true, recordsAdded: 45 });
  });
});

test('a run that its own process lost and claimed again has one execution, which can be stopped', async () => {
  api.put('items', ...numbered(45));
  const held: ServerResponse[] = [];
  api.intercept = (_request, response, url) => {
    if (url.searchParams.get('after') !== 'r0020') return false;
    held.push(response);
    return true;
  };
  const id = await add();
  const { id: runId } = await service.sync.requestRun(id, { trigger: 'manual' });
  await eventually('two pages', async () => (await service.sync.getRun(runId)).pages === 2);
  // As if the process had been suspended for longer than a lease, and then looked into the queue first.
  await eventually('a second claim', async () => {
    await expireLease(runId);
    await service.sync.requestRun(id, { trigger: 'manual' });
    return (await findRun(database.current.db, runId))!.lease_token > 1;
  });
  await eventually('the second execution to wait', () => held.length === 2);
  // The page that the first one waits for comes: it cannot write it, and ends.
  held[0]!.writeHead(200, { 'content-type': 'application/json' }).end('{"items": [], "more": false}');
  await delay(700);
  const askedAt = performance.now();
  await service.sync.stop(id);
  expect(performance.now() - askedAt).toBeLessThan(2_000);
  expect(await service.sync.getRun(runId)).toMatchObject({ status: 'stopped', recordsAdded: 20 });
});

async function expireLease(runId: string): Promise<void> {
  await database.current.db
    .updateTable('sync_runs')
    .set({ lease_until: new Date(Date.now() - 1_000) })
    .where('id', '=', runId)
    .execute();
}

/** What claimRuns does of another process, however long the lease of the first still is. */
async function takeOver(runId: string): Promise<void> {
  await database.current.pool.query(
    `update sync_runs set lease_token = lease_token + 1, lease_until = now() + interval '8 seconds' where id = $1`,
    [runId],
  );
}
