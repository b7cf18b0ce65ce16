import { createServer } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseAllowList } from '../../src/outgoing/addressPolicy.ts';
import { guardedConnect, type ResolveHost, systemResolve } from '../../src/outgoing/guardedConnect.ts';
import { INTERNAL_IPV4, INTERNAL_IPV6, ipv4Forms, ipv6Disguises } from './support/addressForms.ts';
import { type Harness, makeHarness, resolveFrom } from './support/harness.ts';
import { serve } from './support/servers.ts';

/** Listens on every address of this machine; whatever reaches it got past the guard. */
const canary = createServer((_request, response) => response.end('reached'));
let reached = 0;
let port = 0;

beforeAll(async () => {
  canary.on('connection', () => {
    reached += 1;
  });
  await new Promise<void>((resolve) => canary.listen(0, '::', resolve));
  port = (canary.address() as AddressInfo).port;
});
afterAll(() => {
  canary.closeAllConnections();
  canary.close();
});

function harness(options: Parameters<typeof makeHarness>[0]): Harness {
  const made = makeHarness(options);
  onTestFinished(() => made.outgoing.close());
  return made;
}

const HOST_FORMS = [
  ...new Set([
    ...INTERNAL_IPV4.flatMap((address) => [...ipv4Forms(address), ...ipv6Disguises(address)]),
    ...INTERNAL_IPV6,
    'localhost',
    'LOCALHOST',
    'ｌｏｃａｌｈｏｓｔ',
  ]),
];
/** Every integration of its own, so that no breaker answers in place of the guard. */
const ownIntegration = (index: number) => ({ integrationId: `int_${index}`, deadlines: { totalMs: 5_000 } });

describe('an internal address', () => {
  it('is refused in every form', async () => {
    const { fails } = harness({ allowedPrivateHosts: [] });
    const before = reached;
    expect(HOST_FORMS.length).toBeGreaterThan(900);
    const outcomes = new Map<string, string>();
    for (const [index, host] of HOST_FORMS.entries()) {
      const error = await fails(`http://${host}:${port}/`, ownIntegration(index));
      expect(error.status).toBeUndefined();
      outcomes.set(host, error.outcome);
    }
    expect(reached).toBe(before);
    expect([...outcomes].filter(([, outcome]) => outcome !== 'blocked')).toEqual([]);
  });

  it('would be reached in many of them without the guard (so the test above can fail)', async () => {
    const { outgoing, call } = harness({ allowedPrivateHosts: ['0.0.0.0/0', '::/0', 'localhost'] });
    const before = reached;
    const loopback = [
      ...ipv4Forms('127.0.0.1'),
      ...ipv4Forms('0.0.0.0'),
      '[::1]',
      '[::ffff:7f00:1]',
      '[::]',
      'localhost',
    ];
    let answered = 0;
    for (const [index, host] of loopback.entries()) {
      const response = await outgoing.send(call(`http://${host}:${port}/`, ownIntegration(index))).catch(() => null);
      if (response?.body.toString() === 'reached') answered += 1;
    }
    expect(answered).toBeGreaterThan(35);
    expect(reached).toBeGreaterThan(before);
  });

  it('is refused by the connection itself, whatever reaches it unparsed', async () => {
    const connect = guardedConnect({ allowed: parseAllowList([]), resolve: systemResolve, timeoutMs: 5_000 });
    const before = reached;
    const raw = HOST_FORMS.filter((host) => /^[\x21-\x7e]+$/.test(host));
    for (const host of raw) {
      const hostname = host.replace(/^\[|\]$/g, '');
      const [error, socket] = await new Promise<[Error | null, unknown]>((resolve) =>
        connect({ hostname, host: `${host}:${port}`, protocol: 'http:', port: String(port) }, (...answer) =>
          resolve(answer),
        ),
      );
      expect(socket, host).toBeNull();
      const code = (error as NodeJS.ErrnoException).code ?? '';
      // Not every form is one that the resolver of this machine takes.
      expect(
        code === 'BLOCKED_TARGET' || (isIP(hostname) === 0 && /^(ENOTFOUND|EAI_)/.test(code)),
        `${host} ${code}`,
      ).toBe(true);
    }
    expect(reached).toBe(before);
  });

  it('is refused wherever it lies, drawn at random', async () => {
    const { fails } = harness({ allowedPrivateHosts: [] });
    const before = reached;
    const octet = fc.integer({ min: 0, max: 255 });
    const ipv4 = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127), octet, octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
      fc.tuple(fc.integer({ min: 224, max: 255 }), octet, octet, octet),
    );
    const group = fc.integer({ min: 0, max: 0xffff }).map((part) => part.toString(16));
    const ipv6 = fc
      .tuple(
        fc.constantFrom('fc12', 'fd00', 'fe80', 'fec0', 'ff02', '0', '64', '2002', '2001:db8'),
        group,
        group,
        group,
      )
      .map(([first, ...rest]) => `[${first}:${rest.join(':')}::]`);
    let index = 0;
    const host = fc.oneof(
      fc.tuple(ipv4, fc.nat()).map(([parts, form]) => {
        const forms = [...ipv4Forms(parts.join('.')), ...ipv6Disguises(parts.join('.'))];
        return forms[form % forms.length]!;
      }),
      ipv6,
    );
    await fc.assert(
      fc.asyncProperty(host, async (text) => {
        fc.pre(URL.canParse(`http://${text}/`));
        const error = await fails(`http://${text}:${port}/`, ownIntegration(index++));
        expect(error.outcome).toBe('blocked');
      }),
      { numRuns: 500 },
    );
    expect(reached).toBe(before);
  });
});

