import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/audit/checkpoint.ts';
import { parseVerifierKey } from '../../src/audit/signedNote.ts';
import { verifyExport, verifyProof } from '../../src/audit/verifyFile.ts';
import { originOf } from '../../src/http/guard/origin.ts';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { makeDataDir, someEvent } from './support.ts';

const database = useTestDatabase();
let server: TestServer;
const COUNT = 120;

beforeAll(async () => {
  server = await openTestServer(database.url);
  const { audit, database: own } = server.app;
  await audit.recordMany(
    own.db,
    Array.from({ length: COUNT }, (_, at) => someEvent(at)),
  );
  await audit.record(
    own.db,
    someEvent(0, { details: { key: server.app.secrets.apiKey, note: server.app.secrets.jwtSecret } }),
  );
  await eventually('the entries', async () => (await audit.list({}, 200)).length === COUNT + 1);
});
afterAll(() => server?.close());

const get = (path: string) => server.request('GET', `/api/v1/audit${path}`);

describe('the audit log over HTTP', () => {
  it('lists newest first, page after page, each entry once', async () => {
    const seen: number[] = [];
    let cursor = '';
    do {
      const { status, json } = await get(`?limit=50${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      seen.push(...json.data.map((one: { seq: number }) => one.seq));
      cursor = json.nextCursor ?? '';
    } while (cursor !== '');
    expect(seen).toEqual(Array.from({ length: COUNT + 1 }, (_, at) => COUNT - at));
  });

  it('is searched by actor, action, outcome, integration, target and time', async () => {
    const find = async (query: string) => (await get(`?limit=200&${query}`)).json.data;
    for (const one of await find('actor=usr_3')) expect(one.actor.id).toBe('usr_3');
    expect(await find('actor=usr_3')).toHaveLength(17);
    expect(await find('action=integration.updated&outcome=denied')).toHaveLength(5);
    expect(await find('integrationId=int_2&target=int_2')).toHaveLength(24);
    expect(await find('integrationId=int_2&target=int_3')).toHaveLength(0);
    expect(await find(`since=${new Date(Date.now() + 60_000).toISOString()}`)).toHaveLength(0);
    expect(await find(`until=${new Date(Date.now() + 60_000).toISOString()}`)).toHaveLength(COUNT + 1);
  });

  it('says what is wrong with a query', async () => {
    for (const query of [
      '?limit=0',
      '?since=yesterday',
      '?outcome=maybe',
      '?cursor=abc',
      '?nope=1',
      '/export?format=xml',
    ])
      expect((await get(query)).status, query).toBe(400);
    expect((await get('/checkpoints?cursor=x')).status).toBe(400);
    expect((await get('/entries/aud_none/proof')).json.code).toBe('AUDIT_ENTRY_NOT_FOUND');
    expect((await server.request('GET', '/api/v1/audit', { key: null })).status).toBe(401);
  });

  it('gives the key, checkpoints, proofs and an export that fit together', async () => {
    const key = parseVerifierKey((await get('/key')).json.verifierKey);
    expect(key.name).toBe('localhost:0/audit');
    const proof = (await get('/entries/17/proof')).json;
    expect(verifyProof(JSON.stringify(proof), key)).toMatchObject({ valid: true, seq: 17 });
    const { json } = await get('/checkpoints?limit=1');
    expect(openCheckpoint(json.data[0].note, key)).toMatchObject({ size: json.data[0].size });

    const answer = await get('/export');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="audit.jsonl"');
    const path = join(makeDataDir(), 'export.jsonl');
    writeFileSync(path, answer.text);
    // With the event of the export itself.
    expect(await verifyExport(path, key, [])).toMatchObject({ entries: COUNT + 2, complete: true, finding: null });
    expect((await get('/export?format=csv&actor=usr_3')).text.split('\r\n')).toHaveLength(19);
    expect((await get('/export?format=ocsf&actor=usr_3')).text.split('\n')).toHaveLength(18);
  });
});

it('the origin of a request is bounded', () => {
  const headers = { 'user-agent': 'x'.repeat(1_000) };
  const origin = originOf({ ip: '192.0.2.1', id: 'req_1', headers });
  expect(origin).toEqual({ address: '192.0.2.1', requestId: 'req_1', userAgent: 'x'.repeat(300) });
  expect(originOf({ ip: '192.0.2.1', id: 'req_1', headers: {} })).toEqual({
    address: '192.0.2.1',
    requestId: 'req_1',
  });
});
