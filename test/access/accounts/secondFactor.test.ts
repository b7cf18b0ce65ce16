import { Secret, TOTP } from 'otpauth';
import { beforeEach, describe, expect, it } from 'vitest';
import { totpStep } from '../../../src/access/accounts/totp.ts';
import { COMMAND_LINE, HERE, PASSWORD, useAccounts } from './support/accounts.ts';

const accounts = useAccounts();
/** Midway in a time step. */
const START_MS = 1_800_000_015_000;

beforeEach(() => {
  accounts.nowMs = START_MS;
});

const codeOf = (secret: string, nowMs = accounts.nowMs!) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: nowMs });

const nextStep = (steps = 1) => {
  accounts.nowMs = accounts.nowMs! + steps * 30_000;
};

async function firstStep(email: string): Promise<string> {
  const result = await accounts.current.login.login({ email, password: PASSWORD }, HERE);
  if (!result.secondFactor) throw new Error('a second factor was expected');
  return result.ticket;
}

/** A user who has it switched on, and a session of theirs. */
async function enrolled() {
  const user = await accounts.addUser();
  const signedIn = await accounts.current.login.login({ email: user.email, password: PASSWORD }, HERE);
  if (signedIn.secondFactor) throw new Error('not yet');
  const { principal } = signedIn.session;
  const { secret } = await accounts.current.secondFactors.enrol(principal);
  const recoveryCodes = await accounts.current.secondFactors.confirm(principal, codeOf(secret), HERE);
  return { user, principal, secret, recoveryCodes };
}

const complete = (ticket: string, code: string) => accounts.current.login.completeLogin({ ticket, code }, HERE);

/** RFC 6238, appendix B, SHA-1, the last six of its eight digits. */
const RFC_VECTORS = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
] as const;

it('codes are those of RFC 6238, within one step of the clock', () => {
  const secret = Secret.fromLatin1('12345678901234567890').base32;
  for (const [seconds, code] of RFC_VECTORS) {
    const step = Math.floor(seconds / 30);
    for (const drift of [-1, 0, 1]) expect(totpStep(secret, code, (seconds + drift * 30) * 1000)).toBe(step);
    for (const drift of [-2, 2]) expect(totpStep(secret, code, (seconds + drift * 30) * 1000)).toBeNull();
  }
  for (const code of ['', '28708', '2870820', 'abcdef', '２８７０８２'])
    expect(totpStep(secret, code, 59_000)).toBeNull();
  expect(totpStep(secret, ' 287 082 ', 59_000)).toBe(1);
});

describe('setting it up', () => {
  it('counts only after a first code, shows the secret as a QR code, and ends other sessions', async () => {
    const user = await accounts.addUser();
    const login = () => accounts.current.login.login({ email: user.email, password: PASSWORD }, HERE);
    const [first, second] = [await login(), await login()];
    if (first.secondFactor || second.secondFactor) throw new Error('not yet');
    const { secondFactors, sessions } = accounts.current;
    const abandoned = await secondFactors.enrol(first.session.principal);
    const { secret, uri, qrCode } = await secondFactors.enrol(first.session.principal);
    expect(uri).toContain(`secret=${secret}`);
    expect(decodeURIComponent(uri)).toContain(user.email);
    expect(qrCode).toMatch(/^<svg /);
    expect(await login()).toMatchObject({ secondFactor: false });
    await expect(secondFactors.confirm(first.session.principal, codeOf(abandoned.secret), HERE)).rejects.toMatchObject({
      code: 'WRONG_CODE',
    });
    const codes = await secondFactors.confirm(first.session.principal, codeOf(secret), HERE);
    expect(codes).toHaveLength(10);
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^(\w{4}-){3}\w{4}$/);
    expect(await sessions.authenticate(second.session.setCookie!)).toBeNull();
    expect(await sessions.authenticate(first.session.setCookie!)).not.toBeNull();
    await expect(secondFactors.enrol(first.session.principal)).rejects.toMatchObject({ code: 'SECOND_FACTOR_STATE' });
    await expect(secondFactors.confirm(first.session.principal, codeOf(secret), HERE)).rejects.toMatchObject({
      code: 'SECOND_FACTOR_STATE',
    });
  });

  it('stores neither secret nor recovery codes readably', async () => {
    const { secret, recoveryCodes } = await enrolled();
    const { rows } = await accounts.database.current.pool.query(
      'select f::text as text from second_factors f union all select c::text from recovery_codes c',
    );
    const all = rows.map(({ text }) => text).join();
    const raw = Buffer.from(Secret.fromBase32(secret).bytes).toString('hex');
    for (const text of [secret, raw, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))])
      expect(all).not.toContain(text);
  });
});

