import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticatorFor } from '../../src/connectors/authentication/authenticatorFor.ts';
import { checkConnection } from '../../src/connectors/check.ts';
import { revokeCredentials } from '../../src/connectors/revoke.ts';
import { systemClock } from '../../src/core/clock.ts';
import { serveApi } from './support/api.ts';
import { connectorWith, openSession, shippedConnector } from './support/session.ts';

/** A certified OAuth server on loopback, and how often it was asked for tokens. */
let issuer: string;
let server: Server;
const asked: { path: string; authorization?: string; body: string }[] = [];

beforeAll(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'basic client',
        scope: 'read',
        client_secret: 'se:cret +/%',
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'post',
        client_secret: 'posted',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ['read', 'write'],
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      devInteractions: { enabled: false },
    },
  });
  const handle = provider.callback();
  server.on('request', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push({
        path: request.url!,
        authorization: request.headers.authorization,
        body: Buffer.concat(chunks).toString(),
      });
      // The provider reads the body again, from what was put aside.
      Object.assign(request, { body: Buffer.concat(chunks).toString() });
      handle(request, response);
    });
  });
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function connector(clientAuthentication: string, more: Record<string, string | string[]> = {}) {
  return connectorWith({
    connection: [
      { name: 'url', title: 'Address', type: 'url' },
      { name: 'issuer', title: 'Issuer', type: 'url' },
    ],
    auth: [
      {
        name: 'app',
        title: 'App',
        type: 'oauth2_client_credentials',
        tokenUrl: '{{ config.issuer }}/token',
        revokeUrl: '{{ config.issuer }}/token/revocation',
        clientId: '{{ credentials.id }}',
        clientSecret: '{{ credentials.secret }}',
        clientAuthentication,
        scopes: ['read'],
        ...more,
        fields: [
          { name: 'id', title: 'Id', secret: false },
          { name: 'secret', title: 'Secret' },
        ],
      },
    ],
    check: { path: '/me', accountPath: 'token' },
  });
}

/** An API that answers with the token it was given. */
const serveEcho = () =>
  serveApi(({ headers }) =>
    headers.authorization === undefined
      ? { status: 401, body: {} }
      : { body: { token: headers.authorization.slice(0, 10) } },
  );

const BASIC = { id: 'basic client', secret: 'se:cret +/%' };
const tokensAsked = (): number => asked.filter(({ path }) => path === '/token').length;

describe('client credentials, at a real authorization server', () => {
  it('by basic authentication, with characters that must be encoded', async () => {
    const api = await serveEcho();
    const session = openSession(connector('client_secret_basic'), {
      credentials: BASIC,
      connection: { url: api.url, issuer },
    });
    expect(await checkConnection(session, AbortSignal.timeout(5000))).toMatchObject({ outcome: 'success' });
    expect(asked.at(-1)).toMatchObject({ path: '/token', authorization: expect.stringMatching(/^Basic /) });
    expect(new URLSearchParams(asked.at(-1)!.body).get('scope')).toBe('read');
    expect(api.seen[0]!.headers.authorization).toMatch(/^Bearer .{20,}/);
  });

  it('by the body', async () => {
    const api = await serveEcho();
    const session = openSession(connector('client_secret_post'), {
      credentials: { id: 'post', secret: 'posted' },
      connection: { url: api.url, issuer },
    });
    expect(await checkConnection(session, AbortSignal.timeout(5000))).toMatchObject({ outcome: 'success' });
    expect(asked.at(-1)!.authorization).toBeUndefined();
  });

  it('one token serves many calls at once, until it is about to expire', async () => {
    const api = await serveEcho();
    const session = openSession(connector('client_secret_basic'), {
      credentials: BASIC,
      connection: { url: api.url, issuer },
    });
    const before = tokensAsked();
    await Promise.all(Array.from({ length: 20 }, () => checkConnection(session, AbortSignal.timeout(5000))));
    expect(tokensAsked() - before).toBe(1);
    const later = { ...session, clock: { ...systemClock, now: () => Date.now() + 595_000 } };
    await checkConnection(later, AbortSignal.timeout(5000));
    expect(tokensAsked() - before).toBe(2);
  });

  it('a refused token is replaced once, and then the refusal stands', async () => {
    const api = await serveApi(() => ({ status: 401, body: {} }));
    let nowMs = Date.now();
    const clock = { ...systemClock, now: () => nowMs };
    const session = openSession(connector('client_secret_basic'), {
      credentials: BASIC,
      connection: { url: api.url, issuer },
      clock,
    });
    const before = tokensAsked();
    // A token that is new and refused: another one would be refused too.
    expect((await checkConnection(session, AbortSignal.timeout(5000))).outcome).toBe('wrong_credentials');
    expect([tokensAsked() - before, api.seen.length]).toEqual([1, 1]);
    const authenticator = authenticatorFor(session);
    const request = { method: 'GET', url: new URL(api.url), headers: {} };
    await authenticator.apply(request, new AbortController().signal);
    nowMs += 60_000;
    expect(await authenticator.refresh!()).toBe(true);
  });

  it('a wrong secret is wrong credentials, and the API is not called', async () => {
    const api = await serveEcho();
    const session = openSession(connector('client_secret_basic'), {
      credentials: { ...BASIC, secret: 'wrong-secret-value' },
      connection: { url: api.url, issuer },
    });
    const result = await checkConnection(session, AbortSignal.timeout(5000));
    expect(result).toMatchObject({
      outcome: 'wrong_credentials',
      providerCode: 'invalid_client',
      url: `${issuer}/token`,
    });
    expect(JSON.stringify(result)).not.toContain('wrong-secret-value');
    expect(api.seen).toHaveLength(0);
  });

  it('a scope that the client may not have is a missing scope', async () => {
    const api = await serveEcho();
    const session = openSession(connector('client_secret_basic', { scopes: ['write'] }), {
      credentials: BASIC,
      connection: { url: api.url, issuer },
    });
    expect(await checkConnection(session, AbortSignal.timeout(5000))).toMatchObject({
      outcome: 'missing_scope',
      providerCode: 'invalid_scope',
    });
  });

  it('an address without a token endpoint is not found', async () => {
    const api = await serveEcho();
    const session = openSession(connector('client_secret_basic', { tokenUrl: '{{ config.issuer }}/nothing' }), {
      credentials: BASIC,
      connection: { url: api.url, issuer },
    });
    expect(await checkConnection(session, AbortSignal.timeout(5000))).toMatchObject({ outcome: 'not_found' });
  });

  it('the token is given back when the integration is deleted', async () => {
    const api = await serveEcho();
    const session = openSession(connector('client_secret_basic'), {
      credentials: BASIC,
      connection: { url: api.url, issuer },
    });
    await checkConnection(session, AbortSignal.timeout(5000));
    const token = api.seen[0]!.headers.authorization!.slice('Bearer '.length);
    const isActive = async (): Promise<boolean> => {
      const authorization = `Basic ${Buffer.from(`${encodeURIComponent(BASIC.id)}:${encodeURIComponent(BASIC.secret)}`).toString('base64')}`;
      const body = new URLSearchParams({ token });
      const response = await fetch(`${issuer}/token/introspection`, {
        method: 'POST',
        headers: { authorization },
        body,
      });
      return ((await response.json()) as { active: boolean }).active;
    };
    expect(await isActive()).toBe(true);
    await revokeCredentials(session, AbortSignal.timeout(5000));
    expect(await isActive()).toBe(false);
  });
});

