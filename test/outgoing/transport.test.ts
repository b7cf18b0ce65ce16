import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { generateCACertificate, getLocal } from 'mockttp';
import { getCA } from 'mockttp/dist/util/certificates';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { OutgoingCallError } from '../../src/outgoing/errors.ts';
import { EXPIRED_CERTIFICATE } from './support/expiredCertificate.ts';
import { makeHarness, resolveFrom } from './support/harness.ts';
import { closedPort, serve, serveTcp } from './support/servers.ts';

function harness(options?: Parameters<typeof makeHarness>[0]) {
  const made = makeHarness(options);
  onTestFinished(() => made.outgoing.close());
  return made;
}

/** What a person reads must say which way it failed; what a program reads must not be text. */
function expectFailure(error: OutgoingCallError, outcome: OutgoingCallError['outcome'], reason: RegExp) {
  expect({ outcome: error.outcome, reason: error.reason }).toEqual({ outcome, reason: expect.stringMatching(reason) });
  expect(error.code).toBe('OUTGOING_CALL_FAILED');
  expect(error.message).toContain(error.reason);
}

async function mockServer() {
  const server = getLocal();
  await server.start();
  onTestFinished(() => server.stop());
  return server;
}

describe('a connection', () => {
  it('that is refused is unreachable', async () => {
    const error = await harness().fails(`http://127.0.0.1:${await closedPort()}/`);
    expectFailure(error, 'unreachable', /refused/);
  });

  it('that is refused by every address of a name is unreachable', async () => {
    const { fails } = harness({ resolve: resolveFrom({ 'two.example': ['127.0.0.1', '::1'] }) });
    expectFailure(await fails(`http://two.example:${await closedPort()}/`), 'unreachable', /refused/);
  });

  it('reaches the second address of a name when the first refuses', async () => {
    const server = await serve((_request, response) => response.end('second'), '127.0.0.1');
    const { get } = harness({ resolve: resolveFrom({ 'two.example': ['::1', '127.0.0.1'] }) });
    expect((await get(`http://two.example:${server.port}/`)).body.toString()).toBe('second');
  });

  it('that is reset or closed without an answer is unreachable', async () => {
    const server = await mockServer();
    await server.forGet('/reset').thenResetConnection();
    await server.forGet('/close').thenCloseConnection();
    expectFailure(await harness().fails(server.urlFor('/reset')), 'unreachable', /reset|closed/);
    expectFailure(await harness().fails(server.urlFor('/close')), 'unreachable', /closed|reset/);
  });

  it('that breaks in the middle of the body is unreachable, however the length was told', async () => {
    const { origin } = await serveTcp((socket) => {
      socket.once('data', (data) => {
        const chunked = data.toString().startsWith('GET /chunked');
        const head = chunked ? 'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n' : 'content-length: 100\r\n\r\nhello';
        socket.write(`HTTP/1.1 200 OK\r\n${head}`, () => setTimeout(() => socket.destroy(), 20));
      });
    });
    const first = await harness().fails(`${origin}/chunked`);
    expectFailure(first, 'unreachable', /closed before the answer was complete|reset/);
    expectFailure(
      await harness().fails(`${origin}/length`),
      'unreachable',
      /closed before the answer was complete|reset/,
    );
  });

  it('that speaks something else than HTTP is a bad response', async () => {
    const { origin } = await serveTcp((socket) => socket.end('220 mail.example ESMTP\r\n'));
    expectFailure(await harness().fails(`${origin}/`), 'bad_response', /not valid HTTP/);
  });

  it('is used again for the next call', async () => {
    const server = await serve();
    const { get } = harness();
    for (let time = 0; time < 5; time++) await get(`${server.origin}/${time}`);
    expect(server.seen).toHaveLength(5);
    expect(server.connections()).toBeLessThanOrEqual(2);
  });
});

