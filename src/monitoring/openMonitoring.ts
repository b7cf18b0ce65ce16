import type { AuditTrail } from '../audit/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { ConnectionTestResult } from '../integrations/types.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { RateLimitStoreState } from '../rateLimits/types.ts';
import type { Database } from '../store/database.ts';
import { Dashboards } from './dashboards/dashboards.ts';
import { HealthMonitor } from './health/healthMonitor.ts';
import { IntegrationProbes } from './health/integrationProbes.ts';
import { LoopDelay } from './metrics/loopDelay.ts';
import { MetricSources } from './metrics/metricSources.ts';
import { PerformanceMetrics } from './metrics/performanceMetrics.ts';
import { SystemMetrics } from './metrics/systemMetrics.ts';
import { deleteOldSystemMinutes, SystemRecorder } from './metrics/systemRecorder.ts';
import { tableMetricSource } from './metrics/tableMetricSource.ts';
import { MonitoringService } from './monitoringService.ts';

interface Parts {
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly dataDir: string;
  /** False: nothing is sampled and no integration is probed by itself. */
  readonly enabled: boolean;
  readonly rateLimits: () => RateLimitStoreState;
  readonly test: (integrationId: string) => Promise<ConnectionTestResult | null>;
}

export interface Monitoring {
  readonly service: MonitoringService;
  /** What alert rules ask. */
  readonly metrics: MetricSources;
  /** Begins to look at the health of this process, to sample it and to probe integrations. */
  start(): void;
  close(): Promise<void>;
}

export function openMonitoring(parts: Parts): Monitoring {
  const { database, audit, jobs, clock, log, dataDir, enabled, rateLimits, test } = parts;
  const loopDelay = new LoopDelay();
  const system = new SystemRecorder({ database, clock, log, dataDir, loopDelay });
  const probes = new IntegrationProbes({ database, clock, log, test });
  const health = new HealthMonitor({ database, clock, system, loopDelay, rateLimits, alerting: enabled });
  const metrics = new MetricSources(
    [new PerformanceMetrics(database), new SystemMetrics(database)],
    [tableMetricSource(database)],
  );
  jobs.define('monitoring.keep', (_payload, signal) => deleteOldSystemMinutes(database, clock.now(), signal), {
    cron: '37 * * * *',
  });
  return {
    metrics,
    service: new MonitoringService({
      database,
      clock,
      metrics,
      health,
      dashboards: new Dashboards(database, audit),
    }),
    start: () => {
      health.start();
      if (!enabled) return;
      system.start();
      probes.start();
    },
    close: async () => {
      await Promise.all([health.close(), system.close(), probes.close()]);
      loopDelay.close();
    },
  };
}
