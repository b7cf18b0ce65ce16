import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeKey } from '../../src/access/apiKeys/keyFormat.ts';
import { isPermission } from '../../src/access/permissions.ts';
import type { App } from '../../src/app.ts';
import { requirePermissions } from '../../src/http/guard/routePermissions.ts';
import { buildServer } from '../../src/http/server.ts';
import { PROJECT, type StackServer, startStackServer } from '../access/stackAuth/support/stackServer.ts';
import { EVERYTHING } from '../access/support/people.ts';
import { readRoutes } from '../access/support/writtenRules.ts';
import { useTestDatabase } from '../support/database.ts';
import { type GuardServer, openGuardServer } from './guardServer.ts';

const database = useTestDatabase();
let server: GuardServer;
let stack: StackServer;

beforeAll(async () => {
  stack = await startStackServer();
  server = await openGuardServer(database.url, {
    environment: {
      VITE_STACK_PROJECT_ID: PROJECT,
      VITE_STACK_PUBLISHABLE_CLIENT_KEY: 'pck_test',
      STACK_SECRET_SERVER_KEY: 'ssk_test',
      STACK_AUTH_ISSUERS: stack.url,
    },
  });
});
afterAll(async () => {
  await server?.close();
  await stack?.close();
});
beforeEach(() => {
  server.audit.events.length = 0;
});

/** Sends headers as they are written, also twice. */
function send(path: string, headers: string[], method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      `${server.url}${path}`,
      { method, headers: ['host', 'localhost', ...headers] },
      (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode!, body }));
      },
    );
    sent.on('error', reject).end();
  });
}

describe('a route', () => {
  it('that does not say who may call it cannot be registered', async () => {
    const built = buildServer(server.app);
    const register = (config: object | undefined, url = '/api/v1/things/:id') => {
      let problem: unknown;
      built.after(() => {
        try {
          built.get(url, { config } as { config: object }, async () => ({}));
        } catch (error) {
          problem = error;
        }
      });
      return () => String(problem);
    };
    const problems = [
      register(undefined),
      register({ permission: 'integrations:read' }, '/api/v1/one/:id'),
      register({ permission: 'integrations:read', about: 'integration' }, '/api/v1/two'),
      register({ permission: 'users:read', about: 'integration' }, '/api/v1/three/:id'),
      register({ permission: 'self', about: 'many' }, '/api/v1/four'),
      register({ permission: 'self', open: true }, '/api/v1/five'),
    ];
    await built.ready();
    expect(problems.map((tell) => tell())).toEqual([
      expect.stringContaining('declares no permission'),
      expect.stringContaining('for which integration'),
      expect.stringContaining('needs its id in the address'),
      expect.stringContaining('is about no integration'),
      expect.stringContaining('`about` means nothing'),
      expect.stringContaining('one of the two'),
    ]);
    await built.close();
  });

  it('stands in docs/authentication.md with its permission, and none else does', async () => {
    const built = buildServer(server.app);
    const routes = requirePermissions(built);
    await built.ready();
    await built.close();
    const registered = routes
      .filter(({ method }) => method !== 'HEAD')
      .map(({ method, url, permission }) => ({ route: `${method} ${url}`, permission }));
    expect(readRoutes()).toEqual(registered);
    for (const { permission } of routes)
      expect(permission === 'self' || permission === 'open' || isPermission(permission)).toBe(true);
  });
});