describe('a deadline', () => {
  const short = { connectMs: 5_000, headersMs: 5_000, bodyMs: 5_000, totalMs: 5_000 };

  it('ends a connection that does not open, also while the name is being resolved', async () => {
    const { fails, records } = harness({ resolve: () => new Promise(() => {}) });
    expectFailure(
      await fails('http://slow.example/', { deadlines: { ...short, connectMs: 50 } }),
      'timeout',
      /not open within 50 ms/,
    );
    expect(records[0]).toMatchObject({ outcome: 'timeout', status: null, firstByteMs: null });
  });

  it('ends a TLS handshake that does not come', async () => {
    const silent = await serveTcp(() => {});
    const url = silent.origin.replace('http:', 'https:');
    expectFailure(
      await harness().fails(url, { deadlines: { ...short, connectMs: 60 } }),
      'timeout',
      /not open within 60 ms/,
    );
  });

  it('ends an answer that does not start', async () => {
    const server = await mockServer();
    await server.forGet().thenTimeout();
    const deadlines = { ...short, headersMs: 70 };
    expectFailure(await harness().fails(server.urlFor('/'), { deadlines }), 'timeout', /no answer within 70 ms/);
  });

  it('ends a body that falls silent', async () => {
    const server = await serve((_request, response) => response.write('half'));
    const deadlines = { ...short, bodyMs: 80 };
    const { fails, records } = harness();
    expectFailure(await fails(server.origin, { deadlines }), 'timeout', /nothing more of the body came for 80 ms/);
    expect(records[0]).toMatchObject({ status: 200, responseBytes: 4 });
  });

  it('ends a body that drips for ever, and the connection with it', async () => {
    let ended: () => void = () => {};
    const closed = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const server = await serve((_request, response) => {
      const timer = setInterval(() => response.write('.'), 10);
      response.on('close', () => {
        clearInterval(timer);
        ended();
      });
    });
    const deadlines = { ...short, bodyMs: 1_000, totalMs: 500 };
    expectFailure(await harness().fails(server.origin, { deadlines }), 'timeout', /not complete within 500 ms/);
    await closed;
  });

  it('holds for a redirect and what comes after it together', async () => {
    const server = await serve((_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/on' }).end(), 60);
    });
    const deadlines = { ...short, totalMs: 150 };
    expectFailure(await harness().fails(server.origin, { deadlines }), 'timeout', /not complete within/);
    expect(server.seen.length).toBeLessThanOrEqual(4);
  });

  it('holds while no connection to the host is free', async () => {
    const server = await serve((_request, response, { url }) => {
      if (url === '/fast') response.end();
    });
    const { fails, get } = harness();
    const stop = new AbortController();
    const hanging = Array.from({ length: 64 }, () => get(server.origin, { signal: stop.signal }).catch(() => null));
    await expect.poll(() => server.seen.length).toBe(64);
    const waiting = fails(`${server.origin}/fast`, { deadlines: { ...short, totalMs: 100 } });
    expectFailure(await waiting, 'timeout', /no connection to the host was free/);
    const late = get(`${server.origin}/fast`);
    stop.abort();
    await Promise.all(hanging);
    expect((await late).status).toBe(200);
  });
});

describe('a cancelled call', () => {
  it('ends at once wherever it is', async () => {
    const server = await serve(() => {});
    const { fails } = harness({ resolve: () => new Promise(() => {}) });
    const stop = new AbortController();
    const under = [
      fails('http://slow.example/', { signal: stop.signal }),
      fails(server.origin, { signal: stop.signal }),
    ];
    await expect.poll(() => server.seen.length).toBe(1);
    stop.abort();
    for (const error of await Promise.all(under)) expectFailure(error, 'aborted', /cancelled/);
    expectFailure(await fails(server.origin, { signal: stop.signal }), 'aborted', /cancelled/);
    expect(server.seen).toHaveLength(1);
  });

  it('writes nothing once its connection opens after all', async () => {
    const server = await serve();
    const late = Promise.withResolvers<{ address: string; family: number }[]>();
    const { fails, get } = harness({ resolve: () => late.promise });
    const url = `http://late.example:${server.port}`;
    await fails(`${url}/given-up`, { deadlines: { connectMs: 30 } });
    late.resolve([{ address: '127.0.0.1', family: 4 }]);
    expect((await get(`${url}/wanted`)).status).toBe(200);
    // Both connections opened, the one nobody waits for any more included.
    await expect.poll(() => server.connections()).toBe(2);
    expect(server.seen.map((seen) => seen.url)).toEqual(['/wanted']);
  });

  it('is what closing the pipeline makes of every call under way and after', async () => {
    const server = await serve(() => {});
    const { fails, outgoing } = makeHarness();
    const under = fails(server.origin);
    await expect.poll(() => server.seen.length).toBe(1);
    await outgoing.close();
    expect((await under).outcome).toBe('aborted');
    expect((await fails(server.origin)).outcome).toBe('aborted');
  });

  it('is what closing makes of calls that wait for their budget or for their next attempt, too', async () => {
    const server = await serve((_request, response) => response.writeHead(500).end());
    const { fails, outgoing } = makeHarness({ random: () => 1 });
    const waiting = fails(server.origin, { retry: { maxAttempts: 2, baseDelayMs: 60_000, maxDelayMs: 60_000 } });
    await expect.poll(() => server.seen.length).toBe(1);
    const budgets = [{ maxRequests: 1, windowMs: 60_000 }];
    const queued = fails(server.origin, { budgets });
    await outgoing.close();
    expect((await waiting).outcome).toBe('aborted');
    expect((await queued).outcome).toBe('aborted');
  });
});

