import { lazyService } from '../core/lazy.ts';
import { defaultApp } from '../defaultApp.ts';
import type { MonitoringService } from '../monitoring/monitoringService.ts';

const asynchronous = lazyService(async () => (await defaultApp()).monitoringService);

/** Health and metrics. Importing opens nothing; the first call opens the default app. */
export const monitoringService: Pick<MonitoringService, 'getHealth' | 'getIntegrationsHealth' | 'queryMetrics'> = {
  getHealth: (...args) => asynchronous.getHealth(...args),
  getIntegrationsHealth: (...args) => asynchronous.getIntegrationsHealth(...args),
  queryMetrics: (...args) => asynchronous.queryMetrics(...args),
};

export type { HealthReport } from '../monitoring/health/healthMonitor.ts';
export type { MetricQueryInput } from '../monitoring/metrics/metricQuery.ts';
export type { MetricAnswer } from '../monitoring/metrics/metricSources.ts';
export type { IntegrationsHealth } from '../monitoring/monitoringService.ts';