describe('one credential', () => {
  it('counts, and two that differ are none', async () => {
    const user = await server.addUser();
    server.rules.allow(user.id, EVERYTHING);
    const bearer = ['authorization', `Bearer ${user.key}`];
    const key = ['x-api-key', user.key];
    expect((await send('/api/v1/integrations', bearer)).status).toBe(200);
    expect((await send('/api/v1/integrations', key)).status).toBe(200);
    for (const headers of [
      [...bearer, ...key],
      [...bearer, ...bearer],
      [...key, ...key],
      [...bearer, 'Authorization', 'Bearer x'],
      [...bearer, 'x-stack-access-token', await stack.token()],
      [...key, 'x-stack-access-token', 'x'],
      ['cookie', 'a=b', 'cookie', 'c=d', ...key],
    ]) {
      const { status, body } = await send('/api/v1/integrations', headers);
      expect([status, JSON.parse(body).code], headers.join()).toEqual([400, 'MALFORMED_REQUEST']);
    }
  });

  it('of a user says who asks, in the log of denials too', async () => {
    const user = await server.addUser();
    const answer = await server.request('GET', '/api/v1/api-keys', { key: user.key });
    expect(answer).toMatchObject({
      status: 403,
      json: { code: 'ACCESS_DENIED', details: { permission: 'apiKeys:read' } },
    });
    expect(server.audit.events.filter(({ outcome }) => outcome === 'denied')).toMatchObject([
      {
        action: 'access.denied',
        outcome: 'denied',
        actor: { kind: 'apiKey', id: user.apiKeyId, userId: user.id },
        origin: { address: '127.0.0.1' },
        details: { route: 'GET /api/v1/api-keys', permission: 'apiKeys:read' },
      },
    ]);
  });

  it('that is genuine but does not work says why; one that is not says nothing', async () => {
    const user = await server.addUser();
    await server.app.access.apiKeys.revoke(
      { principal: { kind: 'installation', name: 'command line' } },
      user.apiKeyId,
    );
    const revoked = await server.request('GET', '/api/v1/integrations', { key: user.key });
    expect(revoked).toMatchObject({ status: 401, json: { detail: `API key ${user.apiKeyId} is revoked.` } });
    const forged = await server.request('GET', '/api/v1/integrations', { key: makeKey(user.apiKeyId).text });
    const unknown = await server.request('GET', '/api/v1/integrations', { key: makeKey().text });
    expect(forged.status).toBe(401);
    expect({ ...forged.json, requestId: '' }).toEqual({ ...unknown.json, requestId: '' });
  });

  it('may be a token of Stack Auth, in either header', async () => {
    const token = await stack.token({ claims: { sub: 'guard-1' } });
    const asked = (headers: Record<string, string>) =>
      server.request('GET', '/api/v1/me/api-keys', { key: null, headers });
    expect((await asked({ authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await asked({ 'x-stack-access-token': token })).status).toBe(200);
    // It has an account, and no role.
    expect((await server.request('GET', '/api/v1/integrations', { key: token })).status).toBe(403);
    const expired = await stack.token({ claims: { sub: 'guard-1', exp: 1, iat: 0 } });
    expect(await asked({ 'x-stack-access-token': expired })).toMatchObject({
      status: 401,
      json: { detail: /expired/ },
    });
    expect((await asked({ 'x-stack-access-token': `${token.slice(0, -6)}AAAAAA` })).status).toBe(401);
    expect((await asked({ 'x-api-key': token })).status).toBe(401);
  });

  it('may be a session, which another credential does not go with', async () => {
    const user = await server.addUser();
    server.rules.allow(user.id, ['connectors:read']);
    const { accounts } = server.app.access;
    const { setCookie } = await server.app.database.transaction((tx) => accounts.sessions.begin(tx, user.id, {}));
    const right = `is_session=${encodeURIComponent(setCookie!)}`;
    const built = buildServer(server.app);
    const asked = async (url: string, headers: Record<string, string>) =>
      (await built.inject({ url, headers: { host: 'localhost', ...headers } })).statusCode;
    const cookie = `theme=dark; ${right}`;
    expect(await asked('/api/v1/connectors', { cookie })).toBe(200);
    expect(await asked('/api/v1/me/api-keys', { cookie })).toBe(200);
    expect(await asked('/api/v1/integrations', { cookie })).toBe(403);
    expect(await asked('/api/v1/connectors', { cookie: 'is_session=wrong' })).toBe(401);
    expect(await asked('/api/v1/connectors', { cookie: `other_${right}` })).toBe(401);
    expect(await asked('/api/v1/connectors', { cookie: `${cookie}; is_session=wrong` })).toBe(400);
    expect(await asked('/api/v1/connectors', { cookie, 'x-api-key': user.key })).toBe(400);
    await built.close();
  });

  it('of the installation has no account of its own', async () => {
    for (const [method, path] of [
      ['GET', '/api/v1/me/api-keys'],
      ['POST', '/api/v1/me/api-keys'],
      ['DELETE', '/api/v1/me/api-keys/ak_x'],
    ] as const)
      expect((await server.request(method, path, { body: method === 'POST' ? { name: 'x' } : undefined })).status).toBe(
        403,
      );
  });

  it('never breaks the server, whatever it is', async () => {
    const built = buildServer(server.app);
    const text = fc.stringMatching(/^[\x20-\x7e]{0,300}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('authorization', 'x-api-key', 'x-stack-access-token', 'cookie'),
        text,
        text,
        async (name, a, b) => {
          const value = fc.sample(fc.constantFrom(a, `Bearer ${a}`, `Bearer ${a}.${b}.${a}`, `isk_${a}`), 1)[0]!;
          const { statusCode } = await built.inject({
            url: '/api/v1/integrations',
            headers: { host: 'localhost', [name]: value },
          });
          expect([400, 401, 429]).toContain(statusCode);
        },
      ),
      { numRuns: 300 },
    );
    await built.close();
  });
});

describe('limits', () => {
  it('of an address come before anything is looked up, and never bind loopback like the rest', async () => {
    const built = buildServer(server.app);
    const asked = (remoteAddress: string) =>
      built.inject({
        url: '/api/v1/integrations',
        remoteAddress,
        headers: { host: 'localhost', authorization: `Bearer ${makeKey().text}` },
      });
    const statuses: Record<number, number> = {};
    for (let count = 0; count < 620; count++) {
      const { statusCode } = await asked(`2001:db8:5:5::${count.toString(16)}`);
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
    }
    const limited = await asked('2001:db8:5:5::1');
    expect(limited.json().code).toBe('TOO_MANY_REQUESTS');
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect(limited.headers.ratelimit).toMatch(/^"address";r=0;t=\d+$/);
    expect(statuses[401]).toBe(30);
    expect((await asked('2001:db8:5:6::1')).statusCode).toBe(401);
    expect((await asked('127.0.0.1')).statusCode).toBe(401);
    expect((await asked('::ffff:127.0.0.1')).statusCode).toBe(401);
    await built.close();
  });

  it('of a principal are its own, and every answer of the API says what is left', async () => {
    const app: App = { ...server.app, config: { ...server.app.config, apiRateLimit: 3 } };
    const built = buildServer(app);
    const [one, other] = [await server.addUser(), await server.addUser()];
    for (const { id } of [one, other]) server.rules.allow(id, EVERYTHING);
    const asked = (key: string, url = '/api/v1/connectors') =>
      built.inject({ url, headers: { host: 'localhost', authorization: `Bearer ${key}` } });
    for (const left of [2, 1, 0]) {
      const answer = await asked(one.key);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['ratelimit-policy']).toBe('"address";q=60000;w=60, "principal";q=3;w=60');
      expect(answer.headers.ratelimit).toMatch(new RegExp(`^"address";r=\\d+;t=\\d+, "principal";r=${left};t=\\d+$`));
    }
    const limited = await asked(one.key);
    expect([limited.statusCode, limited.json().code]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(limited.headers.ratelimit).toContain('"principal";r=0');
    expect((await asked(other.key)).statusCode).toBe(200);
    const missing = await asked(other.key, '/api/v1/nothing');
    expect([missing.statusCode, missing.headers.ratelimit]).toEqual([404, expect.stringContaining('"principal";r=1')]);
    expect((await built.inject({ url: '/livez', headers: { host: 'localhost' } })).headers.ratelimit).toBeUndefined();
    await built.close();
  });

  it('of a body hold before a credential is looked at', async () => {
    const { port } = new URL(server.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write(
          `POST /api/v1/integrations HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${makeKey().text}\r\ncontent-type: application/json\r\ncontent-length: 10485760\r\n\r\n`,
        ),
      );
      let text = '';
      socket.on('data', (data) => {
        text += data;
      });
      socket.on('close', () => resolve(text)).on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(server.audit.events).toEqual([]);
  });
});

describe('requests of a user', () => {
  it.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ['deep JSON', '['.repeat(100_000)],
    ['invalid UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['a NUL in a text', '{"name":"a\\u0000b"}'],
  ])('with %s are 400', async (_what, raw) => {
    const user = await server.addUser();
    const answer = await server.request('POST', '/api/v1/me/api-keys', {
      key: user.key,
      raw,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status, answer.text).toBe(400);
  });

  it('with a parameter twice are 400', async () => {
    const user = await server.addUser();
    server.rules.allow(user.id, EVERYTHING);
    for (const path of [
      '/api/v1/integrations?owner=a&owner=b',
      '/api/v1/api-keys?limit=1&limit=2',
      '/api/v1/me/api-keys?cursor=a&cursor=b',
    ])
      expect((await server.request('GET', path, { key: user.key })).status, path).toBe(400);
  });
});

describe('a flood of denials', () => {
  it('is one event and a count', async () => {
    const user = await server.addUser();
    for (let count = 0; count < 25; count++) await server.request('GET', '/api/v1/api-keys', { key: user.key });
    await server.request('PUT', '/api/v1/connectors/x', { key: user.key, body: { source: 'x' } });
    const of = server.audit.events.filter(({ actor }) => actor.id === user.apiKeyId);
    expect(of.map(({ details }) => details!.route)).toEqual([
      'GET /api/v1/api-keys',
      'PUT /api/v1/connectors/:platform',
    ]);
    await server.app.access.checks.denials.close();
    expect(server.audit.events.at(-1)).toMatchObject({ details: { route: 'GET /api/v1/api-keys', repeated: 24 } });
  });
});
