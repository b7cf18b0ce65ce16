import { lazyService } from '../core/lazy.ts';
import { defaultApp } from '../defaultApp.ts';
import type { MonitoringService } from '../monitoring/monitoringService.ts';

const asynchronous = lazyService(async () => (await defaultApp()).monitoringService);

/** Health, metrics and alerts. Importing opens nothing; the first call opens the default app. */
export const monitoringService: Pick<
  MonitoringService,
  'getHealth' | 'getIntegrationsHealth' | 'queryMetrics' | 'getAlerts' | 'getAlertHistory'
> = {
  getHealth: (...args) => asynchronous.getHealth(...args),
  getIntegrationsHealth: (...args) => asynchronous.getIntegrationsHealth(...args),
  queryMetrics: (...args) => asynchronous.queryMetrics(...args),
  getAlerts: (...args) => asynchronous.getAlerts(...args),
  getAlertHistory: (...args) => asynchronous.getAlertHistory(...args),
};

export type { AlertHistoryFilter, PastChange } from '../monitoring/alerts/alertHistory.ts';
export type { AlertFilter, ListedAlert } from '../monitoring/alerts/alertList.ts';
export type { HealthReport } from '../monitoring/health/healthMonitor.ts';
export type { MetricQueryInput } from '../monitoring/metrics/metricQuery.ts';
export type { MetricAnswer } from '../monitoring/metrics/metricSources.ts';
export type { IntegrationsHealth } from '../monitoring/monitoringService.ts';
