import type { Clock } from '../core/clock.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Database } from '../store/database.ts';
import { keepSeries } from './store/retention.ts';
import { rollUp } from './store/rollUps.ts';

const HOURS_KEPT_DAYS = 30;

/** Has measurements merged into hours and days, and deleted when they are past their time. */
export function definePerformanceJobs({
  jobs,
  database,
  clock,
}: {
  jobs: Jobs;
  database: Database;
  clock: Clock;
}): void {
  jobs.define('performance.rollUp', (_payload, signal) => rollUp(database, clock.now(), signal), {
    cron: '*/5 * * * *',
  });
  jobs.define(
    'performance.keep',
    async (_payload, signal) => {
      // Minutes are not dropped before they are merged.
      await rollUp(database, clock.now(), signal);
      await keepSeries(database, clock.now(), HOURS_KEPT_DAYS, signal);
    },
    { cron: '27 * * * *' },
  );
}
