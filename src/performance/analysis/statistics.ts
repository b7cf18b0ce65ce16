import { type Changes, findChangePoints } from '../changePoints.ts';
import { findTrend, type Sample, type Trend } from '../trend.ts';
import { withoutSeason } from './season.ts';

/** Hourly percentiles of one integration, in milliseconds. */
export interface HourlyPercentiles {
  readonly p95: readonly Sample[];
  readonly p99: readonly Sample[];
}

/** Of the hourly percentiles of up to 30 days. */
export interface PerformanceStatistics {
  readonly trend: Trend;
  readonly p95: Changes;
  readonly p99: Changes;
  /** The p95 had a daily course, which was taken out before trend and changes were sought. */
  readonly seasonal: boolean;
}

/** Pure, and too slow for the thread that serves requests: up to some tenths of a second for a month of hours. */
export function computeStatistics({ p95, p99 }: HourlyPercentiles): PerformanceStatistics {
  const of95 = withoutSeason(p95);
  return {
    trend: findTrend(of95.samples),
    p95: findChangePoints(of95.samples),
    p99: findChangePoints(withoutSeason(p99).samples),
    seasonal: of95.seasonal,
  };
}
