import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Database } from '../store/database.ts';
import type { PerformanceConfig } from './performanceConfig.ts';
import { keepReported } from './reported/reportedQueries.ts';
import { keepSeries } from './store/retention.ts';
import { rollUp } from './store/rollUps.ts';
import type { SummaryRefresh } from './summaries/summaryRefresh.ts';
import { watchForAnomalies } from './watch/anomalyWatch.ts';
import { keepFindings } from './watch/keepFindings.ts';

interface Parts {
  readonly jobs: Jobs;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: PerformanceConfig;
  readonly summaries: SummaryRefresh;
}

/** Has measurements merged into hours and days, judged, summed up, and deleted when they are past their time. */
export function definePerformanceJobs({ jobs, database, clock, log, config, summaries }: Parts): void {
  jobs.define('performance.rollUp', (_payload, signal) => rollUp(database, clock.now(), signal), {
    cron: '*/5 * * * *',
  });
  jobs.define(
    'performance.watch',
    async (_payload, signal) => {
      await watchForAnomalies(database, log, clock.now(), signal);
      await summaries.run(signal);
    },
    { cron: '* * * * *', retryLimit: 0 },
  );
  jobs.define(
    'performance.keep',
    async (_payload, signal) => {
      const keptDays = config.metricsRetentionDays;
      // Minutes are not dropped before they are merged.
      await rollUp(database, clock.now(), signal);
      await keepSeries(database, clock.now(), keptDays, signal);
      await keepReported(database, clock.now(), keptDays, signal);
      await keepFindings(database, clock.now(), keptDays, signal);
    },
    { cron: '27 * * * *' },
  );
}
