import { describe, expect, it } from 'vitest';
import { deleteExpiredAccountRows } from '../../../src/access/accounts/accountMaintenance.ts';
import { COMMAND_LINE, HERE, PASSWORD, useAccounts } from './support/accounts.ts';

const accounts = useAccounts();
const accessVersion = async () =>
  (await accounts.database.current.db.selectFrom('access_version').select('version').executeTakeFirstOrThrow()).version;

describe('users', () => {
  it('are listed in pages', async () => {
    const made = [await accounts.addUser(), await accounts.addUser(), await accounts.addUser()];
    const { users } = accounts.current;
    const first = await users.list({ after: null, limit: 2 });
    const rest = await users.list({ after: first[1]!.id, limit: 2 });
    expect([...first, ...rest].map(({ id }) => id)).toEqual(made.map(({ id }) => id));
  });

  it('are changed with what was before in the audit log; addresses are unique in any spelling', async () => {
    const [one, two] = [await accounts.addUser(), await accounts.addUser()];
    const { users } = accounts.current;
    const link = await accounts.current.passwords.makeResetLink(COMMAND_LINE, one.email);
    const changed = await users.update(COMMAND_LINE, one.id, { email: ' new@example.com ', name: one.name }, HERE);
    expect(changed).toMatchObject({ email: 'new@example.com', name: one.name });
    expect((await accounts.events('user.updated')).at(-1)).toMatchObject({
      before: { email: one.email },
      after: { email: 'new@example.com' },
    });
    // The link went to the old address.
    await expect(
      accounts.current.passwords.completeReset({ token: link.split('#')[1]!, password: PASSWORD }, HERE),
    ).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    await expect(users.update(COMMAND_LINE, two.id, { email: 'NEW@example.com' }, HERE)).rejects.toMatchObject({
      code: 'EMAIL_TAKEN',
    });
    for (const email of ['', 'x', 'a@b', 'a b@example.com', `${'a'.repeat(250)}@example.com`])
      await expect(users.update(COMMAND_LINE, two.id, { email }, HERE)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    await expect(users.update(COMMAND_LINE, 'usr_unknown', { name: 'X' }, HERE)).rejects.toMatchObject({
      code: 'USER_NOT_FOUND',
    });
  });

  it('who are deactivated have no session and cannot sign in until they are reactivated; each replica is told', async () => {
    const user = await accounts.addUser();
    const login = () => accounts.current.login.login({ email: user.email, password: PASSWORD }, HERE);
    const signedIn = await login();
    if (signedIn.secondFactor) throw new Error('no second factor was expected');
    const before = await accessVersion();
    await accounts.current.users.deactivate(COMMAND_LINE, user.id, HERE);
    expect(await accessVersion()).toBeGreaterThan(before);
    expect(await accounts.current.sessions.authenticate(signedIn.session.setCookie!)).toBeNull();
    await expect(login()).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    await accounts.current.users.reactivate(COMMAND_LINE, user.id, HERE);
    // What was ended stays so.
    expect(await accounts.current.sessions.authenticate(signedIn.session.setCookie!)).toBeNull();
    expect(await login()).toMatchObject({ user: { status: 'active' } });
  });

  it('who are frozen are not unfrozen by a reactivation', async () => {
    const user = await accounts.addUser();
    await accounts.database.current.pool.query(`update users set status = 'frozen' where id = $1`, [user.id]);
    expect(await accounts.current.users.reactivate(COMMAND_LINE, user.id)).toMatchObject({ status: 'frozen' });
  });

  it('always include an active owner, also when two owners remove each other at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      await accounts.database.current.pool.query(`update users set role = 'viewer' where role = 'owner'`);
      const owners = [await accounts.addUser('owner'), await accounts.addUser('owner')];
      const outcomes = await Promise.allSettled(
        owners.map(({ id }) => accounts.current.users.deactivate(COMMAND_LINE, id)),
      );
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'LAST_OWNER' } });
    }
  });
});

it('maintenance deletes what is past its time and nothing else', async () => {
  const user = await accounts.addUser();
  const { pool } = accounts.database.current;
  const login = () => accounts.current.login.login({ email: user.email, password: PASSWORD }, HERE);
  await login();
  await pool.query(`update sessions set expires_at = now() - interval '1 s'`);
  await accounts.current.invitations.invite(COMMAND_LINE, { email: 'a@example.com', role: 'viewer' }, HERE);
  await pool.query(`update invitations set expires_at = now() - interval '1 s'`);
  await accounts.current.passwords.makeResetLink(COMMAND_LINE, user.email);
  await pool.query(`update one_time_tokens set expires_at = now() - interval '2 hours'`);
  await accounts.current.login.login({ email: 'x@example.com', password: 'x' }, HERE).catch(() => {});
  await pool.query(`update login_throttles set last_failed_at = now() - interval '6 minutes', blocked_until = null`);
  await login();
  await accounts.current.invitations.invite(COMMAND_LINE, { email: 'b@example.com', role: 'viewer' }, HERE);
  await accounts.current.passwords.makeResetLink(COMMAND_LINE, user.email);
  await accounts.current.login.login({ email: 'y@example.com', password: 'y' }, HERE).catch(() => {});
  await deleteExpiredAccountRows(accounts.database.current);
  const { rows } = await pool.query(
    `
    select (select count(*) from sessions)::int as sessions, (select count(*) from invitations)::int as invitations,
      (select count(*) from one_time_tokens where user_id = $1)::int as tokens,
      (select count(*) from login_throttles where last_failed_at < now() - interval '5 minutes')::int as old,
      (select count(*) from login_throttles)::int > 0 as counted`,
    [user.id],
  );
  expect(rows[0]).toEqual({ sessions: 1, invitations: 1, tokens: 1, old: 0, counted: true });
});
