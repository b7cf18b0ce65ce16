import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionCookies } from '../../../src/access/accounts/sessionCookie.ts';
import { newId } from '../../../src/core/ids.ts';
import { HERE, PASSWORD, type TestAccounts, useAccounts } from './support/accounts.ts';

const accounts = useAccounts();
const { database } = accounts;

async function signIn(email?: string) {
  const user = email ?? (await accounts.addUser()).email;
  const result = await accounts.current.login.login({ email: user, password: PASSWORD }, HERE);
  if (result.secondFactor) throw new Error('no second factor was expected');
  return { user: result.user, ...result.session, cookie: result.session.setCookie! };
}

/** Lets a session's times be so much longer ago. */
async function age(sessionId: string, seconds: number, ...columns: string[]) {
  const set = columns.map((column) => `${column} = ${column} - make_interval(secs => ${seconds})`).join(', ');
  await database.current.pool.query(`update sessions set ${set} where id = $1`, [sessionId]);
  accounts.current.sessions.forget();
}

const authenticate = (cookie: string, on: TestAccounts = accounts.current) => on.sessions.authenticate(cookie, HERE);

describe('a session', () => {
  it('is proven by its cookie, on every replica with the same JWT_SECRET', async () => {
    const { cookie, principal, csrfToken } = await signIn();
    expect(await authenticate(cookie)).toEqual({ principal, csrfToken });
    expect(await authenticate(cookie, await accounts.open())).toEqual({ principal, csrfToken });
    const other = await accounts.open({ jwtSecret: 'another-secret-0123456789abcdef0123' });
    expect(await authenticate(cookie, other)).toBeNull();
  });

  it('is stored without anything that opens it', async () => {
    const { cookie } = await signIn();
    const { rows } = await database.current.pool.query('select s::text as text from sessions s');
    for (const part of cookie.split('.').slice(1)) {
      expect(rows.some(({ text }) => text.includes(part))).toBe(false);
      expect(rows.some(({ text }) => text.includes(Buffer.from(part, 'base64url').toString('hex')))).toBe(false);
    }
  });

  it('ends after 12 hours without use, and after 30 days in any case', async () => {
    const { cookie, principal } = await signIn();
    await age(principal.sessionId, 11.9 * 3_600, 'last_seen_at');
    expect(await authenticate(cookie)).not.toBeNull();
    await age(principal.sessionId, 12.1 * 3_600, 'last_seen_at');
    expect(await authenticate(cookie)).toBeNull();
    const second = await signIn();
    await age(second.principal.sessionId, 30 * 86_400 + 60, 'expires_at');
    expect(await authenticate(second.cookie)).toBeNull();
  });

  it('notes use at most once a minute', async () => {
    const { cookie, principal } = await signIn();
    const seen = async () =>
      (
        await database.current.db
          .selectFrom('sessions')
          .select('last_seen_at')
          .where('id', '=', principal.sessionId)
          .executeTakeFirstOrThrow()
      ).last_seen_at;
    await authenticate(cookie);
    const before = await seen();
    accounts.current.sessions.forget();
    await authenticate(cookie);
    expect(await seen()).toEqual(before);
    await age(principal.sessionId, 61, 'last_seen_at');
    await authenticate(cookie);
    expect((await seen()).getTime()).toBeGreaterThanOrEqual(before.getTime());
  });

  it('of a user who is frozen or deactivated proves nothing, within a second also elsewhere', async () => {
    const { cookie, user } = await signIn();
    const elsewhere = await accounts.open();
    await authenticate(cookie, elsewhere);
    await database.current.db.updateTable('users').set({ status: 'frozen' }).where('id', '=', user.id).execute();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await authenticate(cookie, elsewhere)).toBeNull();
  });

  it('is one of at most 100 of its user', async () => {
    const first = await signIn();
    await database.current.pool.query(
      `insert into sessions (id, user_id, secret_hash, expires_at)
       select 'ses_' || lpad(i::text, 26, '0'), $1, '\\x00', now() + interval '1 day' from generate_series(1, 105) i`,
      [first.user.id],
    );
    const last = await signIn(first.user.email);
    const list = await accounts.current.sessions.list(first.user.id);
    expect(list).toHaveLength(100);
    expect(list[0]?.id).toBe(last.principal.sessionId);
  });
});

