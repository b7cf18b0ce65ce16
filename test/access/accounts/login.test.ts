import { hash } from '@node-rs/argon2';
import { describe, expect, it } from 'vitest';
import { HERE, PASSWORD, useAccounts } from './support/accounts.ts';

const accounts = useAccounts();
let network = 0;
/** An address that has not failed yet. */
const elsewhere = () => ({ ...HERE, address: `198.51.${++network >> 8}.${network & 255}` });

const login = (email: string, password: string, origin = HERE) =>
  accounts.current.login.login({ email, password }, origin);

/** The wait that the last failure on an account brought, in seconds. */
async function lastWait(): Promise<number> {
  const { rows } = await accounts.database.current.pool.query(`
    select extract(epoch from blocked_until - last_failed_at)::float8 as wait from login_throttles
    where subject like 'pair:%' order by last_failed_at desc limit 1`);
  return Math.round(rows[0].wait);
}

describe('signing in with a password', () => {
  it('works in any spelling of the address and any composition of the password, and is recorded', async () => {
    const password = 'Überfluß café tortoise 47';
    const { email } = await accounts.current.users.create(
      { kind: 'installation', name: 'command line' },
      { email: '  Anna.Smith@Example.COM ', name: 'Anna', role: 'viewer', password: password.normalize('NFC') },
    );
    const result = await login(email.trim().toLowerCase(), password.normalize('NFD'), elsewhere());
    expect(result).toMatchObject({ secondFactor: false, user: { role: 'viewer', status: 'active' } });
    const [event] = await accounts.events('login.succeeded');
    expect(event).toMatchObject({ outcome: 'success', actor: { kind: 'user' }, details: { method: 'password' } });
  });

  it('answers the same for a wrong password, an unknown address and an account that is not active', async () => {
    const user = await accounts.addUser();
    const gone = await accounts.addUser();
    await accounts.current.users.deactivate({ kind: 'installation', name: 'command line' }, gone.id);
    const noPassword = await accounts.current.users.create(
      { kind: 'installation', name: 'command line' },
      { email: 'nopassword@example.com', name: 'N', role: 'viewer' },
    );
    const failures = await Promise.all(
      [
        [user.email, 'wrong'],
        ['nobody@example.com', PASSWORD],
        [gone.email, PASSWORD],
        [noPassword.email, PASSWORD],
      ].map(([email, password]) => login(email!, password!, elsewhere()).catch((error: unknown) => error)),
    );
    expect(new Set(failures.map((error) => JSON.stringify([(error as Error).message, error]))).size).toBe(1);
    expect(failures[0]).toMatchObject({ code: 'WRONG_CREDENTIALS', details: {} });
    const reasons = (await accounts.events('login.failed')).map(({ details }) => details?.reason);
    expect(reasons).toHaveLength(4);
    expect(reasons.sort()).toEqual(['credentials', 'credentials', 'inactive', 'unknownUser']);
  });

  it('begins nothing for an account that is frozen while the password is checked', async () => {
    const { pool } = accounts.database.current;
    const user = await accounts.addUser();
    const freezing = await pool.connect();
    try {
      await freezing.query('begin');
      await freezing.query(`update users set status = 'frozen', frozen_reason = 'phished' where id = $1`, [user.id]);
      let settled = false;
      const attempt = login(user.email, PASSWORD, elsewhere())
        .catch((error: unknown) => error)
        .finally(() => {
          settled = true;
        });
      // It waits for the freeze, as whoever comes second should.
      await expect
        .poll(
          async () => {
            const { rows } = await pool.query(
              `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
            );
            return settled || rows.length > 0;
          },
          { timeout: 20_000 },
        )
        .toBe(true);
      await freezing.query('commit');
      expect(await attempt).toMatchObject({ code: 'WRONG_CREDENTIALS' });
    } finally {
      freezing.release();
    }
    await pool.query(`update users set status = 'active' where id = $1`, [user.id]);
    expect(await accounts.current.sessions.list(user.id)).toEqual([]);
  });

  it('never shows the password to the audit log', async () => {
    expect(JSON.stringify(await accounts.events())).not.toContain(PASSWORD);
  });

  it('replaces a hash made with other parameters', async () => {
    const user = await accounts.addUser();
    const { db } = accounts.database.current;
    const weak = await hash(PASSWORD, { algorithm: 2, memoryCost: 8_192, timeCost: 2, parallelism: 1 });
    await db.updateTable('local_accounts').set({ password_hash: weak }).where('user_id', '=', user.id).execute();
    await login(user.email, PASSWORD, elsewhere());
    const row = await db
      .selectFrom('local_accounts')
      .select('password_hash')
      .where('user_id', '=', user.id)
      .executeTakeFirstOrThrow();
    expect(row.password_hash).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$/);
    await login(user.email, PASSWORD, elsewhere());
  });
});

describe('failed attempts', () => {
  it('have to wait from the fifth on, longer each time, and nothing is looked at meanwhile', async () => {
    const { email } = await accounts.addUser();
    const from = elsewhere();
    for (let failure = 1; failure <= 5; failure++) {
      await expect(login(email, 'wrong', from)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    }
    const waits: number[] = [];
    for (let failure = 6; failure <= 14; failure++) {
      waits.push(await lastWait());
      await accounts.prolongWaits();
      await expect(login(email, PASSWORD, from)).rejects.toMatchObject({
        code: 'LOGIN_THROTTLED',
        details: { retryAfterMs: expect.any(Number) },
      });
      await accounts.endWaits();
      await expect(login(email, 'wrong', from)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    await accounts.endWaits();
    expect(await login(email, PASSWORD, from)).toMatchObject({ secondFactor: false });
    // The right password has cleared it.
    await expect(login(email, 'wrong', from)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
  });

  it('do not keep the person out, wherever others guess from: not at a known place, nor at a new one', async () => {
    const { email } = await accounts.addUser();
    const home = elsewhere();
    await login(email, PASSWORD, home);
    const guessers = Array.from({ length: 12 }, elsewhere);
    for (const guesser of guessers) await login(email, 'wrong', guesser).catch(() => {});
    // The lane of newcomers is full now; those who failed have one of their own.
    await accounts.prolongWaits();
    const guesser = elsewhere();
    await expect(login(email, 'wrong', guesser)).rejects.toMatchObject({ code: 'LOGIN_THROTTLED' });
    expect(await login(email, PASSWORD, home)).toMatchObject({ secondFactor: false });
    await accounts.endWaits();
    expect(await login(email, PASSWORD, elsewhere())).toMatchObject({ secondFactor: false });
  });

  it('cannot pass the count by coming all at once, on two replicas', async () => {
    const { email } = await accounts.addUser();
    const other = await accounts.open();
    const from = elsewhere();
    const attempts = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        (at % 2 === 0 ? accounts.current : other).login
          .login({ email, password: `wrong ${at}` }, from)
          .catch((error: { code: string }) => error.code),
      ),
    );
    const looked = attempts.filter((code) => code === 'WRONG_CREDENTIALS').length;
    // Five, and on a slow machine one more for each wait that was over meanwhile.
    expect(looked).toBeGreaterThanOrEqual(5);
    expect(looked).toBeLessThanOrEqual(9);
    expect(attempts.filter((code) => code === 'LOGIN_THROTTLED')).toHaveLength(40 - looked);
  });

  it('on many accounts from one network have to wait too, and its IPv6 addresses are one network', async () => {
    const attempts: unknown[] = [];
    for (let at = 0; at < 21; at++) {
      if (at === 20) await accounts.prolongWaits();
      const origin = { ...HERE, address: `2001:db8:1:2::${at}` };
      attempts.push(
        await login(`spray${at}@example.com`, 'wrong', origin).catch((error: { code: string }) => error.code),
      );
    }
    expect(attempts.slice(0, 20)).toEqual(Array(20).fill('WRONG_CREDENTIALS'));
    expect(attempts[20]).toBe('LOGIN_THROTTLED');
    expect(await login('spray0@example.com', 'wrong', elsewhere()).catch(({ code }) => code)).toBe('WRONG_CREDENTIALS');
  });
});
