import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCursor } from '../../src/http/cursor.ts';
import { requirePermissions } from '../../src/http/guard/routePermissions.ts';
import { buildServer } from '../../src/http/server.ts';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { addMember, type Member } from './support/members.ts';
import { OPERATOR } from './support/people.ts';

const database = useTestDatabase();
let server: TestServer;
let provider: Provider;
/** By name; what each may see is in `SEEN`. */
let people: Record<'ada' | 'bob' | 'guest' | 'dan' | 'desk', Member>;
const made: Record<string, { id: string; webhookId: string; runId: string }> = {};

/** Bob's are on both platforms, and Dan is denied one of them. */
const SEEN = {
  ada: ['ada-http', 'ada-acme'],
  bob: ['bob-http', 'bob-acme'],
  guest: ['bob-http'],
  dan: ['ada-http', 'bob-http', 'house-http'],
  desk: [],
} as const;
type Name = keyof typeof SEEN;
const NAMES = Object.keys(SEEN) as Name[];

/** As long as the real ones, and nobody's. */
const UNKNOWN = { integration: 'int_00000000000000000000000000', webhook: 'whk_00000000000000000000000000' };

const acme = () => `platform: acme
title: Acme
category: other
docsUrl: https://example.com/docs
apiVersion: v1
baseUrl: ${provider.url}
auth: [{ name: key, title: Key, type: bearer, token: '{{ credentials.apiKey }}', fields: [{ name: apiKey, title: Key }] }]
check: { path: /me }
streams: [{ name: items, title: Items, path: /items, recordsPath: items, primaryKey: id }]
`;

beforeAll(async () => {
  provider = await startProvider(4);
  server = await openTestServer(database.url);
  const { app } = server;
  await app.connectors.save(acme());
  const { roles, grants } = app.access;
  const actor = { principal: OPERATOR };
  await roles.create(actor, {
    name: 'desk',
    permissions: [
      { permission: 'users:read', reach: 'all' },
      { permission: 'roles:write', reach: 'all' },
      { permission: 'integrations:read', reach: 'own' },
    ],
  });
  people = {
    ada: await addMember(app, 'developer'),
    bob: await addMember(app, 'developer'),
    guest: await addMember(app, 'none'),
    dan: await addMember(app, 'viewer'),
    desk: await addMember(app, 'desk'),
  };
  for (const [name, platform, owner] of [
    ['ada-http', 'http', people.ada.id],
    ['ada-acme', 'acme', people.ada.id],
    ['bob-http', 'http', people.bob.id],
    ['bob-acme', 'acme', people.bob.id],
    ['house-http', 'http', 'default'],
    ['house-acme', 'acme', 'default'],
  ] as const) {
    const { id } = await app.catalog.create({
      name,
      platform,
      owner,
      credentials: { apiKey: provider.key },
      ...(platform === 'http' ? { configuration: { connector: describeProvider(provider) } } : {}),
    });
    const webhook = await app.webhooks.add(id, { url: 'https://example.com/hook', events: ['*'] });
    const run = await app.sync.run(id);
    expect(run.success, JSON.stringify(run.error)).toBe(true);
    made[name] = { id, webhookId: webhook.id, runId: run.id };
  }
  await grants.add(actor, people.guest.id, {
    effect: 'allow',
    permissions: ['integrations:read', 'integrations:sync', 'records:*', 'webhooks:read'],
    scope: { kind: 'integration', value: made['bob-http']!.id },
    reason: 'helps Bob',
  });
  await grants.add(actor, people.dan.id, {
    effect: 'deny',
    permissions: ['*'],
    scope: { kind: 'platform', value: 'acme' },
    reason: 'works for the other side',
  });
});
afterAll(async () => {
  await server?.close();
  await provider?.close();
});

