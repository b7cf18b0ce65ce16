import { afterEach, expect, test } from 'vitest';
import { createJobs, type Jobs } from '../../src/jobs/jobs.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/processes.ts';

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

test('the job of a worker that was killed is done by another', async () => {
  const worker = startProgram('jobs/fixtures/hangingWorker.ts', [database.url]);
  const jobs = makeJobs();
  const done: object[] = [];
  jobs.define('fragile', async (payload) => {
    done.push(payload);
  });
  await jobs.enqueue('fragile', { precious: true });
  await worker.line('taken');
  await worker.kill();
  await jobs.start();
  await eventually('the job', () => done.length > 0);
  expect(done).toEqual([{ precious: true }]);
});
