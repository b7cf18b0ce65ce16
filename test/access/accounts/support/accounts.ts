import { afterAll, beforeAll } from 'vitest';
import { type Accounts, createAccounts } from '../../../../src/access/accounts/accounts.ts';
import type { MailSettings } from '../../../../src/access/accounts/mailer.ts';
import type { User } from '../../../../src/access/accounts/userQueries.ts';
import type { Principal } from '../../../../src/access/types.ts';
import type { AuditEvent, AuditTrail } from '../../../../src/audit/types.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { createJobs, type Jobs } from '../../../../src/jobs/jobs.ts';
import type { Database } from '../../../../src/store/database.ts';
import { openInstallation } from '../../../credentials/installation.ts';
import { type TestDatabase, useTestDatabase } from '../../../support/database.ts';

export const COMMAND_LINE: Principal = { kind: 'installation', name: 'command line' };
export const PASSWORD = 'tortoise umbrella granite 47';
export const HERE = { address: '192.0.2.1', requestId: 'req_test', userAgent: 'a browser' };

/** Keeps events as the audit log does: in a table, in the transaction of what they tell of. */
class TableTrail implements AuditTrail {
  async record(db: Parameters<AuditTrail['record']>[0], event: AuditEvent): Promise<void> {
    await db
      .insertInto('test_audit' as never)
      .values({ event: JSON.stringify(event) } as never)
      .execute();
  }
}

export interface TestAccounts extends Accounts {
  readonly jobs: Jobs;
}

export interface AccountsFixture {
  readonly database: TestDatabase;
  readonly current: TestAccounts;
  /** Time that codes are made for; real time unless set. */
  nowMs: number | null;
  /** Another process on the same database. */
  open(options?: { mail?: MailSettings | null; jwtSecret?: string }): Promise<TestAccounts>;
  /** A user with `PASSWORD`, and an address of their own. */
  addUser(role?: string): Promise<User>;
  /** Makes present waits last, so that a slow machine does not sit them out. */
  prolongWaits(): Promise<void>;
  /** Lets present waits be over. */
  endWaits(): Promise<void>;
  /** What was recorded, the oldest first. */
  events(action?: string): Promise<AuditEvent[]>;
}

let users = 0;

/** Accounts on a database of their own. Actors may assign their own role and `viewer`; the command line any. */
export function useAccounts(): AccountsFixture {
  const database = useTestDatabase();
  let current: TestAccounts | undefined;
  const opened: TestAccounts[] = [];
  const fixture: AccountsFixture = {
    database,
    get current() {
      if (current === undefined) throw new Error('The accounts are open from beforeAll on.');
      return current;
    },
    nowMs: null,
    async open({ mail = null, jwtSecret = 'a-secret-for-tests-0123456789abcdef' } = {}) {
      const { store } = await openInstallation(database.current);
      const jobs = createJobs(database.current, () => {});
      const accounts = createAccounts({
        database: database.current,
        credentials: store,
        jobs,
        audit: new TableTrail(),
        roles: {
          mayAssignRole: (actor, role) => mayAssign(database.current, actor, role),
          mayChange: (actor, { role }) => mayAssign(database.current, actor, role),
          changed: async () => {},
        },
        clock: { ...systemClock, now: () => fixture.nowMs ?? Date.now() },
        jwtSecret,
        publicUrl: 'https://integrations.example.com',
        mail,
      });
      const made = { ...accounts, jobs };
      opened.push(made);
      return made;
    },
    addUser: (role = 'viewer') =>
      fixture.current.users.create(COMMAND_LINE, {
        email: `user${++users}@example.com`,
        name: `User ${users}`,
        role,
        password: PASSWORD,
      }),
    async prolongWaits() {
      await database.current.pool.query(`update login_throttles set blocked_until = blocked_until + interval '1 hour'`);
    },
    async endWaits() {
      await database.current.pool.query('update login_throttles set blocked_until = now()');
    },
    async events(action) {
      const { rows } = await database.current.pool.query<{ event: AuditEvent }>(
        'select event from test_audit order by n',
      );
      return rows.map(({ event }) => event).filter((event) => action === undefined || event.action === action);
    },
  };
  beforeAll(async () => {
    await database.current.pool.query('create table test_audit (n bigserial primary key, event jsonb not null)');
    current = await fixture.open();
  });
  afterAll(async () => {
    for (const one of opened) {
      await one.jobs.stop();
      await one.close();
    }
  });
  return fixture;
}

async function mayAssign({ db }: Database, actor: Principal, role: string) {
  if (actor.kind === 'installation') return { allowed: true, reason: 'the command line', ruleId: null };
  const user = await db.selectFrom('users').select('role').where('id', '=', actor.userId).executeTakeFirstOrThrow();
  const allowed = user.role === role || user.role === 'owner' || (user.role === 'admin' && role !== 'owner');
  return { allowed, reason: `${user.role} and ${role}`, ruleId: null };
}
