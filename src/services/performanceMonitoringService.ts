import { lazyService } from '../core/lazy.ts';
import { defaultApp, openedDefaultApp } from '../defaultApp.ts';
import type { PerformanceMonitoringService } from '../performance/performanceMonitoringService.ts';

type Service = Omit<PerformanceMonitoringService, 'close' | 'summaries'>;

const asynchronous = lazyService(async () => (await defaultApp()).performanceMonitoringService);

/** How integrations perform. Importing opens nothing; the first call opens the default app. */
export const performanceMonitoringService: Service = {
  recordMetrics: (...args) => asynchronous.recordMetrics(...args),
  analyzeIntegrationPerformance: (...args) => asynchronous.analyzeIntegrationPerformance(...args),
  getHistoricalPerformanceData(integrationId) {
    const opened = openedDefaultApp();
    if (opened !== null) return opened.performanceMonitoringService.getHistoricalPerformanceData(integrationId);
    // What cannot be opened is told by the next call that can wait.
    void defaultApp().then(
      (app) => app.performanceMonitoringService.getHistoricalPerformanceData(integrationId),
      () => {},
    );
    return undefined;
  },
  readHistoricalPerformanceData: (...args) => asynchronous.readHistoricalPerformanceData(...args),
  getGlobalPerformanceReport: (...args) => asynchronous.getGlobalPerformanceReport(...args),
  getPerformanceSummary: (...args) => asynchronous.getPerformanceSummary(...args),
  optimizeIntegrationPerformance: (...args) => asynchronous.optimizeIntegrationPerformance(...args),
};

export type { PerformanceAnalysis } from '../performance/analysis/performanceAnalyzer.ts';
export type { PerformanceMetrics } from '../performance/analysis/performanceMetrics.ts';
export type { PerformanceData, PerformancePoint } from '../performance/history.ts';
export type { PerformanceConfig } from '../performance/performanceConfig.ts';
export type { ReportedMetrics } from '../performance/reported/reportedMetrics.ts';
export type { GlobalPerformanceReport, PerformanceSummary } from '../performance/summaries/globalReport.ts';
export type { OptimizationResult } from '../performance/tuning/types.ts';
