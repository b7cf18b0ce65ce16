import type { AuditTrail } from '../audit/types.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { AttemptLog } from '../outgoing/attemptLog.ts';
import type { Database } from '../store/database.ts';
import { makePerformanceConfig, type PerformanceOptions } from './performanceConfig.ts';
import { definePerformanceJobs } from './performanceJobs.ts';
import { PerformanceMonitoringService } from './performanceMonitoringService.ts';
import type { PerformanceRecorder } from './store/performanceRecorder.ts';
import type { ExperimentLimits } from './tuning/experimentLimits.ts';
import { PerformanceOptimizer, type Tuned } from './tuning/performanceOptimizer.ts';
import { defineTuningJobs, reviewAfterRun } from './tuning/tuningJobs.ts';

interface Parts {
  readonly config: Config;
  /** Retention and thresholds, where they differ from the configuration's. */
  readonly options: PerformanceOptions | undefined;
  readonly experimentLimits: Partial<ExperimentLimits> | undefined;
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly attempts: AttemptLog;
  readonly recorder: PerformanceRecorder;
  /** An integration, and its connector as it is configured. */
  readonly describe: (integrationId: string) => Promise<Tuned>;
}

/** What is made of measurements. */
export interface Performance {
  readonly optimizer: PerformanceOptimizer;
  readonly service: PerformanceMonitoringService;
  /** To be told of every sync run that has ended: an experiment that does harm ends there. */
  readonly reviewRun: (run: { readonly integrationId: string }) => Promise<void>;
}

export function openPerformance(parts: Parts): Performance {
  const { config, options, database, jobs, clock, log, attempts, recorder } = parts;
  const optimizer = new PerformanceOptimizer({
    ...parts,
    flush: async () => {
      await Promise.all([attempts.flush(), recorder.flush()]);
    },
    limits: parts.experimentLimits,
  });
  defineTuningJobs(jobs, optimizer);
  const performanceConfig = makePerformanceConfig({
    metricsRetentionDays: options?.metricsRetentionDays ?? config.performance.metricsRetentionDays,
    alertThresholds: { ...config.performance.alertThresholds, ...options?.alertThresholds },
  });
  const service = new PerformanceMonitoringService({
    database,
    clock,
    log,
    recorder,
    config: performanceConfig,
    enabled: config.performanceMonitoringEnabled,
    optimizer,
  });
  definePerformanceJobs({ jobs, database, clock, log, config: performanceConfig, summaries: service.summaries });
  return { optimizer, service, reviewRun: reviewAfterRun(optimizer, log) };
}
