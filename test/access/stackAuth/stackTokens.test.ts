import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StackTokens } from '../../../src/access/stackAuth/stackTokens.ts';
import { UnavailableError } from '../../../src/core/errors.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createOutgoing, type Outgoing } from '../../../src/outgoing/pipeline.ts';
import { aloneBudgets } from '../../support/budgets.ts';
import { newKey, PROJECT, type StackServer, startStackServer, type TokenOptions } from './support/stackServer.ts';

let stack: StackServer;
let outgoing: Outgoing;
let monotonicMs: number;
let tokens: StackTokens;

beforeEach(async () => {
  stack = await startStackServer();
  monotonicMs = 0;
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now(), sleep: async () => {} };
  outgoing = createOutgoing({
    clock,
    allowedPrivateHosts: ['127.0.0.1'],
    defaultBudget: { maxRequests: 1_000, windowMs: 1_000 },
    attempts: { record: () => {} },
    budgets: aloneBudgets({ clock }),
  });
  tokens = open([stack.url]);
});
afterEach(async () => {
  await outgoing.close();
  await stack.close();
});

function open(issuers: string[], maxResponseBytes = 64 * 1024): StackTokens {
  return new StackTokens({
    projectId: PROJECT,
    issuers,
    fetch: outgoing.fetchFor({ integrationId: 'stack-auth', operationId: 'op_test', maxResponseBytes }),
    clock: { now: () => Date.now(), monotonicMs: () => monotonicMs, sleep: async () => {} },
    log: silentLog,
  });
}

const nowS = () => Math.floor(Date.now() / 1000);
const isTaken = async (options?: TokenOptions) => 'claims' in (await tokens.verify(await stack.token(options)));

describe('a token of Stack Auth', () => {
  it('says who it is of', async () => {
    expect(await tokens.verify(await stack.token())).toEqual({
      claims: { subject: 'user-1', sessionId: 'refresh-1', email: 'ada@example.com', emailVerified: true, name: 'Ada' },
    });
    expect(stack.fetches).toBe(1);
  });

  it.each<[string, TokenOptions]>([
    ['another audience', { claims: { aud: 'other-project' } }],
    ['several audiences', { claims: { aud: [PROJECT, 'other-project'] } }],
    ['no audience', { claims: { aud: undefined } }],
    ['another project', { claims: { project_id: 'other-project' } }],
    ['no project', { claims: { project_id: undefined } }],
    ['another issuer', { claims: { iss: 'https://evil.example/api/v1/projects/x' } }],
    ['no issuer', { claims: { iss: undefined } }],
    ['the past', { claims: { iat: nowS() - 700, exp: nowS() - 60 } }],
    ['no end', { claims: { exp: undefined } }],
    ['no beginning', { claims: { iat: undefined } }],
    ['a beginning in the future', { claims: { iat: nowS() + 600, exp: nowS() + 1_200 } }],
    ['a time that has not come', { claims: { nbf: nowS() + 600 } }],
    ['a day long past, but not at its end', { claims: { iat: nowS() - 2 * 86_400, exp: nowS() + 600 } }],
    ['no user', { claims: { sub: undefined } }],
    ['an empty user', { claims: { sub: '' } }],
    ['a user with a name that breaks lines', { claims: { sub: 'a\nb' } }],
    ['a restricted user', { claims: { is_restricted: true } }],
    ['a user who may be restricted', { claims: { is_restricted: 'false' } }],
    ['an anonymous user', { claims: { is_anonymous: true } }],
    ['a user who may be anonymous', { claims: { is_anonymous: 0 } }],
    ['no key id', { header: { kid: undefined } }],
    ['a critical extension', { header: { crit: ['b64'], b64: false } }],
  ])('of %s is refused', async (_what, options) => {
    const token = await stack.token(options).catch(() => null);
    // Some of them the library does not even sign.
    if (token !== null) expect(await tokens.verify(token)).toHaveProperty('refused');
    expect(await isTaken()).toBe(true);
  });

  it('is refused when it was changed, cut off, or never was one', async () => {
    const token = await stack.token();
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url');
    const other = signature.startsWith('A') ? 'B' : 'A';
    for (const text of [
      `${header}.${forged}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.${signature}`,
      `${header}.${payload}.${other}${signature.slice(1)}`,
      `${header}.${payload}.${signature.slice(0, -4)}`,
      token.slice(0, 30),
      '',
      '..',
      'a.b.c',
      `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    ])
      expect(await tokens.verify(text), text).toHaveProperty('refused');
  });

  it('that is too long is refused before anything is done with it', async () => {
    expect(await tokens.verify(`${'a'.repeat(9_000)}.${'b'.repeat(9_000)}.c`)).toHaveProperty('refused');
    expect(await tokens.verify(await stack.token({ claims: { padding: 'x'.repeat(20_000) } }))).toHaveProperty(
      'refused',
    );
    expect(stack.fetches).toBe(0);
  });

  it('does not choose how it is checked', async () => {
    await isTaken();
    const [header, payload] = (await stack.token()).split('.') as [string, string];
    const read = JSON.parse(Buffer.from(header, 'base64url').toString());
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    // The public key as the secret of an HMAC, in the forms that libraries have taken it in.
    const { publicKey, kid } = stack.keys[0]!;
    const jwk = JSON.stringify(await exportJWK(publicKey));
    for (const secret of [await exportSPKI(publicKey), (await exportSPKI(publicKey)).trim(), jwk]) {
      const unsigned = `${encode({ ...read, alg: 'HS256' })}.${payload}`;
      const forged = `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
      expect(await tokens.verify(forged)).toHaveProperty('refused');
    }
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'RS256', 'ES384', 'EdDSA'])
      for (const signature of ['', 'AA'])
        expect(await tokens.verify(`${encode({ alg, kid })}.${payload}.${signature}`), alg).toHaveProperty('refused');
    expect(stack.fetches).toBe(1);
  });

  it('brings no keys of its own, and names nobody to be asked for them', async () => {
    const attacker = await startStackServer();
    const evil = await newKey('key-1');
    attacker.keys = [evil];
    const jwk = await exportJWK(evil.publicKey);
    const jku = `${attacker.url}/api/v1/projects/${PROJECT}/.well-known/jwks.json`;
    for (const header of [
      { jku },
      { x5u: jku },
      { jwk },
      { x5c: ['MIIB'] },
      { jku, jwk, kid: 'evil' },
      { kid: jku },
      { kid: '../../etc/passwd' },
    ])
      expect(await tokens.verify(await stack.token({ key: evil, header })), JSON.stringify(header)).toHaveProperty(
        'refused',
      );
    expect(await tokens.verify(await attacker.token())).toHaveProperty('refused');
    expect(attacker.asked).toEqual([]);
    await attacker.close();
  });

  it('is checked with the keys of its own issuer, where several may issue', async () => {
    const second = await startStackServer();
    tokens = open([stack.url, second.url]);
    expect('claims' in (await tokens.verify(await second.token()))).toBe(true);
    expect(await isTaken()).toBe(true);
    const crossed = await stack.token({ key: { ...second.keys[0]!, kid: 'key-1' } });
    expect(await tokens.verify(crossed)).toHaveProperty('refused');
    await second.close();
  });

  it('of an algorithm with another curve is refused though its key is served', async () => {
    const { privateKey } = stack.keys[0]!;
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'key-1' }).sign(privateKey);
    expect(await tokens.verify(token)).toHaveProperty('refused');
  });
});