const ask = (name: Name, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  server.request(method, path, { key: people[name].key, body, headers });

const idsOf = (names: readonly string[]) => names.map((name) => made[name]!.id).sort();
const hiddenFrom = (name: Name) => Object.keys(made).filter((one) => !(SEEN[name] as readonly string[]).includes(one));

describe.each(NAMES)('%s', (name) => {
  const seen = () => idsOf(SEEN[name]);

  it('is given exactly their own in lists, whatever is asked for', async () => {
    const list = async (query = '') => {
      const { status, json } = await ask(name, 'GET', `/api/v1/integrations${query}`);
      expect(status).toBe(200);
      return json.data.map(({ id }: { id: string }) => id);
    };
    expect(await list()).toEqual(seen());
    for (const platform of ['http', 'acme'])
      expect(await list(`?platform=${platform}`)).toEqual(idsOf(SEEN[name].filter((one) => one.endsWith(platform))));
    for (const owner of ['ada', 'bob'] as const)
      expect(await list(`?owner=${people[owner].id}`)).toEqual(
        idsOf(SEEN[name].filter((one) => one.startsWith(owner))),
      );
    expect(await list('?owner=default')).toEqual(idsOf(SEEN[name].filter((one) => one.startsWith('house'))));
    // Pages of one: no page is short, and none is missing, because of what is not shown.
    const paged: string[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await ask(name, 'GET', `/api/v1/integrations?limit=1${cursor && `&cursor=${cursor}`}`);
      paged.push(...json.data.map(({ id }: { id: string }) => id));
      expect(json.data).toHaveLength(SEEN[name].length === 0 ? 0 : 1);
      if (json.nextCursor === null) break;
      cursor = json.nextCursor;
    }
    expect(paged).toEqual(seen());
    // A position in the list is no way to an integration.
    for (const hidden of idsOf(hiddenFrom(name)))
      expect(await list(`?cursor=${encodeCursor(hidden)}`)).toEqual(seen().filter((id) => id > hidden));
  });

  it('reads of their own what is theirs alone', async () => {
    for (const own of SEEN[name]) {
      const { id, webhookId, runId } = made[own]!;
      const path = `/api/v1/integrations/${id}`;
      expect((await ask(name, 'GET', path)).json).toMatchObject({ id, name: own });
      const runs = (await ask(name, 'GET', `${path}/runs`)).json.data;
      expect(runs.map((run: { integrationId: string }) => run.integrationId)).toEqual(runs.map(() => id));
      expect(runs.map((run: { id: string }) => run.id)).toContain(runId);
      expect((await ask(name, 'GET', `${path}/records`)).json.records).toHaveLength(4);
      const hooks = (await ask(name, 'GET', `${path}/webhooks`)).json.data;
      expect(hooks.map((hook: { id: string }) => hook.id)).toEqual([webhookId]);
      expect((await ask(name, 'GET', `${path}/metrics`)).status).toBe(200);
      // A run of somebody else, beneath one's own integration.
      const answers = await Promise.all(
        [made[hiddenFrom(name)[0]!]!.runId, 'syn_00000000000000000000000000'].map(async (other) => {
          const { status, text } = await ask(name, 'GET', `${path}/runs/${other}`);
          return `${status} ${anonymous(text, other)}`;
        }),
      );
      expect(answers[0]).toBe(answers[1]);
      expect(answers[0]).toContain('SYNC_RUN_NOT_FOUND');
    }
  });
});

const anonymous = (text: string, id: string) =>
  text.replaceAll(id, 'ID').replaceAll(/"requestId":"[^"]*"/g, '"requestId":""');

/** Header by header; what tells the time or counts requests is another each time. */
const headersOf = (headers: Headers) =>
  [...headers].filter(([header]) => !['date', 'request-id', 'ratelimit', 'keep-alive'].includes(header)).sort();

/** Of the same question about what is hidden and what is unknown: status, body and headers. */
async function compare(
  name: Name,
  ids: { readonly hidden: string; readonly unknown: string },
  ask_: (id: string) => ReturnType<typeof ask>,
) {
  const [hidden, unknown] = [await ask_(ids.hidden), await ask_(ids.unknown)];
  expect(hidden.status, `${name}: ${hidden.text}`).toBe(unknown.status);
  expect(anonymous(hidden.text, ids.hidden)).toBe(anonymous(unknown.text, ids.unknown));
  expect(headersOf(hidden.headers)).toEqual(headersOf(unknown.headers));
  return hidden;
}

describe('what is hidden', () => {
  it('is answered byte for byte like what is unknown, at every address with its id', async () => {
    const built = buildServer(server.app);
    const registered = requirePermissions(built);
    await built.ready();
    const routes = registered.filter(({ url }) => /^\/api\/v1\/(integrations|webhooks)\/:id/.test(url));
    await built.close();
    expect(routes.length).toBeGreaterThanOrEqual(30);
    let compared = 0;
    for (const name of NAMES) {
      const [hiddenName] = hiddenFrom(name);
      const { id, webhookId, runId } = made[hiddenName!]!;
      for (const { method, url } of routes) {
        const ids = url.includes('webhooks/:id')
          ? { hidden: webhookId, unknown: UNKNOWN.webhook }
          : { hidden: id, unknown: UNKNOWN.integration };
        const body = /POST|PATCH/.test(method) ? { name: 'mine now' } : undefined;
        const answer = await compare(name, ids, (one) =>
          ask(name, method, url.replace(':id', one).replace(':runId', runId).replace(':stream', 'items'), body),
        );
        expect(answer.status, `${name}: ${method} ${url}`).toBe(404);
        compared++;
      }
    }
    expect(compared).toBe(NAMES.length * routes.length);
    // And nothing was done to any of it.
    expect((await server.request('GET', '/api/v1/integrations')).json.data).toHaveLength(Object.keys(made).length);
  });

  it('cannot be found out by limiting a key to it, granting it, or asking what somebody may', async () => {
    const ids = { hidden: made['house-acme']!.id, unknown: UNKNOWN.integration };
    for (const name of NAMES) {
      const limited = await compare(name, ids, (id) =>
        ask(name, 'POST', '/api/v1/me/api-keys', { name: 'x', integrationIds: [id] }),
      );
      expect(limited.status).toBe(400);
    }
    const granted = await compare('desk', ids, (id) =>
      ask('desk', 'POST', `/api/v1/users/${people.guest.id}/grants`, {
        effect: 'allow',
        permissions: ['integrations:read'],
        scope: { kind: 'integration', value: id },
        reason: 'why',
      }),
    );
    expect(granted.status).toBe(400);
    for (const userId of [people.guest.id, people.desk.id, people.dan.id, 'usr_00000000000000000000000000']) {
      const checked = await compare('desk', ids, (integrationId) =>
        ask('desk', 'POST', '/api/v1/access/check', { userId, integrationId, permission: 'read' }),
      );
      expect(checked).toMatchObject({ status: 200, json: { allowed: false, ruleId: null } });
    }
    // Break-glass opens nothing that is not there either; who asks learns nothing of it.
    const opened = await Promise.all(
      Object.values(ids).map(async (value) => {
        const { status, json } = await ask('ada', 'POST', '/api/v1/break-glass', {
          permissions: ['integrations:read'],
          scope: { kind: 'integration', value },
          reason: 'the other one is on fire',
          durationSeconds: 60,
        });
        return [status, Object.keys(json).sort()];
      }),
    );
    expect(opened[0]).toEqual(opened[1]);
  });

  it('is not synced with everything, and not counted', async () => {
    for (const [name, right] of [
      ['ada', SEEN.ada],
      ['bob', SEEN.bob],
      ['guest', SEEN.guest],
    ] as const) {
      const { status, json } = await ask(name, 'POST', '/api/v1/sync');
      expect([status, json.count]).toEqual([202, right.length]);
      expect(json.runs.map((run: { integrationId: string }) => run.integrationId).sort()).toEqual(idsOf(right));
    }
    for (const name of ['dan', 'desk'] as const) expect((await ask(name, 'POST', '/api/v1/sync')).status).toBe(403);
  });

  it('is not exported; what is, holds the records of that integration alone', async () => {
    const path = (name: string) => `/api/v1/integrations/${made[name]!.id}/streams/items/export`;
    const answer = await ask('ada', 'GET', path('ada-acme'));
    expect(answer.text.trim().split('\n')).toHaveLength(4);
    expect((await ask('guest', 'GET', path('bob-http'))).status).toBe(200);
    // A viewer sees records, and exports none.
    expect(await ask('dan', 'GET', path('ada-http'))).toMatchObject({ status: 403, json: { code: 'ACCESS_DENIED' } });
    expect((await ask('dan', 'GET', path('ada-acme'))).status).toBe(404);
  });

  it('stays hidden when an answer is given again', async () => {
    const headers = { 'idempotency-key': 'the-same-for-everybody' };
    const create = (name: Name) =>
      ask(
        name,
        'POST',
        '/api/v1/integrations',
        { name: 'new', platform: 'acme', credentials: { apiKey: provider.key } },
        headers,
      );
    const [adas, bobs] = [await create('ada'), await create('bob')];
    expect([adas.status, bobs.status]).toEqual([201, 201]);
    expect(adas.json.id).not.toBe(bobs.json.id);
    const again = await create('ada');
    expect([again.headers.get('idempotent-replay'), again.text]).toEqual(['true', adas.text]);
    // What she may not make or see any more is not told again either.
    const deny = await server.app.access.grants.add({ principal: OPERATOR }, people.ada.id, {
      effect: 'deny',
      permissions: ['integrations:*'],
      scope: { kind: 'platform', value: 'acme' },
      reason: 'moved on',
    });
    expect((await create('ada')).status).toBe(403);
    expect((await ask('ada', 'GET', `/api/v1/integrations/${adas.json.id}`)).status).toBe(404);
    await server.app.access.grants.remove({ principal: OPERATOR }, deny.id);
    expect((await create('ada')).text).toBe(adas.text);
  });
});
