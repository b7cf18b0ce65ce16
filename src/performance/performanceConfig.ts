import { z } from 'zod';
import { parseInput } from '../core/input.ts';

/** What performance is judged by, and how long measurements are kept. */
export interface PerformanceConfig {
  /** Days that hourly measurements, reports and anomalies are kept, 1 to 365; minutes are kept for two, days for 400. Default 30. */
  readonly metricsRetentionDays: number;
  readonly alertThresholds: {
    /** Milliseconds that the 95th percentile is held against. Default 5000. */
    readonly responseTime: number;
    /** Percent of calls that may fail. Default 5. */
    readonly errorRate: number;
    /** Percent of calls that have to succeed. Default 95. Of this and `errorRate`, the stricter one counts. */
    readonly successRate: number;
  };
}

/** The fields that differ from the defaults. */
export type PerformanceOptions = Partial<Omit<PerformanceConfig, 'alertThresholds'>> & {
  readonly alertThresholds?: Partial<PerformanceConfig['alertThresholds']>;
};

const percent = z.number().gt(0).max(100);

const schema = z.strictObject({
  metricsRetentionDays: z.int().min(1).max(365).default(30),
  alertThresholds: z
    .strictObject({
      responseTime: z.number().positive().max(86_400_000).default(5_000),
      errorRate: percent.default(5),
      successRate: z.number().min(0).lt(100).default(95),
    })
    .prefault({}),
});

/** @throws InvalidInputError with every problem */
export function makePerformanceConfig(options: PerformanceOptions = {}): PerformanceConfig {
  return parseInput(schema, options, 'The configuration of performance monitoring');
}

/** Percent of calls that may fail before it is too many, by the stricter of both thresholds. */
export function errorThreshold({ alertThresholds }: PerformanceConfig): number {
  return Math.min(alertThresholds.errorRate, 100 - alertThresholds.successRate);
}
