import { randomInt } from 'node:crypto';
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

const seed = randomInt(2 ** 31);
test(`workers killed at random moments leave what an uninterrupted sync leaves (seed ${seed})`, async () => {
  await syncUnderKills({
    database: database.current,
    databaseUrl: database.url,
    api,
    kills: 2,
    random: seededRandom(seed),
  });
});
