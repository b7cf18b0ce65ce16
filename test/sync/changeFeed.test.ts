import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.ts';
import type { RecordChange } from '../../src/sync/types.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { addIntegration, openSync, storedRecords } from './support/harness.ts';
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
beforeEach(() => api.tables.clear());

const add = (streams = ['items', 'things']) => addIntegration(database.current, api.url, { streams });
const short = (records: readonly RecordChange[]) =>
  records.map(({ stream, key, change }) => `${change} ${stream}/${key}`);

describe('the change feed', () => {
  test('tells what was added, updated and deleted since a cursor, in order', async () => {
    api.put('items', ...numbered(6));
    const id = await add();
    await service.sync.run(id);
    const first = await service.sync.changes(id);
    expect(short(first.records)).toEqual(numbered(6).map((item) => `added items/${item.id}`));
    expect(first.hasMore).toBe(false);

    api.put('items', { id: 'r0002', name: 'other' }, { id: 'r0009', name: 'new' });
    api.remove('items', 'r0005');
    api.put('things', { id: 't1' });
    await service.sync.run(id);
    const second = await service.sync.changes(id, { cursor: first.nextCursor });
    expect(short(second.records)).toEqual([
      'updated items/r0002',
      'added items/r0009',
      'deleted items/r0005',
      'added things/t1',
    ]);
    expect(second.records[2]).toMatchObject({
      data: { id: 'r0005', name: 'record 5' },
      deletedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      changedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    // To who begins now, what was updated is new.
    expect(short((await service.sync.changes(id)).records)).toContain('added items/r0002');
  });

  test('is the same in pages of any size, and goes on when something new comes', async () => {
    api.put('items', ...numbered(25));
    api.put('things', ...numbered(12));
    const id = await add();
    await service.sync.run(id);
    const whole = (await service.sync.changes(id, { limit: 1000 })).records;
    expect(whole).toHaveLength(37);
    for (const limit of [1, 5, 36, 37]) {
      const records: RecordChange[] = [];
      let cursor: string | undefined;
      for (let hasMore = true; hasMore; ) {
        const page = await service.sync.changes(id, { cursor, limit });
        expect(page.records.length).toBeLessThanOrEqual(limit);
        records.push(...page.records);
        ({ nextCursor: cursor, hasMore } = page);
      }
      expect(records).toEqual(whole);
      expect(await service.sync.changes(id, { cursor })).toEqual({ records: [], nextCursor: cursor, hasMore: false });
    }
  });

  test('of one stream leaves the others out', async () => {
    api.put('items', ...numbered(3));
    api.put('things', ...numbered(4));
    const id = await add();
    await service.sync.run(id);
    expect((await service.sync.changes(id, { stream: 'things' })).records).toHaveLength(4);
    expect((await service.sync.changes(id, { stream: 'nothing' })).records).toEqual([]);
    expect((await service.sync.changes(await add())).records).toEqual([]);
  });

  test('ends a page early when its records are large', async () => {
    // Random text, which does not compress.
    const noise = Array.from({ length: 90_000 }, () => Math.random().toString(36).slice(2)).join('');
    api.put('items', ...numbered(9, { noise }));
    const id = await add(['items']);
    await service.sync.run(id);
    const page = await service.sync.changes(id, { limit: 9 });
    expect(page.records.length).toBeGreaterThan(1);
    expect(page.records.length).toBeLessThan(9);
    expect(page.hasMore).toBe(true);
    let count = page.records.length;
    for (let next = page; next.hasMore; count += next.records.length)
      next = await service.sync.changes(id, { limit: 9, cursor: next.nextCursor });
    expect(count).toBe(9);
  });

  test.each(['', 'x', 'chg_', 'chg_-1', 'chg_zzzzzzzzzzzzzzzz', 'chg_1; drop table records'])(
    'refuses the cursor %j',
    async (cursor) => {
      await expect(service.sync.changes('int_x', { cursor })).rejects.toThrow(InvalidInputError);
    },
  );

  test.each([0, -1, 1.5, 1001, Number.NaN])('refuses the limit %j', async (limit) => {
    await expect(service.sync.changes('int_x', { limit })).rejects.toThrow(/from 1 to 1000/);
  });
});

describe('erasing', () => {
  test('takes every record of the integration and of no other', async () => {
    api.put('items', ...numbered(40));
    api.put('things', ...numbered(15));
    const [id, other] = [await add(), await add()];
    await service.sync.run(id);
    await service.sync.run(other);
    await service.sync.erase(id);
    expect(await storedRecords(database.current, id, 'items')).toEqual([]);
    expect(await storedRecords(database.current, id, 'things')).toEqual([]);
    expect(await storedRecords(database.current, other, 'items')).toHaveLength(40);
    await service.sync.erase(id);
  });

  test('leaves nothing of what is changed at the same time', async () => {
    api.put('items', ...numbered(40));
    const id = await add();
    await service.sync.run(id);
    const { promise: written, resolve: write } = Promise.withResolvers<void>();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const changing = database.current.transaction(async (tx) => {
      await sql`update records set change_seq = change_seq + 1 where integration_id = ${id} and record_key > 'r0030'`.execute(
        tx,
      );
      write();
      await held;
    });
    await written;
    const erasing = service.sync.erase(id);
    await eventually('the erasure to wait', async () => {
      const { rows } = await database.current.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
    release();
    await Promise.all([changing, erasing]);
    expect(await storedRecords(database.current, id, 'items')).toEqual([]);
  });

  test('can be interrupted', async () => {
    await expect(service.sync.erase('int_x', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});