describe('the keys of Stack Auth', () => {
  it('are fetched anew when one is rotated, and the old one then no longer counts', async () => {
    expect(await isTaken()).toBe(true);
    const [old] = stack.keys;
    stack.keys = [await newKey('key-2')];
    const rotated = await stack.token();
    // Within the cooldown a new key has to wait, or anybody could have them fetched all the time.
    expect(await tokens.verify(rotated)).toHaveProperty('refused');
    monotonicMs += 31_000;
    expect(await tokens.verify(rotated)).toHaveProperty('claims');
    expect(await tokens.verify(await stack.token({ key: old! }))).toHaveProperty('refused');
    expect(stack.fetches).toBe(2);
  });

  it('are fetched twice a minute at most, however many unknown key ids come', async () => {
    await isTaken();
    const key = stack.keys[0]!;
    for (let second = 0; second < 120; second++) {
      monotonicMs += 1_000;
      const flood = await Promise.all(
        Array.from({ length: 5 }, (_, index) => stack.token({ key: { ...key, kid: `flood-${second}-${index}` } })),
      );
      for (const result of await Promise.all(flood.map((token) => tokens.verify(token))))
        expect(result).toHaveProperty('refused');
    }
    expect(stack.fetches).toBeLessThanOrEqual(5);
    expect(await isTaken()).toBe(true);
  });

  it('are fetched once for all who wait for the first ones', async () => {
    const token = await stack.token();
    const results = await Promise.all(Array.from({ length: 50 }, () => tokens.verify(token)));
    expect(results.every((result) => 'claims' in result)).toBe(true);
    expect(stack.fetches).toBe(1);
  });

  const broken: [string, NonNullable<StackServer['answer']>][] = [
    ['down', (_request, response) => response.destroy()],
    ['failing', (_request, response) => response.writeHead(500).end('{}')],
    ['speaking HTML', (_request, response) => response.writeHead(200).end('<html>')],
    ['answering something else', (_request, response) => response.writeHead(200).end('{"keys": 1}')],
    ['redirecting', (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    [
      'answering far too much',
      (_request, response) => response.writeHead(200).end(`{"keys":[],"x":"${'x'.repeat(200_000)}"}`),
    ],
    [
      'answering too many keys',
      (_request, response) => response.writeHead(200).end(JSON.stringify({ keys: Array(60).fill({ kty: 'EC' }) })),
    ],
    ['silent', () => {}],
  ];

  it.each(broken)(
    'are needed once: a server that is %s means 503 before, and nothing after',
    async (_what, answer) => {
      stack.answer = answer;
      const token = await stack.token();
      await expect(tokens.verify(token)).rejects.toThrow(UnavailableError);
      // Not asked again with every request.
      await expect(tokens.verify(token)).rejects.toThrow(UnavailableError);
      expect(stack.fetches).toBe(1);
      stack.answer = null;
      monotonicMs += 31_000;
      expect(await tokens.verify(token)).toHaveProperty('claims');
      stack.answer = answer;
      monotonicMs += 11 * 60_000;
      expect(await tokens.verify(token)).toHaveProperty('claims');
      // For a day the keys at hand are good, then they are not believed any more.
      monotonicMs += 23 * 3_600_000;
      expect(await tokens.verify(token)).toHaveProperty('claims');
      monotonicMs += 2 * 3_600_000;
      await expect(tokens.verify(token)).rejects.toThrow(UnavailableError);
    },
    30_000,
  );

  it('are not fetched from a private address that is not allowed', async () => {
    await outgoing.close();
    const clock = { now: () => Date.now(), monotonicMs: () => performance.now(), sleep: async () => {} };
    outgoing = createOutgoing({
      clock,
      allowedPrivateHosts: [],
      defaultBudget: { maxRequests: 1_000, windowMs: 1_000 },
      attempts: { record: () => {} },
      budgets: aloneBudgets({ clock }),
    });
    await expect(open([stack.url]).verify(await stack.token())).rejects.toThrow(UnavailableError);
    expect(stack.asked).toEqual([]);
  });
});
