import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asUser } from '../../src/access/decider.ts';
import { COMMAND_LINE } from '../../src/access/decisions/actor.ts';
import type { Permission } from '../../src/access/permissions.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
const PASSWORD = 'tortoise umbrella granite 47';
const VIEWER: Permission[] = [
  'integrations:read',
  'records:read',
  'logs:read',
  'webhooks:read',
  'connectors:read',
  'monitoring:read',
];
const OWN: Permission[] = [
  'integrations:read',
  'integrations:create',
  'integrations:update',
  'integrations:delete',
  'integrations:test',
  'integrations:sync',
  'credentials:write',
  'records:read',
  'records:export',
  'logs:read',
  'logs:export',
  'webhooks:read',
  'webhooks:write',
];
let server: TestServer;
let people = 0;

beforeAll(async () => {
  server = await openTestServer(database.url);
  await makeRole('helpdesk', ['users:read', 'users:write', 'breakGlass:request', ...VIEWER]);
  await makeRole('lead', ['users:write', 'connectors:read', 'breakGlass:request'], OWN);
  await makeRole('guard', ['access:freeze', 'apiKeys:write']);
});
afterAll(() => server?.close());

/** By the installation. */
async function must(method: string, path: string, body?: unknown) {
  const answer = await server.request(method, `/api/v1${path}`, { body });
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json;
}

const makeRole = (name: string, all: Permission[], own: Permission[] = []) =>
  must('POST', '/roles', {
    name,
    permissions: [
      ...all.map((permission) => ({ permission, reach: 'all' })),
      ...own.map((permission) => ({ permission, reach: 'own' })),
    ],
  });

/** A user with an API key that is limited by nothing but what `limits` says. */
async function person(role: string, limits: { permissions?: Permission[]; expiresInDays?: number } = {}) {
  const { accounts, apiKeys } = server.app.access;
  const email = `person${++people}@example.com`;
  const { id } = await accounts.users.create(COMMAND_LINE, { email, name: 'P', role });
  const made = await apiKeys.create({ principal: COMMAND_LINE }, id, { name: 'k', ...limits });
  return {
    id,
    email,
    apiKeyId: made.apiKey.id,
    expiresAt: made.apiKey.expiresAt,
    ask: (method: string, path: string, body?: unknown) =>
      server.request(method, `/api/v1${path}`, { key: made.key, body }),
  };
}

const grant = (userId: string, permissions: string[], scope: object = { kind: 'all' }) =>
  must('POST', `/users/${userId}/grants`, { effect: 'allow', permissions, scope, reason: 'a test' });

describe('whoever changes accounts', () => {
  it('does not take over one with more than its role', async () => {
    const helpdesk = await person('helpdesk');
    const promoted = await person('viewer');
    await grant(promoted.id, ['*']);
    const plain = await person('viewer');
    expect((await helpdesk.ask('PATCH', `/users/${plain.id}`, { name: 'Fine' })).status).toBe(200);
    for (const [method, path, body] of [
      ['PATCH', '', { email: 'evil@example.com' }],
      ['POST', '/deactivate', undefined],
      ['DELETE', '/second-factor', undefined],
    ] as const) {
      const answer = await helpdesk.ask(method, `/users/${promoted.id}${path}`, body);
      expect([answer.status, answer.json.code], path).toEqual([403, 'ROLE_ABOVE_OWN']);
    }
    expect((await server.app.access.accounts.users.get(promoted.id)).email).toBe(promoted.email);
  });

  it('does not take over one with more on a single integration', async () => {
    const { id } = await must('POST', '/integrations', {
      name: 'Code',
      platform: 'github',
      credentials: { token: `ghp_${'a'.repeat(36)}` },
    });
    const helpdesk = await person('helpdesk');
    const promoted = await person('viewer');
    await grant(promoted.id, ['credentials:write'], { kind: 'integration', value: id });
    const change = { email: 'evil@example.com' };
    expect((await helpdesk.ask('PATCH', `/users/${promoted.id}`, change)).status).toBe(403);
    // Held through the platform, it is no more than their own.
    await grant(helpdesk.id, ['credentials:write'], { kind: 'platform', value: 'github' });
    expect((await helpdesk.ask('PATCH', `/users/${promoted.id}`, { name: 'Fine' })).status).toBe(200);
  });

  it('does not take over the integrations of others with the account', async () => {
    const lead = await person('lead');
    const developer = await person('developer');
    const answer = await lead.ask('PATCH', `/users/${developer.id}`, { email: 'evil@example.com' });
    expect([answer.status, answer.json.code]).toEqual([403, 'ROLE_ABOVE_OWN']);
    const admin = await person('admin');
    expect((await admin.ask('PATCH', `/users/${developer.id}`, { name: 'Fine' })).status).toBe(200);
  });

  it('does not take over one for as long as break-glass is open', async () => {
    const helpdesk = await person('helpdesk');
    const asker = await person('helpdesk');
    const admin = await person('admin');
    const asked = await asker.ask('POST', '/break-glass', {
      permissions: ['credentials:write'],
      reason: 'The token of the shop is over',
      durationSeconds: 600,
    });
    const change = { email: 'evil@example.com' };
    await server.app.access.breakGlass.approve({ principal: asUser(admin.id) }, asked.json.id);
    expect((await helpdesk.ask('PATCH', `/users/${asker.id}`, change)).status).toBe(403);
    expect((await asker.ask('POST', `/break-glass/${asked.json.id}/end`)).status).toBe(200);
    expect((await helpdesk.ask('PATCH', `/users/${asker.id}`, { name: 'Fine' })).status).toBe(200);
  });

  it('never unfreezes anybody by deactivating them in between', async () => {
    const helpdesk = await person('helpdesk');
    const { id, ask } = await person('viewer');
    await must('POST', `/users/${id}/freeze`, { reason: 'a test' });
    expect((await helpdesk.ask('POST', `/users/${id}/deactivate`)).json.status).toBe('deactivated');
    expect((await helpdesk.ask('POST', `/users/${id}/reactivate`)).json.status).toBe('frozen');
    expect((await ask('GET', '/me/api-keys')).status).toBe(401);
    await must('DELETE', `/users/${id}/freeze`);
    expect((await ask('GET', '/me/api-keys')).status).toBe(200);
    await must('POST', `/users/${id}/deactivate`);
    expect((await helpdesk.ask('POST', `/users/${id}/reactivate`)).json.status).toBe('active');
  });

  it('may also remove somebody who has no role', async () => {
    const { id } = await person('viewer');
    await database.current.pool.query(`update users set role = 'none' where id = $1`, [id]);
    const admin = await person('admin');
    expect((await admin.ask('POST', `/users/${id}/deactivate`)).json.status).toBe('deactivated');
  });
});

