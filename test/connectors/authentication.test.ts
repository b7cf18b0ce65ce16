import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { authenticatorFor } from '../../src/connectors/authentication/authenticatorFor.ts';
import { checkConnection } from '../../src/connectors/check.ts';
import { revokeCredentials } from '../../src/connectors/revoke.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { type Answer, type SeenRequest, serveApi } from './support/api.ts';
import { connectorWith, keysOf, openSession, readPages, shippedConnector, streamOf } from './support/session.ts';

const field = (name: string, more: JsonObject = {}): JsonObject => ({ name, title: name, ...more });

async function seenWith(mode: JsonObject, credentials: Record<string, string>): Promise<SeenRequest> {
  const api = await serveApi(() => ({ body: [] }));
  const connector = connectorWith({ auth: [{ name: 'mode', title: 'Mode', ...mode }], streams: [streamOf({})] });
  await readPages(openSession(connector, { connection: { url: api.url }, credentials }), 'items');
  return api.seen[0]!;
}

describe('a credential is put into', () => {
  it('a header', async () => {
    const mode = {
      type: 'api_key',
      in: 'header',
      key: 'X-Api-Key',
      value: 'key={{ credentials.k }}',
      fields: [field('k')],
    };
    expect((await seenWith(mode, { k: 'abc' })).headers['x-api-key']).toBe('key=abc');
  });

  it('the query', async () => {
    const mode = { type: 'api_key', in: 'query', key: 'api_key', value: '{{ credentials.k }}', fields: [field('k')] };
    expect((await seenWith(mode, { k: 'a b&c' })).query.get('api_key')).toBe('a b&c');
  });

  it('basic authentication, in UTF-8', async () => {
    const fields = [field('u'), field('p')];
    const mode = { type: 'basic', username: '{{ credentials.u }}', password: '{{ credentials.p }}', fields };
    const { headers } = await seenWith(mode, { u: 'jürgen', p: 'a:b' });
    expect(Buffer.from(headers.authorization!.slice(6), 'base64').toString()).toBe('jürgen:a:b');
  });

  it('several headers, of which an optional one may be missing', async () => {
    const mode = {
      type: 'headers',
      headers: { 'X-Id': '{{ credentials.id }}', 'X-Account': '{{ credentials.account }}' },
      fields: [field('id'), field('account', { required: false })],
    };
    const { headers } = await seenWith(mode, { id: 'abc' });
    expect(headers['x-id']).toBe('abc');
    expect(headers).not.toHaveProperty('x-account');
  });

  it('no header that would start another', async () => {
    const mode = { type: 'bearer', token: '{{ credentials.t }}', fields: [field('t')] };
    await expect(seenWith(mode, { t: 'abc\r\nx-admin: 1' })).rejects.toThrow(
      'the header authorization has a line break',
    );
  });
});

describe('the mode is told by the credentials', () => {
  it('and only the API’s own origins get them', async () => {
    const twitter = await shippedConnector('twitter');
    const session = openSession(twitter, { credentials: { bearerToken: 'b' }, connection: {} });
    expect(authenticatorFor(session).origins).toEqual(['https://api.x.com']);
    const request = { method: 'GET', url: new URL('https://api.x.com/2/x'), headers: {} };
    await authenticatorFor(session).apply(request, new AbortController().signal);
    expect(request.headers).toEqual({ authorization: 'Bearer b' });
  });

  it('or named', async () => {
    const api = await serveApi(() => ({ body: { id: 1 } }));
    const http = await shippedConnector('http');
    const session = openSession(http, {
      credentials: { apiKey: 'k' },
      authMode: 'api_key_query',
      connection: { baseUrl: api.url },
    });
    await checkConnection(session, AbortSignal.timeout(5000));
    expect(api.seen[0]!.query.get('api_key')).toBe('k');
    expect(api.seen[0]!.headers).not.toHaveProperty('x-api-key');
  });
});

/** Bluesky's server, as far as sessions go: access tokens are JWTs that name their expiry. */
function serveBluesky(options: { lifeSeconds: number }) {
  let issued = 0;
  let valid = '';
  const jwt = (): string => {
    issued += 1;
    const claims = { exp: Math.floor(Date.now() / 1000) + options.lifeSeconds, n: issued };
    return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
  };
  const answer = ({ path, body, headers }: SeenRequest): Answer => {
    if (path.endsWith('createSession')) {
      const { identifier, password } = JSON.parse(body) as Record<string, string>;
      if (identifier !== 'alice.test' || password !== 'abcd-efgh-ijkl-mnop')
        return { status: 401, body: { error: 'AuthenticationRequired', message: 'Invalid identifier or password' } };
      valid = jwt();
      return { body: { accessJwt: valid, refreshJwt: 'refresh-1', did: 'did:plc:a', handle: 'alice.test' } };
    }
    if (path.endsWith('deleteSession'))
      return headers.authorization === 'Bearer refresh-1' ? {} : { status: 401, body: {} };
    if (headers.authorization !== `Bearer ${valid}`)
      return { status: 400, body: { error: 'ExpiredToken', message: 'Token has expired' } };
    if (path.endsWith('getSession'))
      return { body: { did: 'did:plc:a', handle: 'alice.test', email: 'a@example.com' } };
    return { body: { records: [{ uri: 'at://1' }] } };
  };
  return {
    answer,
    expire: () => {
      valid = 'gone';
    },
  };
}