describe('TLS', () => {
  let ca: { key: string; cert: string };
  let certificateFor: (host: string) => Promise<{ key: string; cert: string }>;
  beforeAll(async () => {
    ca = await generateCACertificate();
    const authority = await getCA(ca);
    certificateFor = (host) => authority.generateCertificate(host);
  });

  async function serveTls(options: SecureContextOptions, location?: string): Promise<number> {
    const server = createHttpsServer(options, (request, response) => {
      if (location !== undefined) response.writeHead(302, { location });
      response.end(`for ${(request.socket as unknown as { servername: string }).servername}`);
    });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }
  const resolve = resolveFrom({
    'api.test': ['127.0.0.1'],
    'other.test': ['127.0.0.1'],
    'expired.test': ['127.0.0.1'],
  });
  const tls = (extraCertificates: string[] = []) => harness({ resolve, extraCertificates });

  it('asks for the name, not for the address it is pinned to, and checks the certificate for it', async () => {
    const port = await serveTls(await certificateFor('api.test'));
    const { get } = tls([ca.cert]);
    expect((await get(`https://api.test:${port}/`)).body.toString()).toBe('for api.test');
  });

  it('is not given up by following a redirect to plain HTTP', async () => {
    const plain = await serve();
    const port = await serveTls(await certificateFor('api.test'), plain.origin);
    expectFailure(await tls([ca.cert]).fails(`https://api.test:${port}/`), 'blocked', /without TLS/);
    expect(plain.seen).toHaveLength(0);
  });

  it('refuses a certificate for another name', async () => {
    const port = await serveTls(await certificateFor('api.test'));
    expectFailure(await tls([ca.cert]).fails(`https://other.test:${port}/`), 'tls_error', /another host name/);
  });

  it('refuses an authority that is not trusted', async () => {
    const port = await serveTls(await certificateFor('api.test'));
    expectFailure(await tls().fails(`https://api.test:${port}/`), 'tls_error', /not trusted|incomplete/);
  });

  it('refuses a self-signed certificate', async () => {
    const port = await serveTls(ca);
    expectFailure(await tls().fails(`https://api.test:${port}/`), 'tls_error', /self-signed/);
  });

  it('refuses an expired certificate', async () => {
    const port = await serveTls(EXPIRED_CERTIFICATE);
    const { fails } = tls([EXPIRED_CERTIFICATE.cert]);
    expectFailure(await fails(`https://expired.test:${port}/`), 'tls_error', /has expired/);
  });

  it('refuses outdated versions', async () => {
    const options = {
      ...(await certificateFor('api.test')),
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    } as const;
    createSecureContext(options);
    const port = await serveTls(options);
    expectFailure(await tls([ca.cert]).fails(`https://api.test:${port}/`), 'tls_error', /TLS/);
  });

  it('says when the port speaks plain HTTP', async () => {
    const server = await serve();
    expectFailure(await tls().fails(`https://api.test:${server.port}/`), 'tls_error', /does not speak TLS/);
  });
});
