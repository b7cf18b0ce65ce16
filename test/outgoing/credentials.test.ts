import { describe, expect, it, onTestFinished } from 'vitest';
import type { Authenticator, OutgoingCall } from '../../src/outgoing/types.ts';
import { makeHarness, resolveFrom } from './support/harness.ts';
import { type SeenRequest, serve } from './support/servers.ts';

const CANARY = 'canary-7f3a9c-secret';

function harness() {
  const made = makeHarness({ resolve: resolveFrom({ 'evil.example': ['127.0.0.1'], 'api.example': ['127.0.0.1'] }) });
  onTestFinished(() => made.outgoing.close());
  return made;
}

const KINDS: Record<string, (origins: readonly string[]) => Authenticator> = {
  bearer: (origins) => ({
    origins,
    apply: async (request) => {
      request.headers.authorization = `Bearer ${CANARY}`;
    },
  }),
  'api key header': (origins) => ({
    origins,
    apply: async (request) => {
      request.headers['x-api-key'] = CANARY;
    },
  }),
  'api key in the query': (origins) => ({
    origins,
    apply: async (request) => {
      request.url.searchParams.set('api_key', CANARY);
    },
  }),
  basic: (origins) => ({
    origins,
    apply: async (request) => {
      request.headers.authorization = `Basic ${Buffer.from(`user:${CANARY}`).toString('base64')}`;
    },
  }),
};

const basic = Buffer.from(`user:${CANARY}`).toString('base64');
/** Whether the canary is anywhere in what a server saw. */
const sees = (seen: readonly SeenRequest[]) => {
  const text = decodeURIComponent(JSON.stringify(seen));
  return text.includes(CANARY) || text.includes(basic);
};

describe.each(Object.entries(KINDS))('a credential (%s)', (_name, make) => {
  it('goes to the origins it is for', async () => {
    const api = await serve();
    await harness().get(`${api.origin}/items?page=2`, { authenticator: make([api.origin]) });
    expect(sees(api.seen)).toBe(true);
    expect(api.seen[0]!.url).toContain('page=2');
  });

  it('goes to no other: not another port, host name, scheme or sub-domain', async () => {
    const other = await serve();
    const { get } = harness();
    for (const origin of [
      `http://127.0.0.1:${other.port + 1}`,
      `http://api.example:${other.port}`,
      `https://127.0.0.1:${other.port}`,
      `http://127.0.0.1.evil.example:${other.port}`,
      'http://127.0.0.1',
    ]) {
      await get(`${other.origin}/items?page=2`, { authenticator: make([origin]) });
    }
    expect(other.seen).toHaveLength(5);
    expect(sees(other.seen)).toBe(false);
    expect(other.seen.every(({ url }) => url === '/items?page=2')).toBe(true);
  });

  it('does not follow a redirect to another origin, and does follow one within its own', async () => {
    const evil = await serve();
    const api = await serve((_request, response, { url }) => {
      if (url.startsWith('/leave')) response.writeHead(302, { location: `http://evil.example:${evil.port}/in` }).end();
      // Open redirects hand the query on, and the key with it.
      else if (url.startsWith('/echo'))
        response.writeHead(307, { location: `http://evil.example:${evil.port}${url}` }).end();
      else if (url.startsWith('/stay')) response.writeHead(302, { location: '/home' }).end();
      else response.end('home');
    });
    const { get } = harness();
    const authenticator = make([api.origin]);
    await get(`${api.origin}/leave`, { authenticator });
    await get(`${api.origin}/echo?page=1`, { authenticator });
    expect(evil.seen.map(({ url }) => url)).toEqual(['/in', '/echo?page=1']);
    expect(sees(evil.seen)).toBe(false);
    api.seen.length = 0;
    await get(`${api.origin}/stay`, { authenticator });
    expect(api.seen).toHaveLength(2);
    expect(sees([api.seen[1]!])).toBe(true);
  });

  it('comes back when a redirect leads home again', async () => {
    const api = await serve((_request, response, { url }) => {
      if (url.startsWith('/start')) response.writeHead(302, { location: `http://evil.example:${away.port}/` }).end();
      else response.end('done');
    });
    const away = await serve((_request, response) => response.writeHead(302, { location: `${api.origin}/end` }).end());
    await harness().get(`${api.origin}/start`, { authenticator: make([api.origin]) });
    expect(sees(away.seen)).toBe(false);
    expect(sees([api.seen.find(({ url }) => url.startsWith('/end'))!])).toBe(true);
  });

  it('is taken out of a next-page link that holds it and points to another origin', async () => {
    const evil = await serve();
    await harness().get(
      `http://evil.example:${evil.port}/next?cursor=2&token=${CANARY}&x=${encodeURIComponent(CANARY)}`,
      {
        authenticator: make(['http://api.example']),
      },
    );
    expect(evil.seen[0]!.url).toBe('/next?cursor=2');
  });

  it('is in no error and in no record, also when the provider repeats it', async () => {
    const answers = [400, 401, 403, 404, 422, 429, 500];
    const api = await serve((_request, response, { url, headers }) => {
      const status = answers[Number(new URL(url, 'http://x').searchParams.get('n'))] ?? 302;
      const said = `No: ${headers.authorization ?? headers['x-api-key'] ?? url} and ${CANARY} at http://x/?k=${CANARY}`;
      response.writeHead(status, { location: `ftp://x/?${CANARY}`, 'www-authenticate': said }).end(said);
    });
    const { fails, records } = harness();
    const classify: OutgoingCall['classify'] = ({ status, body, headers }) => ({
      outcome: status === 401 ? 'wrong_credentials' : 'invalid_request',
      retryable: false,
      providerCode: headers['www-authenticate'],
      providerMessage: body.toString(),
    });
    for (let n = 0; n <= answers.length; n++) {
      const url = `${api.origin}/v1/${CANARY}?n=${n}&caller=${CANARY}`;
      const error = await fails(url, { authenticator: make([api.origin]), classify });
      const text = [
        error.message,
        error.stack,
        JSON.stringify(error),
        JSON.stringify(error.details),
        String(error.cause),
      ].join();
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain(basic);
      expect(error.url).toBe(`${api.origin}/v1/[hidden]`);
    }
    expect(records).toHaveLength(answers.length + 1);
    expect(JSON.stringify(records)).not.toContain(CANARY);
    expect(JSON.stringify(records)).not.toContain(basic);
  });
});