describe('the specification’s example, X with key and secret,', () => {
  it('asks for an app’s token and sends it', async () => {
    const api = await serveApi(({ path, headers, body }) => {
      if (path === '/oauth2/token') {
        const right = headers.authorization === `Basic ${Buffer.from('xxx:xxx').toString('base64')}`;
        return right && body === 'grant_type=client_credentials'
          ? { body: { token_type: 'bearer', access_token: 'AAAA%2FAAAA%3DAAAA' } }
          : { status: 403, body: { errors: [{ code: 99, message: 'Unable to verify your credentials' }] } };
      }
      return headers.authorization === 'Bearer AAAA%2FAAAA%3DAAAA'
        ? { body: { data: { project_id: '17' } } }
        : { status: 401, body: {} };
    });
    const twitter = await shippedConnector('twitter');
    const run = (apiSecret: string) =>
      checkConnection(
        openSession(twitter, { credentials: { apiKey: 'xxx', apiSecret }, connection: { apiBaseUrl: api.url } }),
        AbortSignal.timeout(5000),
      );
    expect(await run('xxx')).toMatchObject({ outcome: 'success', account: '17' });
    expect(await run('yyy')).toMatchObject({
      outcome: 'wrong_credentials',
      providerCode: '99',
      providerMessage: 'Unable to verify your credentials',
    });
  });
});

describe('Shopify’s client credentials', () => {
  it('go into the body, and the token, which has no type, into its own header', async () => {
    const api = await serveApi(({ path, headers, body }) => {
      if (path === '/admin/oauth/access_token') {
        expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
          grant_type: 'client_credentials',
          client_id: 'i',
          client_secret: 's',
        });
        return { body: { access_token: 'shpat_issued', scope: 'read_orders', expires_in: 86399 } };
      }
      return headers['x-shopify-access-token'] === 'shpat_issued'
        ? { body: { shop: { id: 1, name: 'Acme' } } }
        : { status: 401, body: {} };
    });
    const session = openSession(await shippedConnector('shopify'), {
      credentials: { clientId: 'i', clientSecret: 's' },
      connection: { shop: 'acme', apiBaseUrl: api.url },
    });
    expect(await checkConnection(session, AbortSignal.timeout(5000))).toMatchObject({
      outcome: 'success',
      account: 'Acme',
    });
    expect(api.seen.at(-1)!.headers).not.toHaveProperty('authorization');
  });

  it('an answer without a token is a bad response that repeats nothing of it', async () => {
    const api = await serveApi(() => ({ body: { access_token: { secret: 'value' } } }));
    const session = openSession(await shippedConnector('shopify'), {
      credentials: { clientId: 'i', clientSecret: 's' },
      connection: { shop: 'acme', apiBaseUrl: api.url },
    });
    const result = await checkConnection(session, AbortSignal.timeout(5000));
    expect(result.outcome).toBe('bad_response');
    expect(result.providerMessage).toContain('answered the request for a token with no token');
    expect(JSON.stringify(result)).not.toContain('value');
  });
});
