import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { createJobs, type Jobs } from '../../src/jobs/jobs.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const database = useTestDatabase();
const opened: Jobs[] = [];
const logged: string[] = [];

function makeJobs(): Jobs {
  const jobs = createJobs(database.current, (line) => logged.push(line));
  opened.push(jobs);
  return jobs;
}

afterEach(async () => {
  for (const jobs of opened.splice(0)) await jobs.stop();
  logged.length = 0;
});

test('a cron job runs once for every time it is due, with two processes', async () => {
  const runs: string[] = [];
  for (const name of ['one', 'other']) {
    const jobs = makeJobs();
    jobs.define(
      'minutely',
      async () => {
        runs.push(name);
      },
      { cron: '* * * * *' },
    );
    await jobs.start();
  }
  await eventually('a run', () => runs.length > 0);
  // Both have looked at the schedule by then.
  await eventually('a second look', async () => {
    const { rows } = await sql`
      select 1 from pgboss.version where cron_on > now() - interval '2 seconds'`.execute(database.current.db);
    return rows.length > 0;
  });
  const { rows } = await sql<{ jobs: number; minutes: number }>`
    select count(*) as jobs, count(distinct data ->> 'slot') as minutes
    from pgboss.job where name = '__pgboss__send-it'`.execute(database.current.db);
  expect(rows[0]?.jobs).toBe(rows[0]?.minutes);
  expect(runs.length).toBeLessThanOrEqual(rows[0]!.minutes);
});