describe('headers of the caller', () => {
  const headers = {
    Authorization: `Bearer ${CANARY}`,
    Cookie: `session=${CANARY}`,
    'X-Anything': CANARY,
    Accept: 'text/html',
  };

  it('reach the origin the caller addressed, and after a redirect to another only the public ones', async () => {
    const evil = await serve();
    const api = await serve((_request, response) =>
      response.writeHead(302, { location: `http://evil.example:${evil.port}/` }).end(),
    );
    await harness().get(api.origin, { headers });
    expect(sees(api.seen)).toBe(true);
    expect(sees(evil.seen)).toBe(false);
    expect(evil.seen[0]!.headers.accept).toBe('text/html');
  });

  it('do not reach an origin that the authenticator does not name', async () => {
    const evil = await serve();
    await harness().get(`http://evil.example:${evil.port}/`, {
      headers,
      authenticator: KINDS.bearer!(['http://api.example']),
    });
    expect(sees(evil.seen)).toBe(false);
    expect(evil.seen[0]!.headers.accept).toBe('text/html');
  });

  it('cannot change the host or the framing of the request', async () => {
    const api = await serve();
    await harness().get(api.origin, {
      method: 'POST',
      body: 'four',
      headers: {
        Host: 'evil.example',
        'Content-Length': '2',
        'Transfer-Encoding': 'chunked',
        Connection: 'close',
        Upgrade: 'websocket',
        'X-Ok': 'yes',
      },
    });
    expect(api.seen[0]).toMatchObject({
      body: 'four',
      headers: { host: `127.0.0.1:${api.port}`, 'content-length': '4', 'x-ok': 'yes' },
    });
    expect(api.seen[0]!.headers).not.toHaveProperty('transfer-encoding');
    const error = await harness().fails(api.origin, { headers: { 'x-split': 'a\r\nx-injected: b' } });
    expect(error.outcome).toBe('invalid_request');
    expect((await harness().fails(api.origin, { method: 'CONNECT' })).outcome).toBe('invalid_request');
    expect(api.seen).toHaveLength(1);
  });

  it('that are secret are hidden from errors, as are the fields of a token request', async () => {
    const api = await serve((_request, response, { body }) => response.writeHead(400).end(`bad ${body} ${CANARY}`));
    const { fails, records } = harness();
    const error = await fails(api.origin, {
      method: 'POST',
      operation: 'token',
      body: new URLSearchParams({ client_id: 'app', client_secret: CANARY }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      classify: ({ body }) => ({ outcome: 'wrong_credentials', retryable: false, providerMessage: body.toString() }),
    });
    expect(error.providerMessage).toBe('bad client_id=app&client_secret=[hidden] [hidden]');
    expect(JSON.stringify(records)).not.toContain(CANARY);
  });
});

describe('a redirect', () => {
  it.each([
    [301, 'GET', 'GET'],
    [302, 'HEAD', 'HEAD'],
    [303, 'POST', 'GET'],
    [303, 'HEAD', 'HEAD'],
    [307, 'POST', 'POST'],
    [308, 'PUT', 'PUT'],
  ])('%i turns %s into %s', async (status, method, then) => {
    const api = await serve((_request, response, { url }) => {
      if (url === '/') response.writeHead(status, { location: '/then' }).end();
      else response.end('done');
    });
    const body = method === 'GET' || method === 'HEAD' ? undefined : '{"a":1}';
    const response = await harness().get(api.origin, { method, body, headers: { 'content-type': 'application/json' } });
    expect(response.url).toBe(`${api.origin}/then`);
    expect(api.seen.map((seen) => seen.method)).toEqual([method, then]);
    expect(api.seen[1]!.body).toBe(then === 'GET' || then === 'HEAD' ? '' : body);
    if (body !== undefined && then === 'GET') expect(api.seen[1]!.headers).not.toHaveProperty('content-type');
  });

  it('that would turn a POST into a GET is not followed, and says so', async () => {
    const api = await serve((_request, response) => response.writeHead(301, { location: '/then' }).end());
    const error = await harness().fails(api.origin, { method: 'POST', body: 'x' });
    expect(error).toMatchObject({ outcome: 'bad_response', reason: expect.stringMatching(/redirected \(301\)/) });
    expect(api.seen).toHaveLength(1);
  });

  it('with a body to another origin is refused', async () => {
    const evil = await serve();
    const api = await serve((_request, response) => response.writeHead(308, { location: evil.origin }).end());
    expect((await harness().fails(api.origin, { method: 'POST', body: CANARY })).outcome).toBe('blocked');
    expect(evil.seen).toHaveLength(0);
  });

  it('is followed five times and no more, each recorded', async () => {
    const api = await serve((_request, response, { url }) =>
      response.writeHead(302, { location: `/${Number(url.slice(1)) + 1}` }).end(),
    );
    const { fails, records } = harness();
    expect(await fails(`${api.origin}/1`)).toMatchObject({ outcome: 'bad_response', attempts: 1 });
    expect(api.seen.map(({ url }) => url)).toEqual(['/1', '/2', '/3', '/4', '/5', '/6']);
    expect(records.map(({ path }) => path)).toEqual(['/1', '/2', '/3', '/4', '/5', '/6']);
  });
});

describe('a refused credential', () => {
  it('is refreshed once and tried once more, whatever the retry policy and the method', async () => {
    let token = 'old';
    const api = await serve((_request, response, { headers }) =>
      response.writeHead(headers.authorization === 'Bearer new' ? 200 : 401).end(),
    );
    let refreshes = 0;
    const authenticator: Authenticator = {
      origins: [api.origin],
      apply: async (request) => {
        request.headers.authorization = `Bearer ${token}`;
      },
      refresh: async () => {
        refreshes += 1;
        token = 'new';
        return true;
      },
    };
    const response = await harness().get(api.origin, { method: 'POST', body: 'x', authenticator });
    expect(response).toMatchObject({ status: 200, attempts: 2 });
    expect(refreshes).toBe(1);
  });

  it('that stays refused ends after one refresh', async () => {
    const api = await serve((_request, response) => response.writeHead(401).end());
    let refreshes = 0;
    const authenticator: Authenticator = {
      origins: [api.origin],
      apply: async () => {},
      refresh: async () => {
        refreshes += 1;
        return true;
      },
    };
    const { fails } = harness();
    expect(await fails(api.origin, { authenticator, retry: { maxAttempts: 10 } })).toMatchObject({
      outcome: 'wrong_credentials',
      status: 401,
      attempts: 2,
    });
    expect(refreshes).toBe(1);
    expect(await fails(api.origin, { authenticator: { ...authenticator, refresh: async () => false } })).toMatchObject({
      attempts: 1,
    });
    expect(await fails(api.origin, { authenticator: { ...authenticator, origins: [] } })).toMatchObject({
      attempts: 1,
    });
    expect(api.seen).toHaveLength(4);
  });

  it('whose fresh one cannot be had fails as the request for it did', async () => {
    const api = await serve((_request, response) => response.writeHead(401).end());
    const { fails, outgoing, call, records } = harness();
    const error = await fails(api.origin, {
      authenticator: {
        origins: [api.origin],
        apply: async () => {},
        refresh: async () => {
          await outgoing.send(call('http://nowhere.example/token', { operation: 'token' }));
          return true;
        },
      },
    });
    expect(error).toMatchObject({ outcome: 'dns_error', url: 'http://nowhere.example/token' });
    expect(records.map(({ operation, outcome }) => [operation, outcome])).toEqual([
      ['sync', 'wrong_credentials'],
      ['token', 'dns_error'],
    ]);
  });
});