describe('a name', () => {
  it('is refused when it stands for an internal address, and also when only one of several is', async () => {
    const internal = [...INTERNAL_IPV4, ...INTERNAL_IPV6.map((host) => host.slice(1, -1))];
    const names = Object.fromEntries(
      internal.flatMap((address, index) => [
        [`only-${index}.example`, [address]],
        [`first-${index}.example`, [address, '93.184.215.14']],
        [`last-${index}.example`, ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', address]],
      ]),
    );
    const { fails } = harness({ allowedPrivateHosts: [], resolve: resolveFrom(names) });
    const before = reached;
    for (const [index, name] of Object.keys(names).entries()) {
      const error = await fails(`http://${name}:${port}/`, ownIntegration(index));
      expect(error.outcome, name).toBe('blocked');
      expect(error.message).toContain('ALLOWED_PRIVATE_HOSTS');
    }
    expect(reached).toBe(before);
  });

  it('is resolved once for a connection: what it stands for later does not count (DNS rebinding)', async () => {
    let answers = ['::1'];
    let asked = 0;
    const resolve: ResolveHost = async () => {
      asked += 1;
      const now = answers;
      // From the second question on it stands for what is not allowed.
      answers = ['127.0.0.1'];
      return now.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    };
    const { get, fails } = harness({ allowedPrivateHosts: ['::1'], resolve });
    const home = await serve(
      (_request, response) => response.writeHead(200, { connection: 'close' }).end('home'),
      '::1',
    );
    const before = reached;
    expect((await get(`http://rebind.example:${home.port}/`)).body.toString()).toBe('home');
    expect(asked).toBe(1);
    expect((await fails(`http://rebind.example:${port}/`)).outcome).toBe('blocked');
    expect((await fails(`http://rebind.example:${home.port}/`)).outcome).toBe('blocked');
    expect(asked).toBe(3);
    expect(reached).toBe(before);
  });

  it('that flips between public and internal with every question never gets to the internal one', async () => {
    let asked = 0;
    const resolve: ResolveHost = async () => {
      // No test dials a public address, so an allowed one of this machine plays that part.
      const address = asked++ % 2 === 0 ? '::1' : '127.0.0.1';
      return [{ address, family: address === '::1' ? 6 : 4 }];
    };
    const { outgoing, call } = harness({ allowedPrivateHosts: ['::1'], resolve });
    const ipv4Only = await serve((_request, response) => response.end('internal'), '127.0.0.1');
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) =>
        outgoing.send(call(`http://flip${index}.example:${ipv4Only.port}/`, ownIntegration(index))),
      ),
    );
    expect(asked).toBe(50);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(ipv4Only.connections()).toBe(0);
  });

  it('is reached when the allow-list names it, and so is an allowed address behind any name', async () => {
    const home = await serve();
    const table = resolveFrom({
      'crm.internal': ['127.0.0.1'],
      'a.corp.example': ['127.0.0.1'],
      'other.example': ['127.0.0.1'],
    });
    const byName = harness({ allowedPrivateHosts: ['crm.internal', '*.corp.example'], resolve: table });
    await byName.get(`http://crm.internal:${home.port}/`);
    await byName.get(`http://a.corp.example:${home.port}/`);
    expect((await byName.fails(`http://other.example:${home.port}/`)).outcome).toBe('blocked');
    const byAddress = harness({ allowedPrivateHosts: ['127.0.0.0/8'], resolve: table });
    await byAddress.get(`http://other.example:${home.port}/`);
    expect(home.seen).toHaveLength(3);
    expect(home.seen.map(({ headers }) => headers.host)).toEqual([
      `crm.internal:${home.port}`,
      `a.corp.example:${home.port}`,
      `other.example:${home.port}`,
    ]);
  });

  it('fails as dns_error when it stands for nothing, or for something that is no address', async () => {
    const { fails } = harness({ resolve: resolveFrom({ 'empty.example': [], 'odd.example': ['localhost'] }) });
    expect((await fails('http://nobody.example/')).outcome).toBe('dns_error');
    expect((await fails('http://empty.example/')).outcome).toBe('dns_error');
    expect((await fails(`http://odd.example:${port}/`)).outcome).toBe('blocked');
  });
});

