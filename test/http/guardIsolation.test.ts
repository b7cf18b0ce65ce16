import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Permission } from '../../src/access/permissions.ts';
import { EVERYTHING } from '../access/support/people.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { type GuardServer, openGuardServer } from './guardServer.ts';

const database = useTestDatabase();
let server: GuardServer;
let provider: Provider;
let user: { id: string; key: string };
let theirs: { id: string; hook: string };

beforeAll(async () => {
  provider = await startProvider(5);
  server = await openGuardServer(database.url);
  theirs = await make('somebody-else');
});
afterAll(async () => {
  await server?.close();
  await provider?.close();
});
beforeEach(async () => {
  user = await server.addUser();
  server.rules.allow(user.id, EVERYTHING, { owners: [user.id] });
});

const input = (more: object = {}) => ({
  name: 'A provider',
  platform: 'http',
  configuration: { connector: describeProvider(provider) },
  ...more,
});

/** An integration with a webhook, made by the installation. */
async function make(owner: string): Promise<{ id: string; hook: string }> {
  const created = await server.request('POST', '/api/v1/integrations', { body: input({ owner }) });
  expect(created.status, created.text).toBe(201);
  const hook = await server.request('POST', `/api/v1/integrations/${created.json.id}/webhooks`, {
    body: { url: 'https://example.com/hook', events: ['*'] },
  });
  return { id: created.json.id, hook: hook.json.id };
}

const ask = (method: string, path: string, body?: unknown) => server.request(method, path, { key: user.key, body });

