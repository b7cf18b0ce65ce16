import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
  server = await openTestServer(database.url, { workers: false });
  server.canaries.add(provider.key);
});
afterAll(async () => {
  await server?.close();
  await provider?.close();
});

const input = (name: string, more: object = {}) => ({
  name,
  platform: 'http',
  credentials: { apiKey: provider.key },
  configuration: { connector: describeProvider(provider) },
  ...more,
});

async function create(name: string, more: object = {}): Promise<{ id: string; etag: string }> {
  const answer = await server.request('POST', '/api/v1/integrations', { body: input(name, more) });
  expect(answer.status, answer.text).toBe(201);
  return { id: answer.json.id, etag: answer.headers.get('etag')! };
}

describe('an integration', () => {
  it('is created, read, listed, changed and deleted', async () => {
    const created = await server.request('POST', '/api/v1/integrations', { body: input('Own API') });
    expect(created.status).toBe(201);
    expect(created.json).toMatchObject({
      name: 'Own API',
      status: 'pending',
      credentialFields: ['apiKey'],
      version: 1,
    });
    const path = created.headers.get('location')!;
    expect(path).toBe(`/api/v1/integrations/${created.json.id}`);

    const read = await server.request('GET', path);
    expect(read.json).toEqual(created.json);
    expect(read.headers.get('cache-control')).toBe('private, no-cache');

    const changed = await server.request('PATCH', path, {
      body: { name: 'Renamed', configuration: { syncFrequency: 'hourly' } },
    });
    expect(changed.json).toMatchObject({ name: 'Renamed', version: 2, configuration: { syncFrequency: 'hourly' } });
    const undone = await server.request('PATCH', path, { body: { configuration: { syncFrequency: null } } });
    expect(undone.json.configuration).toEqual({ connector: describeProvider(provider) });

    expect((await server.request('DELETE', path)).status).toBe(204);
    for (const method of ['GET', 'DELETE'])
      expect(await server.request(method, path)).toMatchObject({
        status: 404,
        json: { code: 'INTEGRATION_NOT_FOUND' },
      });
  });

  it('takes a merge patch by its own media type', async () => {
    const { id } = await create('Merge');
    const answer = await server.request('PATCH', `/api/v1/integrations/${id}`, {
      raw: '{"name":"Merged"}',
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(answer.json.name).toBe('Merged');
  });

  it('is tested, connected, checked, measured and disconnected', async () => {
    const { id } = await create('Connect me');
    const path = `/api/v1/integrations/${id}`;
    expect((await server.request('POST', `${path}/test`)).json).toMatchObject({
      success: true,
      details: { account: 'octo' },
    });
    expect((await server.request('POST', `${path}/connect`)).json).toMatchObject({ status: 'connected' });
    expect((await server.request('GET', `${path}/health`)).json).toMatchObject({ status: 'healthy' });
    expect((await server.request('GET', `${path}/metrics`)).json.totalRequests).toBeGreaterThanOrEqual(3);
    const budget = await server.request('POST', `${path}/rate-limit`, { body: { action: 'api_call' } });
    expect(budget.json).toMatchObject({ action: 'api_call', allowed: true });
    expect((await server.request('POST', `${path}/disconnect`)).json).toMatchObject({ status: 'disconnected' });
    for (const action of ['sync', 'sync/start'])
      expect(await server.request('POST', `${path}/${action}`)).toMatchObject({
        status: 409,
        json: { code: 'INTEGRATION_DISCONNECTED' },
      });
  });

  it('that its provider refuses is told why, in the answer of a test and as a problem of a connection', async () => {
    const { id } = await create('Wrong key', { credentials: { apiKey: 'not-the-right-one' } });
    const tested = await server.request('POST', `/api/v1/integrations/${id}/test`);
    expect(tested).toMatchObject({ status: 200, json: { success: false, status: 'wrong_credentials' } });
    const connected = await server.request('POST', `/api/v1/integrations/${id}/connect`);
    expect(connected).toMatchObject({
      status: 422,
      json: { code: 'CONNECTION_FAILED', details: { result: { status: 'wrong_credentials' } } },
    });
    expect(connected.json.detail).toMatch(/did not accept the credentials/);
  });

  it('that nobody knows is 404 at every address below it', async () => {
    const base = '/api/v1/integrations/int_00000000000000000000000000';
    const requests: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'x' }],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/connect'],
      ['POST', '/disconnect'],
      ['GET', '/health'],
      ['GET', '/metrics'],
      ['POST', '/rate-limit', { action: 'x' }],
      ['POST', '/sync'],
      ['POST', '/sync/start'],
      ['POST', '/sync/stop'],
      ['GET', '/runs'],
      ['GET', '/runs/syn_00000000000000000000000000'],
      ['GET', '/streams'],
      ['POST', '/streams/items/deletions/confirm'],
      ['GET', '/records'],
      ['GET', '/streams/items/export'],
      ['GET', '/webhooks'],
      ['POST', '/webhooks', { url: 'https://example.com/hook', events: ['*'] }],
    ];
    for (const [method, path, body] of requests)
      expect(await server.request(method, base + path, { body }), `${method} ${path}`).toMatchObject({
        status: 404,
        json: { code: 'INTEGRATION_NOT_FOUND' },
      });
  });
});

