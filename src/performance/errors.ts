import { AppError } from '../core/errors.ts';

/** PERFORMANCE_MONITORING_ENABLED is false: nothing is recorded, and so nothing was kept of what was reported. */
export class PerformanceMonitoringOffError extends AppError {
  readonly code = 'PERFORMANCE_MONITORING_OFF';
}
