import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compileAccess } from '../../../src/access/decisions/compile.ts';
import { readAccessVersion, readSnapshot } from '../../../src/access/decisions/snapshotQueries.ts';
import { runMaintenance } from '../../../src/jobs/maintenance.ts';
import { useTestDatabase } from '../../support/database.ts';
import { addUser } from './support/access.ts';

const database = useTestDatabase();
const query = (text: string, values: unknown[] = []) => database.current.pool.query(text, values);
const version = () => readAccessVersion(database.current.pool);
const addGrants = (userId: string, count: number, expiry = 'null', prefix = 'gra') =>
  query(
    `insert into grants (id, user_id, effect, permissions, scope_kind, scope_value, reason, created_by, expires_at)
     select $3 || '_' || $1 || n, $1, 'allow', '{integrations:read,records:*}', 'integration', 'int_' || n, 'why', 'me', ${expiry}
     from generate_series(1, $2::int) n`,
    [userId, count, prefix],
  );

describe('the version', () => {
  let userId: string;
  beforeEach(async () => {
    userId = await addUser(database.current, 'viewer');
  });

  test.each([
    ['a role', `update users set role = 'admin' where id = $1`],
    ['a status', `update users set status = 'frozen' where id = $1`],
    ['a user', 'delete from users where id = $1'],
    [
      'a custom role',
      `insert into roles (name, description, permissions, created_by) values ('r' || $1, '', '[]', 'me')`,
    ],
    [
      'break-glass',
      `insert into break_glass (id, user_id, permissions, scope_kind, reason, duration_seconds, requested_at)
       values ('b' || $1, $1, '{*}', 'all', 'why', 60, now())`,
    ],
  ])('rises with a change of %s, by whoever makes it', async (_what, change) => {
    const before = await version();
    await query(change, [userId]);
    expect(await version()).toEqual({ version: before.version + 1, rulesVersion: before.rulesVersion + 1 });
  });

  test('rises once for a transaction, and not for what decisions are not made of', async () => {
    const before = await version();
    await query(`update users set name = 'Other', version = version + 1 where id = $1`, [userId]);
    expect(await version()).toEqual(before);
    await addGrants(userId, 1_000);
    expect(await version()).toEqual({ version: before.version + 1, rulesVersion: before.rulesVersion + 1 });
  });

  test('of the rules rises also when something else rose first in the transaction', async () => {
    await query(`create table keys_of_others (id text);
      create constraint trigger keys_change_access after insert on keys_of_others
      deferrable initially deferred for each row execute function raise_access_version()`);
    const before = await version();
    await query(`insert into keys_of_others values ('k')`);
    expect(await version()).toEqual({ version: before.version + 1, rulesVersion: before.rulesVersion });
    await query(
      `with one as (insert into keys_of_others values ('k')) update users set status = 'frozen' where id = '${userId}'`,
    );
    expect((await version()).rulesVersion).toBe(before.rulesVersion + 1);
  });

  test('does not rise when the change is rolled back', async () => {
    const before = await version();
    const client = await database.current.pool.connect();
    await client.query(`begin; update users set role = 'admin' where id = '${userId}'; rollback`);
    client.release();
    expect(await version()).toEqual(before);
  });
});

describe('with 500 users, 10,000 grants and many that have ended', () => {
  beforeAll(async () => {
    await query('delete from users');
    const userIds: string[] = [];
    for (let index = 0; index < 500; index++) userIds.push(await addUser(database.current, 'developer'));
    for (const userId of userIds) await addGrants(userId, 20);
    await addGrants(userIds[0]!, 60_000, `now() - interval '40 days'`, 'old');
    await query(
      `insert into break_glass (id, user_id, permissions, scope_kind, reason, duration_seconds, requested_at, approved_by,
         approved_at, expires_at)
       select 'bgl_' || n, $1, '{*}', 'all', 'why', 60, now(), 'usr_b', now(), now() - interval '2 hours'
       from generate_series(1, 20000) n`,
      [userIds[0]],
    );
    await query('vacuum analyze');
  });

  const explain = async (text: string, values: unknown[]) => {
    const { rows } = await query(`explain (analyze, buffers, format json) ${text}`, values);
    return rows[0]['QUERY PLAN'][0].Plan;
  };
  // biome-ignore lint/suspicious/noExplicitAny: a node of a plan
  const flat = (node: any): any[] => [node, ...(node.Plans ?? []).flatMap(flat)];
  /** What a read sends. */
  async function statementOf(read: (pool: never) => Promise<unknown>): Promise<{ text: string; values: unknown[] }> {
    let sent: { text: string; values: unknown[] } | undefined;
    const recording = {
      async query(one: typeof sent) {
        sent = one;
        throw new Error('only looking');
      },
    };
    await expect(read(recording as never)).rejects.toThrow('only looking');
    return sent!;
  }

  test('looking at the version reads a page or two, however often it has risen', async () => {
    for (let round = 0; round < 500; round++) await query('update access_version set version = version + 1');
    const { text, values } = await statementOf(readAccessVersion);
    const plan = await explain(text, values);
    expect(
      new Set(
        flat(plan)
          .map((node) => node['Relation Name'])
          .filter(Boolean),
      ),
    ).toEqual(new Set(['access_version']));
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(20);
  });

  test('loading reads each table once, and not what has ended', async () => {
    const { text, values } = await statementOf((pool) => readSnapshot(pool, new Date(Date.now() - 3_600_000)));
    const nodes = flat(await explain(text, values));
    const scans = nodes.filter((node) => node['Relation Name'] !== undefined);
    expect(scans.map((node) => node['Relation Name']).sort()).toEqual([
      'access_version',
      'break_glass',
      'grants',
      'roles',
      'users',
    ]);
    const indexes = new Set(nodes.map((node) => node['Index Name']));
    expect(indexes).toContain('grants_by_expiry');
    expect(indexes).toContain('break_glass_by_expiry');
    const grants = scans.find((node) => node['Relation Name'] === 'grants');
    expect([grants['Actual Rows'], grants['Actual Loops']]).toEqual([10_000, 1]);
  });

  test('what is loaded decides, and stays small', async () => {
    gcIfThere();
    const before = process.memoryUsage().heapUsed;
    const start = performance.now();
    const snapshot = await readSnapshot(database.current.pool, new Date());
    const rules = compileAccess(snapshot);
    console.log(`loaded and compiled in ${(performance.now() - start).toFixed(0)} ms`);
    expect(snapshot.users).toHaveLength(500);
    expect(snapshot.grants).toHaveLength(10_000);
    const { userId, scope } = snapshot.grants[7]!;
    const integration = { id: 'value' in scope ? scope.value : '', owner: 'o', platform: 'p' };
    expect(rules.decide(userId, 'records:export', integration, Date.now())).toMatchObject({ allowed: true });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 ** 2);
  });

  test('what ended long ago is deleted', async () => {
    await runMaintenance(database.current, new Date());
    expect((await query('select count(*) from grants')).rows).toEqual([{ count: 10_000 }]);
  });
});

function gcIfThere(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
