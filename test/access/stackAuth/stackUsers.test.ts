import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessSignal } from '../../../src/access/accessSignal.ts';
import { StackTokens } from '../../../src/access/stackAuth/stackTokens.ts';
import { StackAuthenticator } from '../../../src/access/stackAuth/stackUsers.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { useTestDatabase } from '../../support/database.ts';
import type { Recorder as RecorderType } from '../support/people.ts';
import { addUser, OPERATOR, openAccess, Recorder } from '../support/people.ts';
import { PROJECT, type StackServer, startStackServer } from './support/stackServer.ts';

const database = useTestDatabase();
let stack: StackServer;
let audit: RecorderType;
let signal: AccessSignal;
let users: StackAuthenticator;

beforeAll(async () => {
  stack = await startStackServer();
  audit = new Recorder();
  signal = new AccessSignal();
  users = new StackAuthenticator({
    database: database.current,
    audit,
    tokens: new StackTokens({ projectId: PROJECT, issuers: [stack.url], fetch, clock: systemClock, log: silentLog }),
    projectId: PROJECT,
    version: { version: () => 1 },
    signal,
  });
});
afterAll(() => stack?.close());

const come = async (sub: string, claims: Record<string, unknown> = {}) =>
  users.authenticate(await stack.token({ claims: { sub, ...claims } }), { address: '203.0.113.9' });
const userOf = async (authentication: Awaited<ReturnType<typeof come>>) => {
  if (!('principal' in authentication) || authentication.principal.kind !== 'user') throw new Error('refused');
  const { userId } = authentication.principal;
  return database.current.db.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirstOrThrow();
};

describe('a user of Stack Auth', () => {
  it('gets an account at first sight, without a role, and keeps it', async () => {
    const first = await come('first', { email: 'first@example.com' });
    expect(first).toMatchObject({ principal: { kind: 'user', sessionId: 'stack:refresh-1' } });
    expect(await userOf(first)).toMatchObject({
      email: 'first@example.com',
      name: 'Ada',
      role: 'none',
      status: 'active',
    });
    expect(await come('first')).toEqual(first);
    expect(audit.events.filter(({ action }) => action === 'user.linked')).toMatchObject([
      { origin: { address: '203.0.113.9' }, details: { subject: 'first' } },
    ]);
  });

  it('gets one account when many requests come first', async () => {
    const results = await Promise.all(Array.from({ length: 12 }, () => come('crowd', { email: 'crowd@example.com' })));
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    const { rows } = await database.current.pool.query(
      `select 1 from users where name = 'Ada' and email like 'crowd%'`,
    );
    expect(rows).toHaveLength(1);
  });

  it('is never taken for somebody who has an account here, whatever address is claimed', async () => {
    const owner = await addUser(database.current, 'owner');
    for (const email_verified of [true, false]) {
      const result = await come(`thief-${email_verified}`, { email: `${owner}@EXAMPLE.com`, email_verified });
      expect(await userOf(result)).toMatchObject({ role: 'none' });
      expect((await userOf(result)).email).toMatch(/@stack-auth\.invalid$/);
      expect((await userOf(result)).id).not.toBe(owner);
    }
  });

  it('gets only an address that is proven theirs', async () => {
    expect((await userOf(await come('unproven', { email: 'boss@example.com', email_verified: false }))).email).toMatch(
      /\.invalid$/,
    );
    expect((await userOf(await come('half', { email: 'boss@example.com', email_verified: 'true' }))).email).toMatch(
      /\.invalid$/,
    );
    expect((await userOf(await come('proven', { email: 'boss@example.com' }))).email).toBe('boss@example.com');
  });

  it('gets no name and no address that could be taken for more than text', async () => {
    for (const [index, text] of ['Ada\u0000', 'Ada\r\nBcc: b@example.com', '\u001b[2JAda', ''].entries()) {
      const user = await userOf(await come(`odd-${index}`, { name: text, email: `${text}@example.com` }));
      expect([user.name, user.email]).toEqual([`odd-${index}`, `${user.id}@stack-auth.invalid`]);
    }
    const long = await userOf(await come('long', { name: 'A'.repeat(500), email: 'long@example.com' }));
    expect(long.name).toHaveLength(200);
  });

  it('opens nothing while frozen', async () => {
    const user = await userOf(await come('frozen', { email: 'frozen@example.com' }));
    const { freezer } = openAccess(database.current);
    await freezer.freeze({ principal: OPERATOR }, { userId: user.id }, 'phished');
    await signal.announce();
    expect(await come('frozen')).toEqual({ refused: `The account ${user.id} is frozen.` });
    await freezer.unfreeze({ principal: OPERATOR }, { userId: user.id });
    await signal.announce();
    expect(await come('frozen')).toHaveProperty('principal');
  });
});
