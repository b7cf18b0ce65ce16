import { afterAll, beforeAll, expect, it } from 'vitest';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;
let webhooks: string;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
  const created = await server.request('POST', '/api/v1/integrations', {
    body: { name: 'Code', platform: 'github', credentials: { token: `ghp_${'a'.repeat(36)}` } },
  });
  webhooks = `${created.headers.get('location')}/webhooks`;
});
afterAll(() => server?.close());

it('shows the signing secret of a new webhook once', async () => {
  const added = await server.request('POST', webhooks, {
    body: { url: 'https://example.com/hook', events: ['sync.completed'], description: 'CRM' },
  });
  expect(added).toMatchObject({ status: 201, json: { active: true, events: ['sync.completed'], description: 'CRM' } });
  expect(added.json.secret).toMatch(/^whsec_/);
  expect(added.headers.get('location')).toBe(`/api/v1/webhooks/${added.json.id}`);
  // From here on no answer may hold it.
  server.canaries.add(added.json.secret);
  const { secret: _secret, ...stored } = added.json;
  expect((await server.request('GET', webhooks)).json).toEqual({ data: [stored] });
});

it('changes and deletes a webhook', async () => {
  const added = await server.request('POST', webhooks, { body: { url: 'https://example.com/two', events: ['*'] } });
  const path = added.headers.get('location')!;
  expect((await server.request('PATCH', path, { body: { active: false } })).status).toBe(204);
  const list = await server.request('GET', webhooks);
  expect(list.json.data).toContainEqual(expect.objectContaining({ id: added.json.id, active: false, events: ['*'] }));
  expect((await server.request('DELETE', path)).status).toBe(204);
  for (const method of ['PATCH', 'DELETE'])
    expect(await server.request(method, path, method === 'PATCH' ? { body: {} } : {})).toMatchObject({
      status: 404,
      json: { code: 'WEBHOOK_NOT_FOUND' },
    });
});

it.each([
  [{ events: ['*'] }, '/url'],
  [{ url: 'ftp://example.com', events: ['*'] }, '/url'],
  [{ url: 'https://example.com', events: [] }, '/events'],
  [{ url: 'https://example.com', events: ['Not An Event'] }, '/events/0'],
  [{ url: 'https://example.com', events: ['*'], secret: 'short' }, '/secret'],
])('refuses the webhook %j', async (body, pointer) => {
  const answer = await server.request('POST', webhooks, { body });
  expect(answer).toMatchObject({ status: 400, json: { code: 'INVALID_INPUT', errors: [{ pointer }] } });
});
