import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Script } from 'node:vm';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestServer, type TestServer } from '../http/testServer.ts';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();
let server: TestServer;
const PASSWORD = 'tortoise umbrella granite 47';
const OWNER = { email: 'owner@example.com', name: 'Olivia Owner', password: PASSWORD };

beforeAll(async () => {
  server = await openTestServer(database.url, { environment: { PUBLIC_URL: 'http://localhost:3000' } });
});
afterAll(() => server?.close());

type Options = Parameters<TestServer['request']>[2];

/** A browser as far as cookies go. */
class Browser {
  cookie: string | null = null;
  csrfToken: string | null = null;

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const answer = await server.request(method, `/api/v1${path}`, {
      key: null,
      body,
      headers: {
        ...(this.cookie === null ? {} : { cookie: this.cookie }),
        ...(this.csrfToken === null ? {} : { 'x-csrf-token': this.csrfToken }),
        ...headers,
      },
    });
    const set = answer.headers.get('set-cookie');
    if (set !== null) this.cookie = /Max-Age=0|Expires=Thu, 01 Jan 1970/.test(set) ? null : set.split(';')[0]!;
    if (answer.json?.csrfToken !== undefined) this.csrfToken = answer.json.csrfToken;
    return answer;
  }

  login(email = OWNER.email, password = PASSWORD) {
    return this.send('POST', '/auth/login', { email, password });
  }
}

const open = (method: string, path: string, options: Options = {}) =>
  server.request(method, `/api/v1${path}`, { key: null, ...options });

/** Lets all waits be over. */
const forgetFailures = () => database.current.pool.query('delete from login_throttles');

async function signedIn(): Promise<Browser> {
  const browser = new Browser();
  expect((await browser.login()).status).toBe(200);
  return browser;
}

describe('the first user', () => {
  it('comes through the link, is signed in, and is the last to come this way', async () => {
    const link = await server.app.access.accounts.setup.ensureSetupLink(server.url);
    const token = link!.split('#')[1]!;
    server.canaries.add(token);
    expect((await open('POST', '/auth/setup', { body: { ...OWNER, token: 'x' } })).json.code).toBe('INVALID_TOKEN');
    const weak = await open('POST', '/auth/setup', { body: { ...OWNER, password: 'Olivia Owner', token } });
    expect(weak).toMatchObject({ status: 400, json: { errors: [{ pointer: '/password' }] } });
    const browser = new Browser();
    const answer = await browser.send('POST', '/auth/setup', { ...OWNER, token });
    expect(answer).toMatchObject({ status: 201, json: { user: { email: OWNER.email, role: 'owner' } } });
    expect((await browser.send('GET', '/auth/session')).json).toMatchObject({
      user: { name: OWNER.name },
      secondFactor: false,
    });
    expect(await open('POST', '/auth/setup', { body: { ...OWNER, token } })).toMatchObject({
      status: 410,
      json: { code: 'SETUP_DONE' },
    });
  });
});

describe('the session cookie', () => {
  it('is out of reach for scripts and other sites; over https it never goes in clear', async () => {
    const answer = await open('POST', '/auth/login', { body: { email: OWNER.email, password: PASSWORD } });
    const cookie = answer.headers.get('set-cookie')!;
    expect(cookie).toMatch(/^is_session=ses_[^;]+;/);
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(attribute);
    expect(cookie).not.toContain('Secure');
    const secure = await openTestServer(database.url, {
      workers: false,
      environment: { PUBLIC_URL: 'https://integrations.example.com', HOST: '127.0.0.1', NODE_ENV: 'production' },
    });
    try {
      const body = { email: OWNER.email, password: PASSWORD };
      const other = await secure.request('POST', '/api/v1/auth/login', { key: null, body });
      expect(other.headers.get('set-cookie')).toContain('Secure');
    } finally {
      await secure.close();
    }
  });

  it('forged, cut, doubled or of another kind proves nothing', async () => {
    const { cookie } = await signedIn();
    const value = cookie!.split('=')[1]!;
    const [id, secret, signature] = value.split('.');
    const forged = [
      `${id}.${secret}.${'A'.repeat(signature!.length)}`,
      `${id}.${'A'.repeat(43)}.${signature}`,
      `${id}.${secret}`,
      value.slice(0, -1),
      `${value}.${value}`,
      id!,
      '',
      '%00',
      '"',
      'A'.repeat(5_000),
    ];
    for (const one of forged) {
      const answer = await open('GET', '/auth/session', { headers: { cookie: `is_session=${one}` } });
      expect([401, 429], one).toContain(answer.status);
    }
    // Of two it is not known which one is whose.
    const two = await open('GET', '/auth/session', { headers: { cookie: `is_session=${value}; is_session=x` } });
    expect(two.status).toBe(400);
  });
});

