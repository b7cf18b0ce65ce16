import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { addIntegration, liveKeys, openSync, storedRecords } from './support/harness.ts';
import { numbered, type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

describe('a sync', () => {
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

  test('brings every record, and again only what changed', async () => {
    api.put('items', ...numbered(25));
    const id = await addIntegration(database.current, api.url, { streams: ['items'] });
    const first = await service.sync.run(id);
    expect(first).toMatchObject({
      success: true,
      status: 'succeeded',
      pages: 3,
      recordsRead: 25,
      recordsAdded: 25,
      recordsUpdated: 0,
      recordsDeleted: 0,
      recordsUnchanged: 0,
      error: null,
      warnings: [],
    });
    api.put('items', { id: 'r0003', name: 'new name' });
    expect(await service.sync.run(id)).toMatchObject({ recordsUpdated: 1, recordsUnchanged: 24, recordsAdded: 0 });
    const stored = await storedRecords(database.current, id, 'items');
    expect(stored).toHaveLength(25);
    expect(stored[2]).toEqual({ key: 'r0003', data: { id: 'r0003', name: 'new name' }, deleted: false });
    expect(await liveKeys(database.current, id, 'items')).toHaveLength(25);
  });
});
