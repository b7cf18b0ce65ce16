import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { RecordBatch } from '../../src/sync/recordBatch.ts';
import { useTestDatabase } from '../support/database.ts';
import { addIntegration, liveKeys, openSync, storedRecords } from './support/harness.ts';
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

const add = (streams = ['items']) => addIntegration(database.current, api.url, { streams });

/** Answers with this text to the letter. */
function answer(...items: string[]) {
  api.intercept = (_request, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(`{"items":[${items.join(',')}],"more":false}`);
    return true;
  };
}

test('text that PostgreSQL cannot store is replaced, with a warning, and equal again the next time', async () => {
  answer(
    String.raw`{"id":"a","nul":"x\u0000y","\u0000name":1,"lone":"\ud83d","pair":"\ud83d\ude00"}`,
    '{"id":"b","big":1e400,"small":-1e400,"tiny":5e-324,"large":1.7976931348623157e308,"zero":-0}',
    String.raw`{"id":"c\u0000","text":"\\u0000 stays"}`,
  );
  const id = await add();
  expect(await service.sync.run(id)).toMatchObject({
    success: true,
    recordsAdded: 3,
    warnings: [{ code: 'CHARACTERS_REPLACED', stream: 'items' }],
  });
  expect((await storedRecords(database.current, id, 'items')).map(({ key, data }) => [key, data])).toEqual([
    ['a', { id: 'a', nul: 'x\ufffdy', '\ufffdname': 1, lone: '\ufffd', pair: '\ud83d\ude00' }],
    ['b', { id: 'b', big: null, small: null, tiny: 5e-324, large: 1.7976931348623157e308, zero: 0 }],
    ['c\ufffd', { id: 'c\ufffd', text: '\\u0000 stays' }],
  ]);
  expect(await service.sync.run(id)).toMatchObject({ recordsUnchanged: 3, recordsUpdated: 0 });
});

test('members named like parts of JavaScript are data', async () => {
  answer('{"id":"a","__proto__":{"polluted":true},"constructor":{"prototype":1},"toString":"x","hasOwnProperty":null}');
  const id = await add();
  expect(await service.sync.run(id)).toMatchObject({ success: true, recordsAdded: 1, warnings: [] });
  const text = (await service.sync.changes(id)).records.map((record) => JSON.stringify(record.data)).join();
  expect(JSON.parse(text)).toEqual(
    JSON.parse(
      '{"id":"a","__proto__":{"polluted":true},"constructor":{"prototype":1},"toString":"x","hasOwnProperty":null}',
    ),
  );
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('another order of members is no change', async () => {
  answer('{"id":"a","b":1,"c":{"x":1,"y":[1,{"p":1,"q":2}]}}');
  const id = await add();
  await service.sync.run(id);
  answer('{"c":{"y":[1,{"q":2,"p":1.0}],"x":1e0},"b":1,"id":"a"}');
  expect(await service.sync.run(id)).toMatchObject({ recordsUnchanged: 1, recordsUpdated: 0 });
  answer('{"c":{"y":[1,{"q":2,"p":2}],"x":1},"b":1,"id":"a"}');
  expect(await service.sync.run(id)).toMatchObject({ recordsUpdated: 1 });
});

test('of a key that comes more than once in a page the last counts', async () => {
  answer('{"id":"a","n":1}', '{"id":"b","n":1}', '{"id":"a","n":2}', '{"id":"a","n":3}');
  const id = await add();
  expect(await service.sync.run(id)).toMatchObject({ recordsRead: 4, recordsAdded: 2, recordsUnchanged: 2 });
  expect((await storedRecords(database.current, id, 'items')).map(({ data }) => data.n)).toEqual([3, 1]);
  expect((await service.sync.streamStatus(id))[0]?.records).toBe(2);
});

test('a page far larger than a batch is written whole, also with keys that repeat', async () => {
  const items = numbered(3_500).concat(numbered(1_200, { again: true }));
  answer(...items.map((item) => JSON.stringify(item)));
  const id = await add();
  expect(await service.sync.run(id)).toMatchObject({ pages: 1, recordsRead: 4_700, recordsAdded: 3_500 });
  const stored = await storedRecords(database.current, id, 'items');
  expect(stored).toHaveLength(3_500);
  expect(stored.filter(({ data }) => data.again === true)).toHaveLength(1_200);
  expect((await service.sync.streamStatus(id))[0]?.records).toBe(3_500);
});

test('large records are stored', async () => {
  const large = 'ä'.repeat(1_000_000);
  api.put('items', { id: 'a', large }, { id: 'b', large: large.slice(1) });
  const id = await add();
  expect(await service.sync.run(id)).toMatchObject({ success: true, recordsAdded: 2 });
  expect((await storedRecords(database.current, id, 'items')).map(({ data }) => String(data.large).length)).toEqual([
    1_000_000, 999_999,
  ]);
});

test('a record over the limit is refused by name', () => {
  const page = { records: [{ key: 'b', data: { large: 'ä'.repeat(3_000_000) } }], state: null, last: true };
  expect(() => new RecordBatch().add(page, 'items')).toThrow(
    /^Record "b" of the stream "items" cannot be stored: it has 6000012 bytes; at most 4194304 are stored/,
  );
});

test.each([
  ['a key that is too long', `{"id":"${'k'.repeat(2_001)}"}`, /its key has 2001 bytes; at most 2000/],
  ['data that is nested too deep', `{"id":"a","deep":${'['.repeat(600)}${']'.repeat(600)}}`, /nested deeper than 500/],
])('%s fails the stream', async (_, item, message) => {
  answer(item);
  const id = await add();
  expect(await service.sync.run(id)).toMatchObject({
    status: 'failed',
    error: { code: 'RECORD_REJECTED', message: expect.stringMatching(message) },
  });
});

test('keys that differ in case, accents or trailing blanks are different, also where texts sort otherwise', async () => {
  const ids = ['a', 'A', 'á', 'a ', 'a\u0301', 'ß', 'ss', '-a', 'a-', '1', '01'];
  answer(...ids.map((one) => JSON.stringify({ id: one })));
  const id = await add();
  expect(await service.sync.run(id)).toMatchObject({ recordsAdded: ids.length });
  expect((await liveKeys(database.current, id, 'items')).toSorted()).toEqual(ids.toSorted());
  answer(...ids.slice(0, 10).map((one) => JSON.stringify({ id: one })));
  expect(await service.sync.run(id)).toMatchObject({ recordsDeleted: 1, recordsUnchanged: 10 });
});

test('an empty stream is synced', async () => {
  const id = await add();
  expect(await service.sync.run(id)).toMatchObject({ success: true, pages: 1, recordsRead: 0 });
  expect(await service.sync.streamStatus(id)).toMatchObject([{ records: 0, lastFullReadAt: expect.any(String) }]);
});