describe('whoever freezes', () => {
  it('neither unfreezes nor disarms somebody above them', async () => {
    const guard = await person('guard');
    const admin = await person('admin');
    expect((await guard.ask('POST', `/users/${admin.id}/freeze`, { reason: 'x' })).status).toBe(403);
    await must('POST', `/users/${admin.id}/freeze`, { reason: 'a test' });
    expect((await guard.ask('DELETE', `/users/${admin.id}/freeze`)).status).toBe(403);
    expect((await guard.ask('DELETE', `/api-keys/${admin.apiKeyId}`)).status).toBe(403);
    expect((await admin.ask('GET', '/users')).status).toBe(401);
  });
});

describe('break-glass', () => {
  it('is not approved by a key, which may lie in a program of whoever asks', async () => {
    const [asker, admin] = [await person('operator'), await person('admin')];
    const asked = await asker.ask('POST', '/break-glass', {
      permissions: ['credentials:write'],
      reason: 'The token of the shop is over',
      durationSeconds: 600,
    });
    const answer = await admin.ask('POST', `/break-glass/${asked.json.id}/approve`);
    expect([answer.status, answer.json.code]).toEqual([403, 'ACCESS_DENIED']);
  });
});

describe('no role', () => {
  it('cannot be made a role', async () => {
    const admin = await person('admin');
    const answer = await admin.ask('POST', '/roles', {
      name: 'none',
      permissions: [{ permission: 'audit:read', reach: 'all' }],
    });
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ pointer: '/name' }] } });
  });
});

describe('a key that asks', () => {
  it('makes none that outlives it', async () => {
    const short = await person('admin', { expiresInDays: 1 });
    const made = await short.ask('POST', '/me/api-keys', { name: 'for ever', expiresInDays: null });
    expect(made.json.expiresAt).toBe(short.expiresAt);
    const long = await server.app.access.apiKeys.create({ principal: COMMAND_LINE }, short.id, {
      name: 'for ever',
      expiresInDays: null,
    });
    const renewed = await short.ask('POST', `/me/api-keys/${long.apiKey.id}/rotate`);
    expect(renewed.json.expiresAt).toBe(short.expiresAt);
    // That is what rotating is for.
    const itself = await short.ask('POST', `/me/api-keys/${short.apiKeyId}/rotate`);
    expect(Date.parse(itself.json.expiresAt)).toBeGreaterThan(Date.parse(short.expiresAt!));
  });
});

