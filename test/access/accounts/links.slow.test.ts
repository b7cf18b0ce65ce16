import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/access/types.ts';
import { eventually } from '../../support/eventually.ts';
import { COMMAND_LINE, HERE, PASSWORD, type TestAccounts, useAccounts } from './support/accounts.ts';
import { type MailServer, openMailServer } from './support/mailServer.ts';

const NEXT_PASSWORD = 'seven quiet lanterns drift 9';
const tokenOf = (link: string) => link.split('#')[1]!;

describe('setting up', () => {
  const accounts = useAccounts();
  const input = { email: 'First@Example.com', name: 'First', password: PASSWORD };

  it('a new start makes a new link and voids the older one; the token is stored as a hash', async () => {
    const { setup } = accounts.current;
    const old = (await setup.ensureSetupLink('https://x.example'))!;
    const link = (await setup.ensureSetupLink('https://x.example'))!;
    expect(link).toMatch(/^https:\/\/x\.example\/setup#[\w-]{43}$/);
    const { rows } = await accounts.database.current.pool.query('select t::text as text from one_time_tokens t');
    expect(rows).toHaveLength(1);
    expect(rows[0].text).not.toContain(tokenOf(link));
    await expect(setup.complete({ ...input, token: tokenOf(old) }, HERE)).rejects.toMatchObject({
      code: 'INVALID_TOKEN',
    });
    await accounts.database.current.pool.query(`update one_time_tokens set expires_at = now() - interval '1 s'`);
    await expect(setup.complete({ ...input, token: tokenOf(link) }, HERE)).rejects.toMatchObject({
      code: 'INVALID_TOKEN',
    });
  });

  it('is not done by somebody who came from outside and was given no role', async () => {
    const { setup } = accounts.current;
    await accounts.database.current.db
      .insertInto('users')
      .values({ id: 'usr_newcomer', email: 'newcomer@example.com', name: 'N', role: 'none' })
      .execute();
    expect(await setup.isDone()).toBe(false);
    expect(await setup.ensureSetupLink('https://x.example')).not.toBeNull();
    await accounts.database.current.pool.query(`delete from users where id = 'usr_newcomer'`);
  });

  it('of two that use the link at the same time one becomes the owner; then there is no link any more', async () => {
    const { setup, sessions } = accounts.current;
    const other = await accounts.open();
    const token = tokenOf((await setup.ensureSetupLink('https://x.example'))!);
    await expect(setup.complete({ ...input, password: 'password1234', token }, HERE)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    const outcomes = await Promise.allSettled([
      setup.complete({ ...input, token }, HERE),
      other.setup.complete({ ...input, email: 'second@example.com', token }, HERE),
    ]);
    const [done, refused] = outcomes.sort((a) => (a.status === 'fulfilled' ? -1 : 1));
    expect(refused).toMatchObject({ reason: { code: 'SETUP_DONE' } });
    if (done?.status !== 'fulfilled') throw new Error('nobody became the owner');
    expect(done.value.user).toMatchObject({ role: 'owner', status: 'active' });
    expect(await sessions.authenticate(done.value.session.setCookie!)).not.toBeNull();
    expect(await accounts.current.users.list({ after: null, limit: 10 })).toHaveLength(1);
    expect(await setup.ensureSetupLink('https://x.example')).toBeNull();
    await expect(setup.complete({ ...input, token }, HERE)).rejects.toMatchObject({ code: 'SETUP_DONE' });
    expect(await accounts.events('user.created')).toHaveLength(1);
  });
});

describe('without a mail server', () => {
  const accounts = useAccounts();

  it('an invitation is a link for who invites: one open for an address, used once', async () => {
    const { invitations } = accounts.current;
    const first = await invitations.invite(COMMAND_LINE, { email: 'guest@example.com', role: 'viewer' }, HERE);
    const second = await invitations.invite(COMMAND_LINE, { email: 'Guest@Example.com', role: 'operator' }, HERE);
    expect((await invitations.list()).map(({ id }) => id)).toEqual([second.invitation.id]);
    const accept = (link: string) =>
      invitations.accept({ token: tokenOf(link), name: 'Guest', password: PASSWORD }, HERE);
    await expect(accept(first.link!)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    const outcomes = await Promise.allSettled([accept(second.link!), accept(second.link!)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await accounts.current.users.getByEmail('guest@example.com')).toMatchObject({ role: 'operator' });
    await expect(
      invitations.invite(COMMAND_LINE, { email: 'GUEST@example.com', role: 'viewer' }, HERE),
    ).rejects.toMatchObject({ code: 'EMAIL_TAKEN' });
    expect(JSON.stringify(await accounts.events())).not.toContain(tokenOf(second.link!));
  });

  it('an invitation can be withdrawn, and ends after seven days', async () => {
    const { invitations } = accounts.current;
    const one = await invitations.invite(COMMAND_LINE, { email: 'late@example.com', role: 'viewer' }, HERE);
    await accounts.database.current.pool.query(
      `update invitations set expires_at = expires_at - interval '7 days 1 s'`,
    );
    expect(await invitations.list()).toEqual([]);
    const input = { name: 'Late', password: PASSWORD };
    await expect(invitations.accept({ ...input, token: tokenOf(one.link!) }, HERE)).rejects.toMatchObject({
      code: 'INVALID_TOKEN',
    });
    const two = await invitations.invite(COMMAND_LINE, { email: 'late@example.com', role: 'viewer' }, HERE);
    await invitations.withdraw(COMMAND_LINE, two.invitation.id, HERE);
    await expect(invitations.accept({ ...input, token: tokenOf(two.link!) }, HERE)).rejects.toMatchObject({
      code: 'INVALID_TOKEN',
    });
    await expect(invitations.withdraw(COMMAND_LINE, two.invitation.id, HERE)).rejects.toMatchObject({
      code: 'INVITATION_NOT_FOUND',
    });
  });

  it('nobody invites, changes or removes above their own power', async () => {
    const [owner, admin] = [await accounts.addUser('owner'), await accounts.addUser('admin')];
    const as = (userId: string): Principal => ({ kind: 'user', userId, sessionId: 'ses_x' });
    const { invitations, users } = accounts.current;
    const invite = (actor: Principal, role: string) =>
      invitations.invite(actor, { email: `${role}@example.com`, role }, HERE);
    await expect(invite(as(admin.id), 'owner')).rejects.toMatchObject({ code: 'ROLE_ABOVE_OWN' });
    const { invitation } = await invite(as(owner.id), 'owner');
    await expect(invitations.withdraw(as(admin.id), invitation.id, HERE)).rejects.toMatchObject({
      code: 'ROLE_ABOVE_OWN',
    });
    for (const change of [
      () => users.update(as(admin.id), owner.id, { email: 'mine@example.com' }, HERE),
      () => users.deactivate(as(admin.id), owner.id, HERE),
      () => users.resetSecondFactor(as(admin.id), owner.id, HERE),
    ])
      await expect(change()).rejects.toMatchObject({ code: 'ROLE_ABOVE_OWN' });
    expect((await invite(as(admin.id), 'viewer')).invitation.invitedBy).toBe(admin.id);
  });

  it('a new password takes the command line: its link works once, for an hour, and ends all sessions', async () => {
    const user = await accounts.addUser();
    const { passwords, login, sessions } = accounts.current;
    await expect(passwords.requestReset(user.email, HERE)).rejects.toMatchObject({ code: 'EMAIL_NOT_CONFIGURED' });
    const signedIn = await login.login({ email: user.email, password: PASSWORD }, HERE);
    if (signedIn.secondFactor) throw new Error('no second factor was expected');
    const old = await passwords.makeResetLink(COMMAND_LINE, user.email.toUpperCase());
    const link = await passwords.makeResetLink(COMMAND_LINE, user.email);
    const complete = (from: string) => passwords.completeReset({ token: tokenOf(from), password: NEXT_PASSWORD }, HERE);
    await expect(complete(old)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    const outcomes = await Promise.allSettled([complete(link), complete(link)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await sessions.authenticate(signedIn.session.setCookie!)).toBeNull();
    await expect(login.login({ email: user.email, password: PASSWORD }, HERE)).rejects.toMatchObject({
      code: 'WRONG_CREDENTIALS',
    });
    expect(await login.login({ email: user.email, password: NEXT_PASSWORD }, HERE)).toMatchObject({
      secondFactor: false,
    });
    const late = await passwords.makeResetLink(COMMAND_LINE, user.email);
    await accounts.database.current.pool.query(
      `update one_time_tokens set expires_at = expires_at - interval '1 hour'`,
    );
    await expect(complete(late)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    await expect(passwords.makeResetLink(COMMAND_LINE, 'nobody@example.com')).rejects.toMatchObject({
      code: 'USER_NOT_FOUND',
    });
  });

  it('guessing links has to wait', async () => {
    const origin = { ...HERE, address: '203.0.113.9' };
    const guesses: string[] = [];
    for (let at = 0; at < 21; at++) {
      if (at === 20) await accounts.prolongWaits();
      const guess = accounts.current.passwords.completeReset({ token: `guess${at}`, password: NEXT_PASSWORD }, origin);
      guesses.push(await guess.then(() => 'opened').catch((error: { code: string }) => error.code));
    }
    expect(guesses).toEqual([...Array(20).fill('INVALID_TOKEN'), 'LOGIN_THROTTLED']);
  });
});

describe('with a mail server', () => {
  const accounts = useAccounts();
  let mailServer: MailServer;
  let sending: TestAccounts;

  beforeAll(async () => {
    mailServer = await openMailServer();
    sending = await accounts.open({ mail: { url: mailServer.url, from: 'Integrations <integrations@example.com>' } });
    await sending.jobs.start();
  });
  afterAll(() => mailServer?.close());

  const mailTo = (email: string, after = 0) =>
    eventually(`an e-mail to ${email}`, () => mailServer.mails.filter(({ to }) => to === email)[after]);
  const linkIn = (text: string) => /https:\/\/integrations\.example\.com\/\S+/.exec(text)![0];
  const textOfJobs = async () => {
    const { rows } = await accounts.database.current.pool.query(
      `select coalesce(json_agg(j)::text, '') as text from pgboss.job j`,
    );
    return rows[0].text as string;
  };

  it('a reset is sent, also when the server fails at first; the token is nowhere else', async () => {
    const user = await accounts.addUser();
    mailServer.failure = 'try again later';
    await sending.passwords.requestReset(user.email, HERE);
    await eventually('a failed try', async () => (await textOfJobs()).includes('try again later'));
    mailServer.failure = null;
    const link = linkIn((await mailTo(user.email)).text);
    expect(await textOfJobs()).not.toContain(tokenOf(link));
    const { rows } = await accounts.database.current.pool.query('select t::text as text from one_time_tokens t');
    expect(rows.some(({ text }) => text.includes(tokenOf(link)))).toBe(false);
    expect(JSON.stringify(await accounts.events())).not.toContain(tokenOf(link));
    await sending.passwords.completeReset({ token: tokenOf(link), password: NEXT_PASSWORD }, HERE);
    await sending.login.login({ email: user.email, password: NEXT_PASSWORD }, HERE);
  });

  it('asking for somebody who is not there does the same and sends nothing; asking again soon sends nothing more', async () => {
    const [user, gone] = [await accounts.addUser(), await accounts.addUser()];
    await accounts.current.users.deactivate(COMMAND_LINE, gone.id);
    const before = mailServer.mails.length;
    for (const email of ['nobody@example.com', gone.email, user.email]) {
      expect(await sending.passwords.requestReset(email, HERE)).toBeUndefined();
    }
    await mailTo(user.email);
    await sending.passwords.requestReset(user.email, HERE);
    await eventually('all jobs to be done', async () => {
      const { rows } = await accounts.database.current.pool.query(
        `select from pgboss.job where name = 'accounts.sendPasswordReset' and state not in ('completed', 'failed', 'cancelled')`,
      );
      return rows.length === 0;
    });
    expect(mailServer.mails.slice(before).map(({ to }) => to)).toEqual([user.email]);
  });

  it('an invitation is sent, and its link is not shown to who invites', async () => {
    const { link } = await sending.invitations.invite(
      COMMAND_LINE,
      { email: 'guest@example.com', role: 'viewer' },
      HERE,
    );
    expect(link).toBeNull();
    const { text } = await mailTo('guest@example.com');
    const accepted = await sending.invitations.accept(
      { token: tokenOf(linkIn(text)), name: 'Guest', password: PASSWORD },
      HERE,
    );
    expect(accepted.user).toMatchObject({ email: 'guest@example.com', role: 'viewer' });
  });

  it('a server that is down gets it when it is back', async () => {
    const port = Number(new URL(mailServer.url).port);
    await mailServer.close();
    await sending.invitations.invite(COMMAND_LINE, { email: 'patient@example.com', role: 'viewer' }, HERE);
    await eventually('a failed try', async () => (await textOfJobs()).includes('ECONNREFUSED'));
    mailServer = await openMailServer(port);
    expect((await mailTo('patient@example.com')).text).toContain('/invitation#');
  });

  it('an address cannot add headers or recipients', async () => {
    for (const email of ['a@example.com\r\nBcc: b@example.com', 'a@example.com, b@example.com', 'A <a@example.com>'])
      await expect(sending.invitations.invite(COMMAND_LINE, { email, role: 'viewer' }, HERE)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
  });
});