describe('a change with a session', () => {
  it('needs the token of our pages and an origin of ours', async () => {
    const browser = await signedIn();
    const right = browser.csrfToken!;
    const list = await browser.send('GET', '/auth/sessions');
    expect(list.json.data.filter(({ current }: { current: boolean }) => current)).toHaveLength(1);
    const end = (headers: Record<string, string>) => browser.send('DELETE', '/auth/sessions/ses_x', undefined, headers);
    browser.csrfToken = null;
    expect((await end({})).json.code).toBe('CSRF_TOKEN_REJECTED');
    expect((await end({ 'x-csrf-token': `${right}x` })).json.code).toBe('CSRF_TOKEN_REJECTED');
    const other = await signedIn();
    expect((await end({ 'x-csrf-token': other.csrfToken! })).json.code).toBe('CSRF_TOKEN_REJECTED');
    browser.csrfToken = right;
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:3001' },
      { 'sec-fetch-site': 'cross-site' },
    ] as Record<string, string>[])
      expect((await end(headers)).json.code, JSON.stringify(headers)).toBe('FOREIGN_SITE');
    for (const headers of [{}, { origin: 'http://localhost:3000' }, { origin: server.url }] as Record<string, string>[])
      expect((await end(headers)).json.code).toBe('SESSION_NOT_FOUND');
  });

  it('signing in by a page of another site is refused too', async () => {
    const body = { email: OWNER.email, password: PASSWORD };
    const answer = await open('POST', '/auth/login', { body, headers: { origin: 'https://evil.example' } });
    expect(answer).toMatchObject({ status: 403, json: { code: 'FOREIGN_SITE' } });
    const plain = await open('POST', '/auth/login', {
      raw: JSON.stringify(body),
      headers: { 'content-type': 'text/plain' },
    });
    expect(plain.status).toBe(415);
  });
});

describe('signing out', () => {
  it('ends the session and takes the cookie away', async () => {
    const browser = await signedIn();
    const stolen = browser.cookie!;
    expect((await browser.send('POST', '/auth/logout')).status).toBe(204);
    expect(browser.cookie).toBeNull();
    expect((await open('GET', '/auth/session', { headers: { cookie: stolen } })).status).toBe(401);
  });

  it('everywhere ends all', async () => {
    const [one, two] = [await signedIn(), await signedIn()];
    const two_ = two.cookie!;
    expect((await one.send('DELETE', '/auth/sessions')).json.ended).toBeGreaterThanOrEqual(2);
    expect((await open('GET', '/auth/session', { headers: { cookie: two_ } })).status).toBe(401);
  });
});

it('an API key is no person: what belongs to one needs a session', async () => {
  expect(await server.request('GET', '/api/v1/auth/session')).toMatchObject({
    status: 403,
    json: { code: 'ACCESS_DENIED' },
  });
});

it('invitations: invited, listed without the link, accepted, with the session that follows', async () => {
  const owner = await signedIn();
  const invited = await owner.send('POST', '/auth/invitations', { email: 'guest@example.com', role: 'viewer' });
  expect(invited.status).toBe(201);
  const token = (invited.json.link as string).split('#')[1]!;
  const { json } = await owner.send('GET', '/auth/invitations');
  expect(json.data).toHaveLength(1);
  expect(JSON.stringify(json)).not.toContain(token);
  const guest = new Browser();
  const accepted = await guest.send('POST', '/auth/invitations/accept', { token, name: 'Guest', password: PASSWORD });
  expect(accepted).toMatchObject({ status: 201, json: { user: { email: 'guest@example.com', role: 'viewer' } } });
  expect((await guest.send('GET', '/auth/session')).json.user.name).toBe('Guest');
});

