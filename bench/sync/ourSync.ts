// A sync by the whole product: connector, pipeline, records. Arguments: connection string, address of the API, a
// folder for data. Prints its figures.

import { openApp } from '../../src/app.ts';
import { makeConfig } from '../../src/config/config.ts';

const [databaseUrl, apiUrl, dataDir] = process.argv.slice(2) as [string, string, string];
const config = makeConfig({
  NODE_ENV: 'test',
  DATABASE_URL: databaseUrl,
  DATA_DIR: dataDir,
  ALLOWED_PRIVATE_HOSTS: '127.0.0.1',
  DEFAULT_RATE_LIMIT: '1000000',
  RATE_LIMIT_WINDOW: '1000',
});
const app = await openApp({ config });
const { id } = await app.integrationService.createIntegration({
  name: 'bench',
  platform: 'http',
  configuration: {
    connector: {
      baseUrl: apiUrl,
      auth: [{ name: 'none', title: 'None', type: 'none' }],
      check: { path: '/records' },
      pagination: { type: 'page', param: 'page', hasMorePath: 'has_more' },
      streams: [{ name: 'records', title: 'Records', path: '/records', recordsPath: 'items', primaryKey: 'id' }],
    },
  },
});
const run = await app.integrationService.syncIntegration(id);
if (!run.success) throw new Error(`The sync ended as ${run.status}: ${run.error?.message}`);
const maxRssMb = process.resourceUsage().maxRSS / 1024;
await app.close();
console.log(JSON.stringify({ records: run.recordsAdded, seconds: run.durationMs / 1000, maxRssMb }));
