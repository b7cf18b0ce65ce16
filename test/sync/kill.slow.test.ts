import { afterAll, beforeAll, test } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { seededRandom, syncUnderKills } from './support/killing.ts';
import { type RecordsApi, startRecordsApi } from './support/recordsApi.ts';

const database = useTestDatabase();
let api: RecordsApi;
beforeAll(async () => {
  api = await startRecordsApi();
});
afterAll(() => api.close());

test.each([1, 2, 3, 4, 5, 6, 7, 8])('killed at random moments, seed %i', async (seed) => {
  await syncUnderKills({
    database: database.current,
    databaseUrl: database.url,
    api,
    kills: 6,
    random: seededRandom(seed),
  });
});