describe('signing in with it', () => {
  it('takes the ticket and a code, each once', async () => {
    const { user, secret, principal } = await enrolled();
    nextStep();
    const ticket = await firstStep(user.email);
    const code = codeOf(secret);
    expect(await complete(ticket, code)).toMatchObject({
      user: { id: user.id },
      session: { principal: { userId: user.id } },
    });
    await expect(complete(ticket, code)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    // Somebody who looked over the shoulder.
    await expect(complete(await firstStep(user.email), code)).rejects.toMatchObject({ code: 'WRONG_CODE' });
    // Nor a code of an earlier step.
    await expect(complete(await firstStep(user.email), codeOf(secret, accounts.nowMs! - 30_000))).rejects.toMatchObject(
      {
        code: 'WRONG_CODE',
      },
    );
    nextStep();
    expect(await complete(await firstStep(user.email), codeOf(secret))).toMatchObject({ secondFactor: false });
    expect(principal.userId).toBe(user.id);
  });

  it('of two that bring the same code at the same time lets one in', async () => {
    const { user, secret } = await enrolled();
    nextStep();
    const tickets = [await firstStep(user.email), await firstStep(user.email)];
    const outcomes = await Promise.allSettled(tickets.map((ticket) => complete(ticket, codeOf(secret))));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('takes each recovery code once, however it is typed', async () => {
    const { user, recoveryCodes } = await enrolled();
    const [one, two] = recoveryCodes as [string, string];
    await complete(await firstStep(user.email), one);
    await expect(complete(await firstStep(user.email), one)).rejects.toMatchObject({ code: 'WRONG_CODE' });
    await complete(await firstStep(user.email), two.toUpperCase().replaceAll('-', ' '));
    expect((await accounts.events('login.succeeded')).at(-1)).toMatchObject({ details: { method: 'recoveryCode' } });
  });

  it('bears five wrong codes a ticket, and makes wait after five in all', async () => {
    const { user, secret } = await enrolled();
    nextStep();
    const ticket = await firstStep(user.email);
    for (let failure = 1; failure <= 5; failure++)
      await expect(complete(ticket, '000000')).rejects.toMatchObject({ code: 'WRONG_CODE' });
    await accounts.prolongWaits();
    await expect(complete(ticket, codeOf(secret))).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    await expect(complete(await firstStep(user.email), codeOf(secret))).rejects.toMatchObject({
      code: 'LOGIN_THROTTLED',
    });
    await accounts.endWaits();
    expect(await complete(await firstStep(user.email), codeOf(secret))).toMatchObject({ secondFactor: false });
  });

  it('takes a ticket for five minutes only, and none of a user who was deactivated or has a new password', async () => {
    const { user, secret, principal } = await enrolled();
    nextStep();
    const old = await firstStep(user.email);
    await accounts.database.current.pool.query(
      `update one_time_tokens set expires_at = expires_at - interval '301 s' where user_id = $1`,
      [user.id],
    );
    await expect(complete(old, codeOf(secret))).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    const before = await firstStep(user.email);
    await accounts.current.passwords.change(
      principal,
      { presentPassword: PASSWORD, password: 'seven quiet lanterns drift 9' },
      HERE,
    );
    await expect(complete(before, codeOf(secret))).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
  });
});

describe('switching it off', () => {
  it('needs the password and ends the other sessions', async () => {
    const { user, principal, secret } = await enrolled();
    nextStep();
    const other = await complete(await firstStep(user.email), codeOf(secret));
    const { secondFactors, sessions } = accounts.current;
    await expect(secondFactors.disable(principal, 'wrong', HERE)).rejects.toMatchObject({ code: 'WRONG_PASSWORD' });
    await secondFactors.disable(principal, PASSWORD, HERE);
    expect(await sessions.authenticate(other.session.setCookie!)).toBeNull();
    await expect(secondFactors.disable(principal, PASSWORD, HERE)).rejects.toMatchObject({
      code: 'SECOND_FACTOR_STATE',
    });
    expect(await accounts.current.login.login({ email: user.email, password: PASSWORD }, HERE)).toMatchObject({
      secondFactor: false,
    });
  });

  it('can be done by an administrator for somebody who lost it; it is recorded and ends all sessions', async () => {
    const { user } = await enrolled();
    await accounts.current.users.resetSecondFactor(COMMAND_LINE, user.id, HERE);
    expect(await accounts.current.sessions.list(user.id)).toEqual([]);
    expect((await accounts.events('secondFactor.reset')).at(-1)).toMatchObject({
      actor: { kind: 'installation', id: 'command line' },
      target: { kind: 'user', id: user.id },
    });
    await expect(accounts.current.users.resetSecondFactor(COMMAND_LINE, user.id)).rejects.toMatchObject({
      code: 'SECOND_FACTOR_STATE',
    });
  });
});
