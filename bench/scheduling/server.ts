// A server of the product at work: fires what is due and syncs it, until it is told to end. Arguments: connection
// string, a folder for data.

import { openApp } from '../../src/app.ts';
import { makeConfig } from '../../src/config/config.ts';

const [databaseUrl, dataDir] = process.argv.slice(2) as [string, string];
const config = makeConfig({
  NODE_ENV: 'test',
  DATABASE_URL: databaseUrl,
  DATA_DIR: dataDir,
  ALLOWED_PRIVATE_HOSTS: '127.0.0.1',
});
const app = await openApp({ config });
// Waiting for work keeps no process alive.
setInterval(() => {}, 60_000);
console.log('working');
process.on('SIGTERM', async () => {
  await app.close();
  process.exit();
});