describe('the ETag of an integration', () => {
  it('spares an unchanged answer, and changes with what the server learns by itself', async () => {
    const { id, etag } = await create('Cached');
    const path = `/api/v1/integrations/${id}`;
    const cached = await server.request('GET', path, { headers: { 'if-none-match': etag } });
    expect([cached.status, cached.text, cached.headers.get('etag')]).toEqual([304, '', etag]);
    await server.request('POST', `${path}/test`);
    const fresh = await server.request('GET', path, { headers: { 'if-none-match': etag } });
    expect(fresh).toMatchObject({ status: 200, json: { status: 'connected', version: 1 } });
  });

  it('lets a change through from the version it names only', async () => {
    const { id, etag } = await create('Guarded');
    const path = `/api/v1/integrations/${id}`;
    // What the server learnt is no change of somebody else.
    await server.request('POST', `${path}/test`);
    const first = await server.request('PATCH', path, { body: { name: 'First' }, headers: { 'if-match': etag } });
    expect(first.status).toBe(200);
    const second = await server.request('PATCH', path, { body: { name: 'Second' }, headers: { 'if-match': etag } });
    expect(second).toMatchObject({ status: 412, json: { code: 'PRECONDITION_FAILED' } });
    expect((await server.request('DELETE', path, { headers: { 'if-match': etag } })).status).toBe(412);
    expect((await server.request('PATCH', path, { body: { name: 'Third', version: 1 } })).json.code).toBe('CONFLICT');
    expect((await server.request('GET', path)).json.name).toBe('First');
    // Also by the bare version, as one of several, weakened by a proxy, or whatever it is.
    for (const tag of ['"2"', '"1", W/"3-x"', '*'])
      expect((await server.request('PATCH', path, { body: {}, headers: { 'if-match': tag } })).status, tag).toBe(200);
  });

  it('makes one of two concurrent changes fail', async () => {
    const { id, etag } = await create('Contested');
    const change = (name: string) =>
      server.request('PATCH', `/api/v1/integrations/${id}`, { body: { name }, headers: { 'if-match': etag } });
    const statuses = (await Promise.all([change('A'), change('B')])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412]);
  });
});

describe('the list of integrations', () => {
  it('comes in pages that hold each once, in order', async () => {
    const owner = 'pages';
    const made: string[] = [];
    for (let index = 0; index < 7; index++) made.push((await create(`Page ${index}`, { owner })).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = `owner=${owner}&limit=3${cursor === null ? '' : `&cursor=${cursor}`}`;
      const page = await server.request('GET', `/api/v1/integrations?${query}`);
      expect(page.json.data.length).toBeLessThanOrEqual(3);
      seen.push(...page.json.data.map((one: { id: string }) => one.id));
      cursor = page.json.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(made);
  });

  it('is filtered by platform, status, owner and type', async () => {
    const { id } = await create('Filtered', { owner: 'filters', type: 'crm' });
    for (const query of ['owner=filters', 'type=crm', 'owner=filters&platform=http&status=pending&type=crm']) {
      const { json } = await server.request('GET', `/api/v1/integrations?${query}`);
      expect(json.data.map((one: { id: string }) => one.id)).toEqual([id]);
    }
    expect((await server.request('GET', '/api/v1/integrations?owner=filters&status=connected')).json.data).toEqual([]);
  });

  it.each([
    ['limit=0', '/limit', /at least 1/],
    ['limit=201', '/limit', /at most 200/],
    ['limit=many', '/limit', /number/],
    ['limt=5', '/limt', /Did you mean "limit"/],
    ['status=deleting', '/status', /"pending"/],
    ['owner=a&owner=b', '/owner', /takes a string/],
    ['owner=%00', '/owner', /control/],
    ['cursor=bogus', '/cursor', /nextCursor/],
    ['cursor=MTppbnRfJyBvciAxPTE', '/cursor', /nextCursor/],
  ])('says what is wrong with ?%s', async (query, pointer, detail) => {
    const answer = await server.request('GET', `/api/v1/integrations?${query}`);
    expect(answer).toMatchObject({ status: 400, json: { code: 'INVALID_INPUT', errors: [{ pointer }] } });
    expect(answer.json.errors[0].detail).toMatch(detail);
  });
});
