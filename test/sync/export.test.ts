import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.ts';
import { useTestDatabase } from '../support/database.ts';
import { addIntegration, openSync } from './support/harness.ts';
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

async function synced(): Promise<string> {
  const id = await addIntegration(database.current, api.url, { streams: ['items'] });
  expect(await service.sync.run(id)).toMatchObject({ success: true });
  return id;
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

test('NDJSON is exact: a line a record, in the order of keys', async () => {
  const awkward = {
    id: 'a"1',
    text: 'line\nbreak, "quotes" = ü',
    list: [1, { b: null }],
    number: -0.5,
    formula: '=1+1',
  };
  api.put('items', awkward, { id: 'b', nested: { x: 1 } });
  const id = await synced();
  const lines = (await textOf(service.sync.export(id, 'items', 'ndjson'))).split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { key: 'a"1', changedAt: time, deletedAt: null, data: awkward },
    { key: 'b', changedAt: time, deletedAt: null, data: { id: 'b', nested: { x: 1 } } },
  ]);
});

test('CSV has a column a top-level field, quotes what must be, and disarms formulas', async () => {
  api.put(
    'items',
    { id: 'a', name: 'Anna "A", B', note: 'two\nlines', amount: -5, on: true },
    { id: 'b', name: '=HYPERLINK("http://x")', tags: ['x', 1], phone: '+49 1', nothing: null, toString: 'own' },
    { id: 'c', name: '-1', note: '\r', amount: 1.5, on: false, tags: { a: 'b' } },
  );
  const id = await synced();
  const text = (await textOf(service.sync.export(id, 'items', 'csv'))).replaceAll(/\d{4}-[^,]*Z/g, 'TIME');
  expect(text.split('\r\n')).toEqual([
    '_key,_changed_at,_deleted_at,amount,id,name,note,nothing,on,phone,tags,toString',
    'a,TIME,,-5,a,"Anna ""A"", B","two\nlines",,true,,,',
    `b,TIME,,,b,"'=HYPERLINK(""http://x"")",,,,'+49 1,"[""x"",1]",own`,
    `c,TIME,,1.5,c,'-1,"'\r",,false,,"{""a"":""b""}",`,
    '',
  ]);
});

test('long streams come whole, in pieces', async () => {
  api.put('items', ...numbered(1_234));
  const id = await synced();
  for (const format of ['ndjson', 'csv'] as const) {
    const pieces: string[] = [];
    for await (const piece of service.sync.export(id, 'items', format)) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(2);
    const keys = pieces
      .join('')
      .match(/^(\{"key":")?r\d{4}/gm)!
      .map((start) => start.slice(-5));
    expect(keys).toEqual(numbered(1_234).map((item) => item.id));
  }
});

test('pieces stay small when records are large', async () => {
  const noise = Array.from({ length: 80_000 }, () => Math.random().toString(36).slice(2)).join('');
  api.put('items', ...numbered(8, { noise }));
  const id = await synced();
  let records = 0;
  for await (const piece of service.sync.export(id, 'items', 'ndjson')) {
    expect(piece.length).toBeLessThan(4 * 1024 * 1024);
    records += piece.match(/\n/g)!.length;
  }
  expect(records).toBe(8);
});

test('what is deleted is left out unless asked for', async () => {
  api.put('items', ...numbered(10));
  const id = await synced();
  api.remove('items', 'r0003');
  await service.sync.run(id);
  expect(await textOf(service.sync.export(id, 'items', 'ndjson'))).not.toContain('r0003');
  const lines = (await textOf(service.sync.export(id, 'items', 'ndjson', { includeDeleted: true }))).trim().split('\n');
  expect(lines).toHaveLength(10);
  expect(JSON.parse(lines[2]!)).toMatchObject({ key: 'r0003', deletedAt: time, data: { name: 'record 3' } });
});

test('an empty stream is a header, or nothing', async () => {
  const id = await synced();
  expect(await textOf(service.sync.export(id, 'items', 'ndjson'))).toBe('');
  expect(await textOf(service.sync.export(id, 'items', 'csv'))).toBe('_key,_changed_at,_deleted_at\r\n');
});

test('more fields than a table can have are refused', async () => {
  const fields = Object.fromEntries(Array.from({ length: 2_001 }, (_, index) => [`f${index}`, 1]));
  api.put('items', { id: 'a', ...fields });
  const id = await synced();
  await expect(textOf(service.sync.export(id, 'items', 'csv'))).rejects.toThrow(InvalidInputError);
});
