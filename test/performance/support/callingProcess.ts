// callingProcess.ts <database url> <integration id>: calls its provider again and again, until it is told to end on
// stdin or killed.

import { once } from 'node:events';
import { openTestApp } from '../../support/app.ts';

const [url, id] = process.argv.slice(2) as [string, string];
const app = await openTestApp(url, { workers: false });
const integration = (await app.catalog.find(id))!;
const told = once(process.stdin, 'data');
let ended = false;
void told.then(() => {
  ended = true;
});
console.log('ready');
while (!ended) await app.integrationService.testConnection(integration);
await app.close();
console.log('closed');
process.exit(0);
