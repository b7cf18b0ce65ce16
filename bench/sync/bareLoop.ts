// What our sync is measured against: fetches the pages one after the other and COPYs the records into a table
// without indexes, in one COPY. Arguments: connection string, address of the API. Prints its figures.

import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Client } from 'undici';

const [databaseUrl, apiUrl] = process.argv.slice(2) as [string, string];
const client = new pg.Client(databaseUrl);
await client.connect();
await client.query('drop table if exists bare_records');
await client.query('create table bare_records (id text not null, data jsonb not null)');
const api = new Client(apiUrl);

const startedAt = performance.now();
const copy = client.query(copyFrom('copy bare_records (id, data) from stdin'));
let records = 0;
for (let page = 1, more = true; more; page++) {
  const { body } = await api.request({ method: 'GET', path: `/records?page=${page}` });
  const answer = (await body.json()) as { items: { id: number }[]; has_more: boolean };
  let text = '';
  for (const item of answer.items) text += `${item.id}\t${JSON.stringify(item).replaceAll('\\', '\\\\')}\n`;
  if (!copy.write(text)) await once(copy, 'drain');
  records += answer.items.length;
  more = answer.has_more;
}
copy.end();
await finished(copy);
const seconds = (performance.now() - startedAt) / 1000;
console.log(JSON.stringify({ records, seconds, maxRssMb: process.resourceUsage().maxRSS / 1024 }));
await api.close();
await client.end();