describe('a redirect', () => {
  it('to an internal address is refused in every form', async () => {
    let location = '';
    const redirecting = await serve((_request, response) => response.writeHead(302, { location }).end(), '::1');
    const { fails } = harness({ allowedPrivateHosts: ['::1'] });
    const before = reached;
    const targets = HOST_FORMS.filter((host) => URL.canParse(`http://${host}/`))
      .map((host) => new URL(`http://${host}:${port}/`))
      .filter(({ hostname }) => hostname !== '[::1]')
      .map((url) => url.href);
    expect(targets.length).toBeGreaterThan(800);
    for (const [index, target] of targets.entries()) {
      location = target;
      const error = await fails(`${redirecting.origin}/`, ownIntegration(index));
      expect(error.outcome, target).toBe('blocked');
    }
    expect(reached).toBe(before);
  });

  it('to anything but http and https, or with a password in it, is refused', async () => {
    let location = '';
    const redirecting = await serve((_request, response) => response.writeHead(302, { location }).end());
    const { fails } = harness({});
    for (location of [
      'file:///etc/passwd',
      'gopher://127.0.0.1:1/',
      'ftp://127.0.0.1/',
      'data:text/plain,x',
      'javascript:1',
      `http://user:password@127.0.0.1:${port}/`,
    ]) {
      const error = await fails(`${redirecting.origin}/`);
      expect(error.outcome, location).toBe('blocked');
      expect(error.message).not.toContain('password@');
    }
    location = 'http://';
    expect((await fails(`${redirecting.origin}/`)).outcome).toBe('bad_response');
  });
});

describe('an address', () => {
  it('that is not plain http or https is refused', async () => {
    const { fails } = harness({});
    for (const url of [
      'file:///etc/passwd',
      'ftp://127.0.0.1/',
      'ws://127.0.0.1/',
      'unix:/run/x.sock',
      'http://user:pass@127.0.0.1/',
      'https://token@127.0.0.1/',
    ]) {
      const error = await fails(url);
      expect(error.outcome, url).toBe('blocked');
      expect(error.message).not.toMatch(/user:pass|token@/);
    }
    for (const url of ['', 'api.example.com', '/path', 'http://'])
      expect((await fails(url)).outcome).toBe('invalid_request');
  });
});
