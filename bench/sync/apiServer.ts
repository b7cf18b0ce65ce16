// An API as its own process: GET /records?page=n gives a page of 100 records of 1 KB, until there are no more.
// Arguments: the number of records. Prints its address.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const RECORDS = Number(process.argv[2]);
const PAGE_SIZE = 100;
const RECORD_BYTES = 1_024;

/** Fields as APIs have them: nested, several types, text with quotes and other languages. */
function record(id: number): string {
  const fields = {
    id,
    object: 'customer',
    name: `Customer ${id}`,
    email: `customer${id}@example.com`,
    created: 1_700_000_000 + id,
    balance: (id % 1000) / 4,
    currency: 'eur',
    active: id % 7 !== 0,
    phone: null,
    address: { line1: `${id % 300} Main "St"`, city: 'Zürich', country: 'CH', postal_code: '8001' },
    tags: ['a', 'b', `t${id % 50}`],
    metadata: { plan: 'gold', source: 'import', order_id: `SO-${id}` },
    updated_at: new Date(1_700_000_000_000 + id * 1000).toISOString(),
    description: '',
  };
  const missing = RECORD_BYTES - Buffer.byteLength(JSON.stringify(fields));
  return JSON.stringify({ ...fields, description: 'Lorem ipsum dolor sit amet. '.repeat(40).slice(0, missing) });
}

const server = createServer((request, response) => {
  const page = Number(new URL(request.url!, 'http://api').searchParams.get('page') ?? 1);
  const first = (page - 1) * PAGE_SIZE;
  const count = Math.max(0, Math.min(PAGE_SIZE, RECORDS - first));
  const items = Array.from({ length: count }, (_, index) => record(first + index + 1));
  const body = Buffer.from(`{"items":[${items.join(',')}],"has_more":${first + count < RECORDS}}`);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
});
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