describe('an invitation', () => {
  const accept = (link: string) =>
    server.request('POST', '/api/v1/auth/invitations/accept', {
      key: null,
      body: { token: link.split('#')[1], name: 'Back again', password: PASSWORD },
    });

  it.each([
    ['the user was frozen', (id: string) => must('POST', `/users/${id}/freeze`, { reason: 'a test' })],
    ['the key was frozen', (_id: string, key: string) => must('POST', `/api-keys/${key}/freeze`, { reason: 'a test' })],
    ['the user may do less now', (id: string) => must('PUT', `/users/${id}/role`, { role: 'viewer' })],
  ])('is void when %s who made it', async (_what, stop) => {
    const { id, apiKeyId, ask } = await person('admin');
    const email = `invited${++people}@example.com`;
    const { json } = await ask('POST', '/auth/invitations', { email, role: 'admin' });
    await stop(id, apiKeyId);
    expect((await accept(json.link)).json.code).toBe('INVALID_TOKEN');
  });

  it('is good while they may still make it', async () => {
    const { ask } = await person('admin');
    const { json } = await ask('POST', '/auth/invitations', { email: `invited${++people}@example.com`, role: 'admin' });
    expect((await accept(json.link)).status).toBe(201);
  });
});

describe('a session', () => {
  it('is over when its freezing is acknowledged, also where it was used a moment ago', async () => {
    const { accounts } = server.app.access;
    const user = await accounts.users.create(COMMAND_LINE, {
      email: 'session@example.com',
      name: 'S',
      role: 'viewer',
      password: PASSWORD,
    });
    const login = await server.request('POST', '/api/v1/auth/login', {
      key: null,
      body: { email: user.email, password: PASSWORD },
    });
    const headers = {
      cookie: login.headers.get('set-cookie')!.split(';')[0]!,
      'x-csrf-token': login.json.csrfToken as string,
    };
    const look = () => server.request('GET', '/api/v1/auth/session', { key: null, headers });
    expect((await look()).status).toBe(200);
    expect((await look()).status).toBe(200);
    await must('POST', `/users/${user.id}/freeze`, { reason: 'a test' });
    expect((await look()).status).toBe(401);
  });
});

describe('a link to choose a password', () => {
  it('is void when its user was frozen since', async () => {
    const { passwords } = server.app.access.accounts;
    const { id, email } = await person('viewer');
    const link = await passwords.makeResetLink(COMMAND_LINE, email);
    await must('POST', `/users/${id}/freeze`, { reason: 'a test' });
    await must('DELETE', `/users/${id}/freeze`);
    const body = { token: link.split('#')[1], password: PASSWORD };
    const answer = await server.request('POST', '/api/v1/auth/password-reset/confirm', { key: null, body });
    expect(answer.json.code).toBe('INVALID_TOKEN');
  });
});

describe('what a handler refuses', () => {
  it('is recorded once, as what the guard refuses', async () => {
    const guard = await person('guard');
    const helpdesk = await person('helpdesk');
    const admin = await person('admin');
    expect((await guard.ask('POST', `/users/${admin.id}/freeze`, { reason: 'x' })).status).toBe(403);
    expect((await helpdesk.ask('PATCH', `/users/${admin.id}`, { name: 'X' })).status).toBe(403);
    expect((await helpdesk.ask('POST', '/auth/invitations', { email: 'x@example.com', role: 'admin' })).status).toBe(
      403,
    );
    expect((await admin.ask('PUT', `/users/${admin.id}/role`, { role: 'owner' })).status).toBe(403);
    expect((await guard.ask('GET', '/audit')).status).toBe(403);
    const denials = async (id: string) => {
      const { json } = await server.request('GET', `/api/v1/audit?limit=200`);
      return json.data.filter(
        (one: { action: string; actor: { id: string } }) => one.action === 'access.denied' && one.actor.id === id,
      );
    };
    await expect.poll(async () => (await denials(guard.apiKeyId)).length, { timeout: 10_000 }).toBe(2);
    const [last, first] = await denials(guard.apiKeyId);
    expect(first.details.route).toBe('POST /api/v1/users/:id/freeze');
    expect(last.details.route).toBe('GET /api/v1/audit');
    expect(await denials(helpdesk.apiKeyId)).toHaveLength(2);
    expect(await denials(admin.apiKeyId)).toHaveLength(1);
  });
});

describe('an address that is written in another way', () => {
  it('is answered with the same care', async () => {
    const admin = await person('admin');
    for (const path of ['/api/v1/users', '/%61pi/v1/users', '/api/v1/%75sers']) {
      const answer = await server.request('GET', path, { key: null });
      expect([answer.status, answer.headers.get('cache-control')], path).toEqual([401, 'no-store']);
      expect(answer.headers.get('ratelimit'), path).toMatch(/^"address"/);
    }
    expect((await admin.ask('GET', '/users')).headers.get('cache-control')).toBe('no-store');
  });
});
