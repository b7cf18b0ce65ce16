import type { AuditTrail } from '../audit/types.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { CredentialStore } from '../credentials/credentialStore.ts';
import type { ConnectionTestResult } from '../integrations/types.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { RateLimitStoreState } from '../rateLimits/types.ts';
import type { Database } from '../store/database.ts';
import { Alerts } from './alerts/alerts.ts';
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
import { NotificationService } from './notifications/notificationService.ts';

interface Parts {
  readonly config: Config;
  readonly database: Database;
  readonly credentials: CredentialStore;
  readonly audit: AuditTrail;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly rateLimits: () => RateLimitStoreState;
  readonly test: (integrationId: string) => Promise<ConnectionTestResult | null>;
}

export interface Monitoring {
  readonly service: MonitoringService;
  readonly alerts: Alerts;
  readonly notifications: NotificationService;
  /**
   * Begins to look at the health of this process, and, unless that is switched off, to sample it, to probe
   * integrations, to evaluate rules and to tell of alerts.
   */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function openMonitoring(parts: Parts): Monitoring {
  const { config, database, audit, jobs, clock, log, rateLimits, test } = parts;
  const { dataDir, monitoringEnabled: enabled } = config;
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
  const notifications = new NotificationService({
    ...parts,
    publicUrl: config.publicUrl,
    allowedPrivateHosts: config.allowedPrivateHosts,
    mail: config.mail,
  });
  const alerts = new Alerts({ database, audit, source: metrics, clock, log, changed: () => notifications.wake() });
  return {
    alerts,
    notifications,
    service: new MonitoringService({
      database,
      clock,
      metrics,
      health,
      dashboards: new Dashboards(database, audit),
    }),
    start: async () => {
      health.start();
      if (!enabled) return;
      system.start();
      probes.start();
      await alerts.start();
      notifications.start();
    },
    close: async () => {
      await alerts.close();
      await notifications.close();
      await Promise.all([health.close(), system.close(), probes.close()]);
      loopDelay.close();
    },
  };
}
