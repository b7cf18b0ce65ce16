import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TooManyFailedAttemptsError } from '../../src/http/errors.ts';
import { FailedAttempts } from '../../src/http/guard/failedAttempts.ts';
import { buildServer } from '../../src/http/server.ts';
import { useTestDatabase } from '../support/database.ts';
import { openTestServer, type TestServer } from './testServer.ts';

const database = useTestDatabase();
let server: TestServer;

beforeAll(async () => {
  server = await openTestServer(database.url, { workers: false });
});
afterAll(() => server?.close());

const OPEN = [
  '/',
  '/account',
  '/api/openapi.json',
  '/api/v1/auth/invitations/accept',
  '/api/v1/auth/login',
  '/api/v1/auth/login/second-factor',
  '/api/v1/auth/password-reset',
  '/api/v1/auth/password-reset/confirm',
  '/api/v1/auth/setup',
  '/docs',
  '/docs/',
  '/docs/errors',
  '/docs/js/scalar.js',
  '/health',
  '/invitation',
  '/livez',
  '/login',
  '/readyz',
  '/reset-password',
  '/setup',
];

describe('without the API key', () => {
  it('every route is refused but those meant to be open', async () => {
    const routes: [string, string][] = [];
    // A second server of the same app, only to see what is registered.
    const listed = buildServer(server.app);
    listed.addHook('onRoute', ({ url, method }) => {
      for (const one of [method].flat()) routes.push([one, url]);
    });
    await listed.ready();
    const open = new Set<string>();
    for (const [method, url] of routes) {
      const answer = await listed.inject({
        method: method as 'GET',
        url: url.replaceAll(/:\w+/g, 'x'),
        headers: { host: 'localhost' },
      });
      // After so many refusals they are limited, which is a refusal as well.
      if (answer.statusCode !== 401 && answer.statusCode !== 429) open.add(url);
      else if (method !== 'HEAD') expect(answer.json().code).toMatch(/^(UNAUTHENTICATED|TOO_MANY_FAILED_ATTEMPTS)$/);
    }
    await listed.close();
    expect(routes.length).toBeGreaterThan(50);
    expect([...open].sort()).toEqual(OPEN);
  });

  it('an address below /api that does not exist says nothing either', async () => {
    expect((await server.request('GET', '/api/v1/nonsense', { key: null })).status).toBe(401);
    expect((await server.request('GET', '/nonsense', { key: null })).status).toBe(404);
  });

  it('a body is not read', async () => {
    const answer = await server.request('POST', '/api/v1/integrations', { key: null, raw: '{ not JSON' });
    expect(answer).toMatchObject({ status: 401, json: { code: 'UNAUTHENTICATED' } });
  });

  it('the answer says how to send it', async () => {
    const answer = await server.request('GET', '/api/v1/integrations', { key: null });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="integration-services"');
    expect(answer.json.detail).toMatch(/Authorization: Bearer.*API_KEY/s);
    const wrong = await server.request('GET', '/api/v1/integrations', { key: 'wrong' });
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });
});

describe('the API key', () => {
  it('is taken as a bearer token and as X-API-Key', async () => {
    const { apiKey } = server.app.secrets;
    const right: Record<string, string>[] = [{ 'x-api-key': apiKey }, { authorization: `bearer  ${apiKey}` }];
    for (const headers of right)
      expect((await server.request('GET', '/api/v1/integrations', { key: null, headers })).status).toBe(200);
    const wrong: Record<string, string>[] = [
      { 'x-api-key': `${apiKey}x` },
      { 'x-api-key': apiKey.slice(0, -1) },
      { authorization: apiKey },
      { authorization: `Basic ${apiKey}` },
    ];
    for (const headers of wrong)
      expect((await server.request('GET', '/api/v1/integrations', { key: null, headers })).status).toBe(401);
  });

  it('goes on working for an address that sent many wrong ones', async () => {
    const { apiKey } = server.app.secrets;
    const listed = buildServer(server.app);
    const asked = async (key: string, remoteAddress: string) =>
      listed.inject({
        url: '/api/v1/connectors',
        remoteAddress,
        headers: { host: 'localhost', authorization: `Bearer ${key}` },
      });
    for (let attempt = 0; attempt < 30; attempt++) expect((await asked('wrong', '203.0.113.7')).statusCode).toBe(401);
    const limited = await asked('wrong', '203.0.113.7');
    expect([limited.statusCode, limited.json().code]).toEqual([429, 'TOO_MANY_FAILED_ATTEMPTS']);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await asked('wrong', '203.0.113.8')).statusCode).toBe(401);
    expect((await asked(apiKey, '203.0.113.7')).statusCode).toBe(200);
    await listed.close();
  });

  it('may be guessed at again when the minute is over', () => {
    let nowMs = 0;
    const failures = new FailedAttempts({ now: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {} });
    for (let attempt = 0; attempt < 30; attempt++) failures.count('203.0.113.7');
    expect(() => failures.count('203.0.113.7')).toThrow(TooManyFailedAttemptsError);
    expect(errorOf(() => failures.count('203.0.113.7'))).toMatchObject({ headers: { 'retry-after': '60' } });
    failures.count('203.0.113.8');
    nowMs = 60_000;
    failures.count('203.0.113.7');
  });

  it('is guessed as one from a whole IPv6 network', () => {
    const failures = new FailedAttempts({ now: () => 0, monotonicMs: () => 0, sleep: async () => {} });
    for (let host = 1; host <= 30; host++) failures.count(`2001:db8:0:7::${host.toString(16)}`);
    expect(() => failures.count('2001:db8::7:ffff:1:2:3')).toThrow(TooManyFailedAttemptsError);
    failures.count('2001:db8:0:8::1');
  });
});

function errorOf(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
}

describe('a page of another site', () => {
  const asked = (method: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const key = server.app.secrets.apiKey;
      const sent = httpRequest(
        `${server.url}/api/v1/sync`,
        { method, headers: { authorization: `Bearer ${key}`, ...headers } },
        (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode!));
        },
      );
      sent.on('error', reject).end();
    });

  it('cannot reach the server by a name of its own', async () => {
    const { port } = new URL(server.url);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost@evil', '10.0.0.1'])
      expect(await asked('POST', { host }), host).toBe(403);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, 'LOCALHOST'])
      expect(await asked('POST', { host }), host).toBe(202);
  });

  it('cannot change anything', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example', 'http://127.0.0.1:1'])
      expect(await asked('POST', { origin }), origin).toBe(403);
    expect(await asked('POST', { origin: server.url })).toBe(202);
  });

  it('is not looked for where the server is reached by other names', async () => {
    const { app } = server;
    const elsewhere = buildServer({ ...app, config: { ...app.config, environment: 'production', host: '0.0.0.0' } });
    const answer = await elsewhere.inject({ url: '/livez', headers: { host: 'integrations.example.com' } });
    await elsewhere.close();
    expect(answer.statusCode).toBe(200);
  });
});
