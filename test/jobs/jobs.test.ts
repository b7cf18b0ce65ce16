import { sql } from 'kysely';
import pg from 'pg';
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

test('several processes that start at once on an empty database all get a queue', async () => {
  await sql`drop schema if exists pgboss cascade`.execute(database.current.db);
  const done: number[] = [];
  const replicas = Array.from({ length: 4 }, makeJobs);
  for (const jobs of replicas) {
    jobs.define<{ number: number }>('first', async ({ number }) => {
      done.push(number);
    });
  }
  await Promise.all(replicas.map((jobs) => jobs.start()));
  await Promise.all(replicas.map((jobs, number) => jobs.enqueue('first', { number })));
  await eventually('four jobs done', () => done.length === 4);
  expect(done.sort()).toEqual([0, 1, 2, 3]);
});

test('a job enqueued in a transaction exists only once that commits', async () => {
  const jobs = makeJobs();
  const done: string[] = [];
  jobs.define<{ name: string }>('transactional', async ({ name }) => {
    done.push(name);
  });
  await jobs.start();
  const rolledBack = database.current.transaction(async (tx) => {
    await jobs.enqueue('transactional', { name: 'rolled back' }, { tx });
    throw new Error('on purpose');
  });
  await expect(rolledBack).rejects.toThrow('on purpose');
  await database.current.transaction((tx) => jobs.enqueue('transactional', { name: 'committed' }, { tx }));
  await eventually('the job', () => done.length > 0);
  expect(done).toEqual(['committed']);
  const left = await sql`select * from pgboss.job where name = 'transactional' and state < 'active'`.execute(
    database.current.db,
  );
  expect(left.rows).toEqual([]);
});

test('a process that does not work itself leaves a job to one that does', async () => {
  const sender = makeJobs();
  sender.define('left', async () => {
    throw new Error('never called');
  });
  await sender.enqueue('left', { from: 'sender' });
  const worker = makeJobs();
  const done: object[] = [];
  worker.define('left', async (payload) => {
    done.push(payload);
  });
  await worker.start();
  await eventually('the job', () => done.length > 0);
  expect(done).toEqual([{ from: 'sender' }]);
});

test('while a job of a key waits another is not added, and one that runs does not count', async () => {
  const jobs = makeJobs();
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const done: number[] = [];
  jobs.define<{ number: number }>('keyed', async ({ number }) => {
    done.push(number);
    if (number === 1) await released;
  });
  await jobs.start();
  await jobs.enqueue('keyed', { number: 1 }, { singletonKey: 'k' });
  await eventually('the first one to run', () => done.includes(1));
  await jobs.enqueue('keyed', { number: 2 }, { singletonKey: 'k' });
  await jobs.enqueue('keyed', { number: 3 }, { singletonKey: 'k' });
  release();
  await eventually('the second one', () => done.includes(2));
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from pgboss.job where name = 'keyed'`.execute(database.current.db);
  expect(rows[0]?.count).toBe(2);
});

test('a job that fails is tried again, and goes to the dead letters after its last try', async () => {
  const jobs = makeJobs();
  let tries = 0;
  jobs.define(
    'failing',
    async () => {
      tries += 1;
      throw new Error('no luck');
    },
    { retryLimit: 1 },
  );
  await jobs.start();
  await jobs.enqueue('failing', { what: 'ever' });
  const dead = await eventually('a dead letter', async () => {
    const { rows } = await sql<{ data: object }>`
      select data from pgboss.job where name = 'dead_letters'`.execute(database.current.db);
    return rows[0]?.data;
  });
  expect(dead).toEqual({ what: 'ever' });
  expect(tries).toBe(2);
  expect(logged).toEqual(['jobs: failing failed (try 1 of 2): no luck', 'jobs: failing failed (try 2 of 2): no luck']);
});

test('a handler is aborted at its deadline and when the process stops', async () => {
  const jobs = makeJobs();
  const begun: string[] = [];
  const aborted: string[] = [];
  const hang = (name: string) => (_payload: object, signal: AbortSignal) =>
    new Promise<void>((_, reject) => {
      begun.push(name);
      signal.addEventListener('abort', () => {
        aborted.push(name);
        reject(signal.reason);
      });
    });
  jobs.define('late', hang('late'), { deadlineSeconds: 1, retryLimit: 0 });
  jobs.define('stopped', hang('stopped'));
  await jobs.start();
  await jobs.enqueue('late', {});
  await eventually('the deadline', () => aborted.includes('late'));
  await jobs.enqueue('stopped', {});
  await eventually('the other one to have begun', () => begun.includes('stopped'));
  await jobs.stop();
  expect(aborted).toEqual(['late', 'stopped']);
  const { rows } = await sql<{ state: string }>`select state from pgboss.job where name = 'stopped'`.execute(
    database.current.db,
  );
  expect(rows).toEqual([{ state: 'retry' }]);
});

test('while the database is away, the log says so once and not for every queue and second', async () => {
  const jobs = makeJobs();
  let done = 0;
  for (const name of ['one', 'two', 'three']) {
    jobs.define(name, async () => {
      done += 1;
    });
  }
  await jobs.start();
  const url = new URL(database.url);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  try {
    await admin.query(`alter database "${name}" with allow_connections false`);
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    await eventually('the first words', () => logged.some((line) => line.includes('not currently accepting')));
    // Each of the queues asks again after a second.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
  } finally {
    await admin.query(`alter database "${name}" with allow_connections true`);
    await admin.end();
  }
  await jobs.enqueue('one', {});
  await eventually('a job afterwards', () => done === 1);
  expect(new Set(logged).size).toBe(logged.length);
  expect(logged.join()).not.toMatch(/object Object|Worker/);
});
