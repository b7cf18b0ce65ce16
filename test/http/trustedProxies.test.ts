import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;

/** A request with a wrong key, of which an address has thirty a minute. */
const wrongKey = async (forwardedFor: string) =>
  (await server.request('GET', '/api/v1/integrations', { key: 'wrong', headers: { 'x-forwarded-for': forwardedFor } }))
    .status;

describe.each([
  { proxies: '127.0.0.0/8', counted: 'the address that the proxy names' },
  { proxies: '10.0.0.0/8', counted: 'the address of the connection' },
])('with TRUSTED_PROXIES=$proxies', ({ proxies, counted }) => {
  beforeAll(async () => {
    server = await openTestServer(database.url, { workers: false, environment: { TRUSTED_PROXIES: proxies } });
  });
  afterAll(() => server?.close());

  it(`an address is ${counted}`, async () => {
    for (let attempt = 0; attempt < 30; attempt++) expect(await wrongKey('203.0.113.7')).toBe(401);
    expect(await wrongKey('203.0.113.7')).toBe(429);
    expect(await wrongKey('203.0.113.8')).toBe(proxies === '127.0.0.0/8' ? 401 : 429);
    // What a client puts in front itself is not what the proxy saw.
    expect(await wrongKey('198.51.100.1, 203.0.113.7')).toBe(429);
  });
});
