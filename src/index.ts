export { type App, type AppOptions, openApp as createIntegrationServices } from './app.ts';
export { type Config, makeConfig } from './config/config.ts';
export { readEnvironment } from './config/env.ts';
export { ConfigurationError } from './config/errors.ts';
export { AbortedError, AppError, ConflictError, InvalidInputError, UnavailableError } from './core/errors.ts';
export {
  ConnectionFailedError,
  IntegrationDisconnectedError,
  IntegrationNotFoundError,
  WebhookNotFoundError,
} from './integrations/errors.ts';
export type * from './integrations/types.ts';
export type { IntegrationLog, LogLevel, LogOptions, LogPage } from './logging/types.ts';
export type { PerformanceAnalysis } from './performance/analysis/performanceAnalyzer.ts';
export type { PerformanceMetrics } from './performance/analysis/performanceMetrics.ts';
export {
  type AnomalyDetector,
  type AnomalyDetectorOptions,
  type AnomalyEvidence,
  createAnomalyDetector,
} from './performance/anomaly/anomalyDetector.ts';
export type { PerformanceData, PerformancePoint } from './performance/history.ts';
export type { PerformanceConfig, PerformanceOptions } from './performance/performanceConfig.ts';
export type { ReportedMetrics } from './performance/reported/reportedMetrics.ts';
export type {
  GlobalPerformanceReport,
  PerformanceSummary,
  RankedIntegration,
} from './performance/summaries/globalReport.ts';
export type {
  Experiment,
  OptimizationResult,
  PeriodMeasures,
  Tuning,
  TuningChange,
  TuningSettings,
} from './performance/tuning/types.ts';
export type {
  AdditionalRateLimit,
  RateLimitConfig,
  RateLimitRule,
  RateLimitStats,
} from './rateLimits/types.ts';
export { advancedSecurityService } from './services/advancedSecurityService.ts';
export { comprehensiveLoggingService } from './services/comprehensiveLoggingService.ts';
export { CredentialEncryption } from './services/credentialEncryption.ts';
export { integrationService } from './services/integrationService.ts';
export { monitoringService } from './services/monitoringService.ts';
export { performanceMonitoringService } from './services/performanceMonitoringService.ts';
export { rateLimitingService } from './services/rateLimitingService.ts';
export type * from './sync/types.ts';