describe('a session (Bluesky)', () => {
  const credentials = { identifier: 'alice.test', appPassword: 'abcd-efgh-ijkl-mnop' };
  const logins = (seen: readonly SeenRequest[]): number =>
    seen.filter(({ path }) => path.endsWith('createSession')).length;

  it('is made once, used by all and made anew when it is refused', async () => {
    const server = serveBluesky({ lifeSeconds: 7200 });
    const api = await serveApi(server.answer);
    const session = openSession(await shippedConnector('bluesky'), { credentials, connection: { service: api.url } });
    const results = await Promise.all([1, 2, 3, 4].map(() => checkConnection(session, AbortSignal.timeout(5000))));
    expect(results.map(({ outcome }) => outcome)).toEqual(['success', 'success', 'success', 'success']);
    expect(logins(api.seen)).toBe(1);
    expect(keysOf(await readPages(session, 'posts'))).toEqual(['at://1']);
    expect(logins(api.seen)).toBe(1);
    // A fresh session refused at once would be refused again; this one has served for a while.
    const later = { ...session, clock: { ...systemClock, now: () => Date.now() + 60_000 } };
    server.expire();
    expect(keysOf(await readPages(later, 'posts'))).toEqual(['at://1']);
    expect(logins(api.seen)).toBe(2);
  });

  it('is made anew shortly before it expires', async () => {
    const api = await serveApi(serveBluesky({ lifeSeconds: 7200 }).answer);
    const session = openSession(await shippedConnector('bluesky'), { credentials, connection: { service: api.url } });
    await checkConnection(session, AbortSignal.timeout(5000));
    const at = (ms: number) => ({ ...session, clock: { ...systemClock, now: () => Date.now() + ms } });
    await checkConnection(at(7_000_000), AbortSignal.timeout(5000));
    expect(logins(api.seen)).toBe(1);
    await checkConnection(at(7_150_000), AbortSignal.timeout(5000));
    expect(logins(api.seen)).toBe(2);
  });

  it('with a wrong password is one wrong login', async () => {
    const api = await serveApi(serveBluesky({ lifeSeconds: 7200 }).answer);
    const session = openSession(await shippedConnector('bluesky'), {
      credentials: { ...credentials, appPassword: 'xxxx-xxxx-xxxx-xxxx' },
      connection: { service: api.url },
    });
    expect(await checkConnection(session, AbortSignal.timeout(5000))).toMatchObject({
      outcome: 'wrong_credentials',
      providerMessage: 'Invalid identifier or password',
    });
    expect(api.seen).toHaveLength(1);
  });

  it('is of these credentials only', async () => {
    const api = await serveApi(serveBluesky({ lifeSeconds: 7200 }).answer);
    const session = openSession(await shippedConnector('bluesky'), { credentials, connection: { service: api.url } });
    await checkConnection(session, AbortSignal.timeout(5000));
    const changed = { ...session, credentials: { ...credentials, appPassword: 'xxxx-xxxx-xxxx-xxxx' } };
    expect((await checkConnection(changed, AbortSignal.timeout(5000))).outcome).toBe('wrong_credentials');
  });

  it('is ended when the credentials are revoked, once', async () => {
    const api = await serveApi(serveBluesky({ lifeSeconds: 7200 }).answer);
    const session = openSession(await shippedConnector('bluesky'), { credentials, connection: { service: api.url } });
    const signal = AbortSignal.timeout(5000);
    await revokeCredentials(session, signal);
    expect(api.seen).toHaveLength(0);
    await checkConnection(session, signal);
    await revokeCredentials(session, signal);
    await revokeCredentials(session, signal);
    const ended = api.seen.filter(({ path }) => path.endsWith('deleteSession'));
    expect(ended.map(({ headers }) => headers.authorization)).toEqual(['Bearer refresh-1']);
  });

  it('that takes long does not hold who gives up', async () => {
    const api = await serveApi(async ({ path }) => {
      if (path.endsWith('createSession')) await delay(2000);
      return { body: { accessJwt: 'x', did: 'd' } };
    });
    const session = openSession(await shippedConnector('bluesky'), { credentials, connection: { service: api.url } });
    const request = { method: 'GET', url: new URL(api.url), headers: {} };
    const applied = authenticatorFor(session).apply(request, AbortSignal.timeout(50));
    await expect(applied).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