it('users: listed in pages, changed, deactivated, the last owner kept', async () => {
  const owner = await signedIn();
  const first = await owner.send('GET', '/users?limit=1');
  expect(first.json.data).toHaveLength(1);
  const second = await owner.send('GET', `/users?limit=1&cursor=${first.json.nextCursor}`);
  expect(second.json.data).toHaveLength(1);
  expect((await owner.send('GET', '/users?cursor=x')).status).toBe(400);
  const guest = second.json.data[0];
  expect((await owner.send('PATCH', `/users/${guest.id}`, { name: 'Gina' })).json.name).toBe('Gina');
  expect((await owner.send('PATCH', `/users/${guest.id}`, { role: 'owner' })).status).toBe(400);
  expect((await owner.send('PATCH', `/users/${guest.id}`, { email: OWNER.email.toUpperCase() })).json.code).toBe(
    'EMAIL_TAKEN',
  );
  expect((await owner.send('POST', `/users/${guest.id}/deactivate`)).json.status).toBe('deactivated');
  expect((await owner.send('POST', `/users/${guest.id}/reactivate`)).json.status).toBe('active');
  expect((await owner.send('POST', `/users/${first.json.data[0].id}/deactivate`)).json.code).toBe('LAST_OWNER');
  expect((await owner.send('DELETE', `/users/${guest.id}/second-factor`)).json.code).toBe('SECOND_FACTOR_STATE');
  expect((await owner.send('GET', '/users/usr_nobody')).json.code).toBe('USER_NOT_FOUND');
});

it('passwords: changed with the present one, reset through a link', async () => {
  const owner = await signedIn();
  const next = 'seven quiet lanterns drift 9';
  const wrong = await owner.send('POST', '/auth/password', { presentPassword: 'x', password: next });
  expect(wrong).toMatchObject({ status: 403, json: { code: 'WRONG_PASSWORD' } });
  expect((await owner.send('POST', '/auth/password', { presentPassword: PASSWORD, password: next })).status).toBe(204);
  expect((await owner.send('GET', '/auth/session')).status).toBe(200);
  expect((await new Browser().login()).status).toBe(401);
  const asked = await open('POST', '/auth/password-reset', { body: { email: OWNER.email } });
  expect(asked).toMatchObject({ status: 409, json: { code: 'EMAIL_NOT_CONFIGURED' } });
  const link = await server.app.access.accounts.passwords.makeResetLink(
    { kind: 'installation', name: 'command line' },
    OWNER.email,
  );
  const body = { token: link.split('#')[1], password: PASSWORD };
  expect((await open('POST', '/auth/password-reset/confirm', { body })).status).toBe(204);
  expect((await open('POST', '/auth/password-reset/confirm', { body })).status).toBe(410);
  expect((await owner.send('GET', '/auth/session')).status).toBe(401);
  expect((await new Browser().login()).status).toBe(200);
});

it('the second factor: set up, asked for, switched off', async () => {
  const owner = await signedIn();
  const { secret, qrCode } = (await owner.send('POST', '/auth/totp')).json;
  expect(qrCode).toContain('<svg');
  const code = (offset = 0) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + offset });
  expect((await owner.send('POST', '/auth/totp/confirm', { code: 'nonsense' })).json.code).toBe('WRONG_CODE');
  const { recoveryCodes } = (await owner.send('POST', '/auth/totp/confirm', { code: code(-30_000) })).json;
  expect(recoveryCodes).toHaveLength(10);
  const browser = new Browser();
  const { json } = await browser.login();
  expect(json).toEqual({ secondFactor: true, ticket: expect.any(String) });
  expect(browser.cookie).toBeNull();
  const half = await open('GET', '/auth/session', { headers: { cookie: `is_session=${json.ticket}` } });
  expect(half.status).toBe(401);
  const done = await browser.send('POST', '/auth/login/second-factor', { ticket: json.ticket, code: recoveryCodes[0] });
  expect(done.status).toBe(200);
  expect((await browser.send('GET', '/auth/session')).json.secondFactor).toBe(true);
  expect((await browser.send('POST', '/auth/totp/disable', { password: PASSWORD })).status).toBe(204);
  expect((await new Browser().login()).json.secondFactor).toBe(false);
});

it('failures have to wait, and the answer says how long', async () => {
  for (let failure = 0; failure < 5; failure++)
    expect((await new Browser().login(OWNER.email, 'wrong')).json.code).toBe('WRONG_CREDENTIALS');
  // The wait is a second; a slow machine might sit it out.
  await database.current.pool.query(`update login_throttles set blocked_until = blocked_until + interval '1 hour'`);
  const answer = await new Browser().login();
  expect(answer).toMatchObject({ status: 429, json: { code: 'LOGIN_THROTTLED' } });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3_500);
  await forgetFailures();
});