describe('the integrations of others', () => {
  const ROUTES: [string, string, unknown?][] = [
    ['GET', '/api/v1/integrations/ID'],
    ['PATCH', '/api/v1/integrations/ID', { name: 'mine now' }],
    ['DELETE', '/api/v1/integrations/ID'],
    ['POST', '/api/v1/integrations/ID/test'],
    ['POST', '/api/v1/integrations/ID/connect'],
    ['POST', '/api/v1/integrations/ID/disconnect'],
    ['GET', '/api/v1/integrations/ID/health'],
    ['GET', '/api/v1/integrations/ID/metrics'],
    ['POST', '/api/v1/integrations/ID/metrics', { totalRequests: 1 }],
    ['GET', '/api/v1/integrations/ID/performance'],
    ['GET', '/api/v1/integrations/ID/performance/history'],
    ['GET', '/api/v1/integrations/ID/logs'],
    ['POST', '/api/v1/integrations/ID/rate-limit', { action: 'x' }],
    ['PUT', '/api/v1/integrations/ID/rate-limits/x', { maxRequests: 1 }],
    ['POST', '/api/v1/integrations/ID/optimize'],
    ['GET', '/api/v1/integrations/ID/optimizations'],
    ['POST', '/api/v1/integrations/ID/optimizations/exp_x/revert'],
    ['GET', '/api/v1/integrations/ID/tuning'],
    ['PUT', '/api/v1/integrations/ID/tuning', {}],
    ['POST', '/api/v1/integrations/ID/sync'],
    ['POST', '/api/v1/integrations/ID/sync/start'],
    ['POST', '/api/v1/integrations/ID/sync/stop'],
    ['GET', '/api/v1/integrations/ID/runs'],
    ['GET', '/api/v1/integrations/ID/runs/syn_x'],
    ['GET', '/api/v1/integrations/ID/streams'],
    ['POST', '/api/v1/integrations/ID/streams/items/deletions/confirm'],
    ['GET', '/api/v1/integrations/ID/records'],
    ['GET', '/api/v1/integrations/ID/streams/items/export'],
    ['GET', '/api/v1/integrations/ID/webhooks'],
    ['POST', '/api/v1/integrations/ID/webhooks', { url: 'https://example.com/', events: ['*'] }],
  ];

  it.each(ROUTES)('are as good as unknown: %s %s', async (method, path, body) => {
    const hidden = await ask(method, path.replace('ID', theirs.id), body);
    const unknown = await ask(method, path.replace('ID', 'int_00000000000000000000000000'), body);
    expect(hidden).toMatchObject({ status: 404, json: { code: 'INTEGRATION_NOT_FOUND' } });
    const said = (text: string, id: string) => text.replaceAll(id, 'ID').replace(/"requestId":"[^"]*"/, '');
    expect(said(hidden.text, theirs.id)).toBe(said(unknown.text, 'int_00000000000000000000000000'));
    const names = (headers: Headers) => [...headers.keys()].sort();
    expect(names(hidden.headers)).toEqual(names(unknown.headers));
  });

  it('are covered by that list', async () => {
    const { paths } = (await server.request('GET', '/api/openapi.json')).json;
    const about = Object.entries(paths as Record<string, object>)
      .filter(([path]) => path.startsWith('/api/v1/integrations/{id}'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
    const tried = ROUTES.map(([method, path]) =>
      `${method} ${path}`
        .replace('ID', '{id}')
        .replace('syn_x', '{runId}')
        .replace('exp_x', '{experimentId}')
        .replace('/rate-limits/x', '/rate-limits/{action}')
        .replace('/items/', '/{stream}/'),
    );
    expect(tried.sort()).toEqual(about.sort());
  });

  it('keep their webhooks to themselves', async () => {
    for (const [method, body] of [
      ['PATCH', { active: false }],
      ['DELETE', undefined],
    ] as const) {
      const hidden = await ask(method, `/api/v1/webhooks/${theirs.hook}`, body);
      const unknown = await ask(method, '/api/v1/webhooks/whk_00000000000000000000000000', body);
      expect([hidden.status, hidden.json.code]).toEqual([404, 'WEBHOOK_NOT_FOUND']);
      expect(hidden.json.detail.replace(theirs.hook, '')).toBe(
        unknown.json.detail.replace('whk_00000000000000000000000000', ''),
      );
    }
    expect((await server.request('GET', `/api/v1/integrations/${theirs.id}/webhooks`)).json.data).toHaveLength(1);
  });

  it('are in no list, and are not synced with the others', async () => {
    const mine = await ask('POST', '/api/v1/integrations', input());
    expect(mine.json.owner).toBe(user.id);
    const listed = async (query = '') =>
      (await ask('GET', `/api/v1/integrations${query}`)).json.data.map(({ id }: { id: string }) => id);
    expect(await listed()).toEqual([mine.json.id]);
    expect(await listed('?owner=somebody-else')).toEqual([]);
    const synced = await ask('POST', '/api/v1/sync');
    expect(synced.json.runs.map(({ integrationId }: { integrationId: string }) => integrationId)).toEqual([
      mine.json.id,
    ]);
  });

  it('cannot be told by the denial that is recorded', async () => {
    server.audit.events.length = 0;
    await ask('GET', `/api/v1/integrations/${theirs.id}`);
    const [hidden] = server.audit.events.splice(0);
    user = await server.addUser();
    server.rules.allow(user.id, EVERYTHING, { owners: [user.id] });
    server.audit.events.length = 0;
    await ask('GET', '/api/v1/integrations/int_unknown');
    const [unknown] = server.audit.events.splice(0);
    expect(hidden!.details).toEqual(unknown!.details);
  });
});

describe('an integration that may be seen', () => {
  it('is refused with 403 for what may not be done with it', async () => {
    server.rules.allow(user.id, ['integrations:read']);
    const answer = await ask('POST', `/api/v1/integrations/${theirs.id}/sync`);
    expect(answer).toMatchObject({
      status: 403,
      json: { code: 'ACCESS_DENIED', details: { permission: 'integrations:sync', integrationId: theirs.id } },
    });
    expect((await ask('GET', `/api/v1/integrations/${theirs.id}`)).status).toBe(200);
    expect((await ask('DELETE', `/api/v1/webhooks/${theirs.hook}`)).json.code).toBe('ACCESS_DENIED');
    expect((await ask('POST', '/api/v1/sync')).status).toBe(403);
    expect((await ask('POST', '/api/v1/integrations', input())).status).toBe(403);
  });

  it('is refused as unknown when it is denied', async () => {
    server.rules.allow(user.id, EVERYTHING, { deniedIds: [theirs.id] });
    expect((await ask('GET', `/api/v1/integrations/${theirs.id}`)).status).toBe(404);
    const listed = (await ask('GET', '/api/v1/integrations')).json.data;
    expect(listed.map(({ id }: { id: string }) => id)).not.toContain(theirs.id);
  });
});

describe('making and changing an integration', () => {
  it('for another owner takes the permission there', async () => {
    expect((await ask('POST', '/api/v1/integrations', input({ owner: 'somebody-else' }))).status).toBe(403);
    server.rules.allow(user.id, EVERYTHING, { owners: [user.id, 'team'] });
    expect((await ask('POST', '/api/v1/integrations', input({ owner: 'team' }))).json.owner).toBe('team');
  });

  it('with credentials takes the permission to store them', async () => {
    server.rules.allow(
      user.id,
      EVERYTHING.filter((one) => one !== 'credentials:write'),
    );
    const credentials = { apiKey: provider.key };
    expect((await ask('POST', '/api/v1/integrations', input({ credentials }))).json.details.permission).toBe(
      'credentials:write',
    );
    const { id } = (await ask('POST', '/api/v1/integrations', input())).json;
    expect((await ask('PATCH', `/api/v1/integrations/${id}`, { credentials })).json.details.permission).toBe(
      'credentials:write',
    );
    expect((await ask('PATCH', `/api/v1/integrations/${id}`, { name: 'renamed' })).status).toBe(200);
    server.rules.allow(user.id, EVERYTHING);
    expect((await ask('PATCH', `/api/v1/integrations/${id}`, { credentials })).status).toBe(200);
  });
});

describe('a key with scopes', () => {
  const scoped = async (permissions: Permission[] | null, integrationIds: string[] | null) => {
    const made = await ask('POST', '/api/v1/me/api-keys', { name: 'scoped', permissions, integrationIds });
    expect(made.status, made.text).toBe(201);
    return made.json.key as string;
  };
  const asKey = async (key: string, method: string, path: string, body?: unknown) =>
    (await server.request(method, path, { key, body })).status;

  it('does what its user may, within them', async () => {
    const one = (await ask('POST', '/api/v1/integrations', input())).json.id;
    const two = (await ask('POST', '/api/v1/integrations', input())).json.id;
    const reading = await scoped(['integrations:read'], null);
    expect(await asKey(reading, 'GET', `/api/v1/integrations/${one}`)).toBe(200);
    expect(await asKey(reading, 'POST', `/api/v1/integrations/${one}/sync`)).toBe(403);
    expect(await asKey(reading, 'POST', '/api/v1/integrations', input())).toBe(403);
    const bound = await scoped(null, [one]);
    expect(await asKey(bound, 'POST', `/api/v1/integrations/${one}/sync`)).toBe(202);
    expect(await asKey(bound, 'GET', `/api/v1/integrations/${two}`)).toBe(404);
    expect(await asKey(bound, 'GET', '/api/v1/connectors')).toBe(403);
    expect(await asKey(bound, 'POST', '/api/v1/integrations', input())).toBe(403);
    const list = await server.request('GET', '/api/v1/integrations', { key: bound });
    expect(list.json.data.map(({ id }: { id: string }) => id)).toEqual([one]);
    // What the user loses, the key loses.
    server.rules.allow(user.id, []);
    expect(await asKey(bound, 'GET', `/api/v1/integrations/${one}`)).toBe(404);
  });

  it('makes no key that is wider', async () => {
    const reading = await scoped(['integrations:read'], null);
    expect(await asKey(reading, 'POST', '/api/v1/me/api-keys', { name: 'x' })).toBe(403);
    expect(await asKey(reading, 'POST', '/api/v1/me/api-keys', { name: 'x', permissions: ['integrations:read'] })).toBe(
      201,
    );
  });
});

describe('an Idempotency-Key', () => {
  it('belongs to who sent it', async () => {
    const other = await server.addUser();
    server.rules.allow(other.id, EVERYTHING, { owners: [other.id] });
    const create = (key: string, name: string) =>
      server.request('POST', '/api/v1/integrations', {
        key,
        body: input({ name }),
        headers: { 'idempotency-key': 'same' },
      });
    const [mine, theirOwn] = [await create(user.key, 'a'), await create(other.key, 'b')];
    expect([mine.status, theirOwn.status]).toEqual([201, 201]);
    expect(mine.json.id).not.toBe(theirOwn.json.id);
    expect((await create(user.key, 'a')).json.id).toBe(mine.json.id);
  });
});
