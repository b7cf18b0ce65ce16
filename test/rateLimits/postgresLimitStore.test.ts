import { describe, expect, it } from 'vitest';
import { PostgresLimitStore } from '../../src/rateLimits/postgresLimitStore.ts';
import { useTestDatabase } from '../support/database.ts';
import { describeLimitStore } from './support/limitStoreContract.ts';
import { describeSharedStore } from './support/sharedStoreContract.ts';
import { asStoreUnderTest } from './support/storeUnderTest.ts';

const database = useTestDatabase();
const open = (timeMs?: () => number) => new PostgresLimitStore({ database: database.current, timeMs });

describeLimitStore('PostgreSQL', async (clock) => asStoreUnderTest(open(() => clock.now())), 25);
describeSharedStore('PostgreSQL', open, 25);

describe('PostgresLimitStore', () => {
  it('deletes what counts no more, and nothing else', async () => {
    const longAgo = open(() => Date.now() - 3_600_000);
    const rule = { strategy: 'sliding_window', limit: 5, windowMs: 60_000, capacity: 5 } as const;
    const ask = { atLeast: 1, atMost: 1, share: 1, leaseMs: 0 };
    for (let key = 0; key < 5; key++) await longAgo.take([{ key: `idle/${key}`, rule }], ask);
    await open().take([{ key: 'busy', rule }], ask);
    while ((await open().deleteIdle(2)) > 0);
    const { rows } = await database.current.pool.query<{ key: string }>(
      `select key from rate_limit_usage where key like 'idle/%' or key = 'busy'`,
    );
    expect(rows).toEqual([{ key: 'busy' }]);
  });

  it('leaves connections to others when it is slow, and gives up those that do not answer', async () => {
    const { pool } = database.current;
    const rule = { strategy: 'sliding_window', limit: 5, windowMs: 60_000, capacity: 5 } as const;
    const ask = { atLeast: 1, atMost: 1, share: 1, leaseMs: 0 };
    const store = open();
    await store.take([{ key: 'held', rule }], ask);
    const holder = await pool.connect();
    try {
      await holder.query(`begin; select from rate_limit_usage where key = 'held' for update`);
      const waiting = Array.from({ length: 50 }, () => store.take([{ key: 'held', rule }], ask));
      const ended = Promise.allSettled(waiting);
      const { rows } = await pool.query<{ busy: number }>(
        `select count(*)::int as busy from pg_stat_activity where datname = current_database() and state = 'active' and query like '%use_rate_limits%' and pid <> pg_backend_pid()`,
      );
      expect(rows[0]!.busy).toBeLessThanOrEqual(2);
      expect(new Set((await ended).map(({ status }) => status))).toEqual(new Set(['rejected']));
    } finally {
      await holder.query('rollback');
      holder.release();
    }
    expect(await store.take([{ key: 'held', rule }], ask)).toMatchObject({ granted: 1 });
  });
});