it('a thousand logins at once leave the server answering everybody else', { timeout: 120_000 }, async () => {
  let ended = false;
  // Each on an account of its own: the slowest kind, were it not limited.
  const login = (at: number) =>
    open('POST', '/auth/login', { body: { email: `flood${at}@example.com`, password: 'wrong' } });
  const logins = Promise.all(
    Array.from({ length: 1_000 }, (_, at) =>
      login(at).catch(async () => {
        // More connections at one moment than the kernel keeps waiting: the client's to try again.
        await delay(1_000);
        return await login(at);
      }),
    ),
  ).finally(() => {
    ended = true;
  });
  let answered = 0;
  while (!ended) {
    expect((await server.request('GET', '/livez', { key: null })).status).toBe(200);
    if (!ended) answered += 1;
    expect((await server.request('GET', '/api/v1/integrations')).status).toBe(200);
    if (!ended) answered += 1;
  }
  expect(answered).toBeGreaterThan(0);
  const codes = Map.groupBy(await logins, ({ json }) => json.code as string);
  // A fast machine is never so busy that it says so.
  const busy = codes.get('AUTHENTICATION_BUSY') ?? [];
  codes.delete('AUTHENTICATION_BUSY');
  expect([...codes.keys()].sort()).toEqual(['LOGIN_THROTTLED', 'WRONG_CREDENTIALS']);
  for (const { status, headers } of busy) {
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  }
  // Twenty, and one more each time a wait of theirs was over meanwhile: 1, 2, 4 … seconds.
  expect(codes.get('WRONG_CREDENTIALS')!.length).toBeGreaterThanOrEqual(20);
  expect(codes.get('WRONG_CREDENTIALS')!.length).toBeLessThan(30);
  await forgetFailures();
});

it('bad bodies are refused with words, and nothing of them reaches the inside', async () => {
  const bodies: [string | Uint8Array<ArrayBuffer>, number][] = [
    ['{', 400],
    ['[]', 400],
    ['{"email":"a@example.com"}', 400],
    ['{"email":"a@example.com\\u0000","password":"x"}', 400],
    ['{"email":"a@example.com","password":"x","role":"owner"}', 400],
    ['{"email":{"$ne":""},"password":"x"}', 400],
    [`{"email":"a@example.com","password":"${'x'.repeat(2_000)}"}`, 400],
    [`${'['.repeat(100_000)}`, 400],
    [new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400],
    [`{"email":"a@example.com","password":"${'x'.repeat(2 * 1024 * 1024)}"}`, 413],
  ];
  for (const [raw, status] of bodies) {
    const answer = await open('POST', '/auth/login', { raw, headers: { 'content-type': 'application/json' } });
    expect(answer.status, String(raw).slice(0, 60)).toBe(status);
  }
  const odd = await open('POST', '/auth/login', { body: { email: 'a@example.com', password: 'x\u0000\ud800' } });
  expect([400, 401]).toContain(odd.status);
});

describe('the pages', () => {
  it('may run their own script and style and nothing else', async () => {
    for (const path of ['/setup', '/login', '/invitation', '/reset-password', '/account']) {
      const { status, text, headers } = await server.request('GET', path, { key: null });
      expect(status).toBe(200);
      const policy = headers.get('content-security-policy')!;
      for (const [, content] of text.matchAll(/<(?:script|style)>([^<]*)<\/(?:script|style)>/g))
        expect(policy).toContain(`'sha256-${createHash('sha256').update(content!).digest('base64')}'`);
      expect([...text.matchAll(/<script/g)]).toHaveLength(1);
      expect(() => new Script(/<script>([\s\S]*)<\/script>/.exec(text)![1]!)).not.toThrow();
      expect(text).not.toMatch(/ on\w+=| style=|src="http|unsafe/);
      expect(policy).toContain(`default-src 'none'`);
      expect(policy).not.toContain('unsafe');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      // Every field has a label.
      const inputs = [...text.matchAll(/<input (?!type="hidden")/g)].length;
      expect([...text.matchAll(/<label>[^<]+<input /g)]).toHaveLength(inputs);
    }
  });
});
