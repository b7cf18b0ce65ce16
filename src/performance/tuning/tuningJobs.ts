import { actAs } from '../../audit/acting.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import type { PerformanceOptimizer } from './performanceOptimizer.ts';

const JOB = 'performance.reviewExperiments';
const REVIEW = { actor: { kind: 'system', id: JOB } } as const;

/** Has experiments decided every minute, also when the process that ran their syncs has died. */
export function defineTuningJobs(jobs: Jobs, optimizer: PerformanceOptimizer): void {
  jobs.define(JOB, (_payload, signal) => actAs(REVIEW, () => optimizer.reviewAll(signal)), { cron: '* * * * *' });
}

/** Has an experiment looked at as soon as a run of its integration has ended: one that does harm ends there. */
export function reviewAfterRun(optimizer: PerformanceOptimizer, log: Log) {
  return async ({ integrationId }: { readonly integrationId: string }): Promise<void> => {
    await actAs(REVIEW, () => optimizer.review(integrationId)).catch((error: unknown) =>
      log.warn('An experiment could not be looked at; it is tried again within a minute', {
        integrationId,
        reason: errorMessage(error),
      }),
    );
  };
}