describe('the secret of a session', () => {
  it('is replaced after 15 minutes of use; the former one is good for a minute after the new one was seen', async () => {
    const { cookie, principal } = await signIn();
    await age(principal.sessionId, 901, 'secret_made_at');
    const rotated = await authenticate(cookie);
    expect(rotated?.setCookie).toMatch(/^ses_/);
    // Requests that were under way.
    expect(await authenticate(cookie)).toEqual({ principal, csrfToken: rotated!.csrfToken });
    expect(await authenticate(rotated!.setCookie!)).toEqual({ principal, csrfToken: rotated!.csrfToken });
    expect(await authenticate(cookie)).not.toBeNull();
    await age(principal.sessionId, 59, 'secret_seen_at');
    expect(await authenticate(cookie)).not.toBeNull();
    await age(principal.sessionId, 2, 'secret_seen_at');
    expect(await authenticate(cookie)).toBeNull();
  });

  it('that was replaced ends the session when it comes back, for whoever has the new one too', async () => {
    const { cookie, principal } = await signIn();
    await age(principal.sessionId, 901, 'secret_made_at');
    const rotated = (await authenticate(cookie))!.setCookie!;
    await authenticate(rotated);
    await age(principal.sessionId, 61, 'secret_seen_at');
    expect(await authenticate(cookie)).toBeNull();
    expect(await authenticate(rotated)).toBeNull();
    expect((await accounts.events('session.revoked')).at(-1)).toMatchObject({
      actor: { kind: 'system' },
      target: { id: principal.sessionId },
      origin: HERE,
    });
  });

  it('that got lost on its way is made again, and whoever then has the lost one ends the session', async () => {
    const { cookie, principal } = await signIn();
    await age(principal.sessionId, 901, 'secret_made_at');
    const lost = (await authenticate(cookie))!.setCookie!;
    await age(principal.sessionId, 3_600, 'secret_made_at');
    const again = (await authenticate(cookie))!.setCookie!;
    expect(again).not.toBe(lost);
    expect(await authenticate(again)).not.toBeNull();
    accounts.current.sessions.forget();
    expect(await authenticate(lost)).toBeNull();
    expect(await authenticate(again)).toBeNull();
  });

  it('is replaced once by requests that come together, on two replicas', async () => {
    const { cookie, principal } = await signIn();
    const other = await accounts.open();
    await age(principal.sessionId, 901, 'secret_made_at');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => authenticate(cookie, at % 2 === 0 ? accounts.current : other)),
    );
    expect(answers.every((answer) => answer !== null)).toBe(true);
    expect(answers.filter((answer) => answer?.setCookie !== undefined)).toHaveLength(1);
  });
});

describe('ending sessions', () => {
  it('one by one and all, only of one’s own, noticed elsewhere within a second', async () => {
    const one = await signIn();
    const two = await signIn(one.user.email);
    const stranger = await signIn();
    const elsewhere = await accounts.open();
    await authenticate(two.cookie, elsewhere);
    const { sessions } = accounts.current;
    await expect(sessions.end(stranger.principal, two.principal.sessionId, HERE)).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    await sessions.end(one.principal, two.principal.sessionId, HERE);
    expect(await authenticate(two.cookie)).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await authenticate(two.cookie, elsewhere)).toBeNull();
    await expect(sessions.end(one.principal, two.principal.sessionId, HERE)).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    expect(
      (await sessions.list(one.user.id)).map(({ id, address, userAgent }) => ({ id, address, userAgent })),
    ).toEqual([{ id: one.principal.sessionId, address: HERE.address, userAgent: HERE.userAgent }]);
    expect(await sessions.endAll(one.principal, HERE)).toBe(1);
    expect(await authenticate(one.cookie)).toBeNull();
    expect(await authenticate(stranger.cookie)).not.toBeNull();
  });

  it('happens to the others when the password is changed', async () => {
    const one = await signIn();
    const two = await signIn(one.user.email);
    const { passwords } = accounts.current;
    const next = 'another umbrella of granite 48';
    await expect(
      passwords.change(one.principal, { presentPassword: 'wrong', password: next }, HERE),
    ).rejects.toMatchObject({ code: 'WRONG_PASSWORD' });
    await expect(
      passwords.change(one.principal, { presentPassword: PASSWORD, password: 'password1234' }, HERE),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT', problems: [{ pointer: '/password' }] });
    expect(await authenticate(two.cookie)).not.toBeNull();
    await passwords.change(one.principal, { presentPassword: PASSWORD, password: next }, HERE);
    expect(await authenticate(two.cookie)).toBeNull();
    expect(await authenticate(one.cookie)).not.toBeNull();
    await expect(signIn(one.user.email)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
  });
});

describe('cookies', () => {
  const cookies = new SessionCookies('a secret');

  it('come back as they were written, and nothing else does', () => {
    const cookie = { sessionId: newId('session'), secret: 'abc_-123' };
    const value = cookies.write(cookie);
    expect(cookies.read(value)).toEqual(cookie);
    for (let at = 0; at < value.length; at++) {
      const changed = `${value.slice(0, at)}${value[at] === 'A' ? 'B' : 'A'}${value.slice(at + 1)}`;
      expect(cookies.read(changed)).toBeNull();
      expect(cookies.read(value.slice(0, at))).toBeNull();
    }
    for (const extra of [`${value}.`, `${value}x`, ` ${value}`, value.repeat(4)])
      expect(cookies.read(extra)).toBeNull();
  });

  it('of any text prove nothing', () => {
    fc.assert(fc.property(fc.string(), (text) => cookies.read(text) === null));
    fc.assert(
      fc.property(
        fc.base64String(),
        fc.base64String(),
        (a, b) => cookies.read(`${newId('session')}.${a}.${b}`) === null,
      ),
    );
  });

  it('have a token of their own for changes', () => {
    const [one, two] = [newId('session'), newId('session')];
    expect(cookies.isCsrfToken(one, cookies.csrfToken(one))).toBe(true);
    expect(cookies.isCsrfToken(two, cookies.csrfToken(one))).toBe(false);
    expect(cookies.isCsrfToken(one, '')).toBe(false);
    expect(new SessionCookies('b secret').isCsrfToken(one, cookies.csrfToken(one))).toBe(false);
  });
});
