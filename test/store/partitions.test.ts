import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createJobs } from '../../src/jobs/jobs.ts';
import { defineMaintenance, runMaintenance } from '../../src/jobs/maintenance.ts';
import { dropPartitionsBefore, ensurePartitions } from '../../src/store/partitions.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const database = useTestDatabase();
const DAY_MS = 86_400_000;

async function partitions(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'outgoing_attempts'::regclass order by name`.execute(database.current.db);
  return rows.map((row) => row.name);
}

async function insertAttempt(startedAt: Date): Promise<void> {
  await database.current.db
    .insertInto('outgoing_attempts')
    .values({
      id: `att_${startedAt.getTime()}`,
      operation_id: 'op_1',
      integration_id: 'int_1',
      operation: 'sync',
      attempt: 1,
      method: 'GET',
      host: 'example.com',
      path: '/',
      status: 200,
      outcome: 'success',
      started_at: startedAt,
      duration_ms: 1,
      wait_ms: 0,
      first_byte_ms: 1,
      error: null,
    })
    .execute();
}

test('an open database takes attempts of yesterday and of the days to come', async () => {
  for (let days = -1; days <= 3; days++) await insertAttempt(new Date(Date.now() + days * DAY_MS));
  await expect(insertAttempt(new Date(Date.now() + 9 * DAY_MS))).rejects.toThrow(/no partition/);
});

test('partitions made by several at once are made once, cover whole UTC days and have the indexes', async () => {
  const from = new Date('2031-12-30T23:59:59.999Z');
  await Promise.all(Array.from({ length: 8 }, () => ensurePartitions(database.current, 'outgoing_attempts', from, 4)));
  expect((await partitions()).filter((name) => name > 'outgoing_attempts_2031')).toEqual([
    'outgoing_attempts_20311230',
    'outgoing_attempts_20311231',
    'outgoing_attempts_20320101',
    'outgoing_attempts_20320102',
  ]);
  await insertAttempt(new Date('2031-12-30T00:00:00Z'));
  await insertAttempt(new Date('2032-01-02T23:59:59.999Z'));
  await expect(insertAttempt(new Date('2031-12-29T23:59:59.999Z'))).rejects.toThrow(/no partition/);
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from pg_index join pg_inherits on inhrelid = indexrelid
    where indrelid = 'outgoing_attempts_20320101'::regclass`.execute(database.current.db);
  expect(rows[0]?.count).toBe(3);
});

test('old partitions are dropped whole, the day of the limit is kept', async () => {
  await ensurePartitions(database.current, 'outgoing_attempts', new Date('2020-05-01'), 3);
  const dropped = await dropPartitionsBefore(database.current, 'outgoing_attempts', new Date('2020-05-03T12:00:00Z'));
  expect(dropped).toEqual(['outgoing_attempts_20200501', 'outgoing_attempts_20200502']);
  expect(await partitions()).toContain('outgoing_attempts_20200503');
});

test('maintenance keeps what is in its time and deletes what is past it', async () => {
  const { db } = database.current;
  const now = new Date();
  const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
  await ensurePartitions(database.current, 'outgoing_attempts', hoursAgo(31 * 24), 1);
  await db
    .insertInto('integrations')
    .values({
      id: 'int_1',
      owner: 'default',
      name: 'One',
      type: 'test',
      platform: 'http',
      status: 'connected',
      status_reason: null,
      configuration: '{}',
    })
    .execute();
  for (const [id, finished_at] of [
    ['syn_old', hoursAgo(91 * 24)],
    ['syn_kept', hoursAgo(89 * 24)],
    ['syn_running', null],
  ] as const) {
    await db
      .insertInto('sync_runs')
      .values({
        id,
        integration_id: 'int_1',
        trigger: 'manual',
        status: finished_at ? 'succeeded' : 'running',
        finished_at,
      })
      .execute();
  }
  for (const [key, created_at] of [
    ['old', hoursAgo(25)],
    ['kept', hoursAgo(23)],
  ] as const) {
    await db
      .insertInto('idempotency_keys')
      .values({
        scope: 's',
        key,
        request_hash: Buffer.from('h'),
        resource_name: key,
        locked_until: created_at,
        created_at,
      })
      .execute();
  }
  const before = await partitions();
  await runMaintenance(database.current, now);
  await runMaintenance(database.current, now);
  const after = await partitions();
  const lost = `outgoing_attempts_${hoursAgo(31 * 24)
    .toISOString()
    .slice(0, 10)
    .replaceAll('-', '')}`;
  expect(before).toContain(lost);
  expect(after).not.toContain(lost);
  const runs = await db.selectFrom('sync_runs').select('id').orderBy('id').execute();
  expect(runs.map((run) => run.id)).toEqual(['syn_kept', 'syn_running']);
  expect(await db.selectFrom('idempotency_keys').select('key').execute()).toEqual([{ key: 'kept' }]);
});

test('maintenance is a job', async () => {
  await ensurePartitions(database.current, 'outgoing_attempts', new Date('2019-01-01'), 1);
  const jobs = createJobs(database.current, () => {});
  defineMaintenance(jobs, database.current);
  await jobs.start();
  await jobs.enqueue('maintenance', {});
  await eventually('it to drop the old partition', async () => {
    return !(await partitions()).includes('outgoing_attempts_20190101');
  });
  await jobs.stop();
});
