import { type Histogram, RELATIVE_ERROR } from '../histogram.ts';
import type { ReportedTotals } from '../reported/reportedQueries.ts';
import { PHASES, type Phase } from '../types.ts';
import { type MeasuredTotals, type MeasuredWindow, totalsOf } from './measuredWindow.ts';

/** How far a percentile may be from the true one, in percent of it: 1.083. */
export const ERROR_BOUND_PERCENT = Math.round(RELATIVE_ERROR * 100_000) / 1_000;

/** ISO 8601; `until` is exclusive. */
export interface PerformanceWindow {
  readonly from: string;
  readonly until: string;
}

/** Milliseconds. */
interface Percentiles {
  readonly count: number;
  readonly average: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A part of the calls: those of one operation, or of one outcome. */
interface PartMetrics {
  readonly requests: number;
  readonly errorRate: number;
  readonly avgResponseTime: number;
  readonly p95ResponseTime: number | null;
}

/** Rates are percentages, times milliseconds; null is what is not known. */
export interface PerformanceMetrics {
  /** Measured at the calls made here, or told by a caller of `recordMetrics`. */
  readonly source: 'measured' | 'reported';
  readonly totalRequests: number;
  readonly successfulRequests: number | null;
  readonly failedRequests: number | null;
  readonly successRate: number | null;
  readonly errorRate: number | null;
  readonly avgResponseTime: number | null;
  /** Measured: within the error bound. Reported: the largest that was reported. */
  readonly p50ResponseTime: number | null;
  readonly p95ResponseTime: number | null;
  readonly p99ResponseTime: number | null;
  /** Requests a second, over the whole window. */
  readonly throughput: number;
  readonly responseBytes: number;
  /** Where the time goes. Empty for what was reported, as the two below. */
  readonly phases: Readonly<Partial<Record<Phase, Percentiles>>>;
  readonly operations: Readonly<Record<string, PartMetrics>>;
  readonly outcomes: Readonly<Record<string, PartMetrics>>;
  readonly resourceUtilization: ResourceUtilization | null;
}

interface ResourceUtilization {
  /** Calls under way at a time, in the mean. */
  readonly concurrency: number;
  /** Bytes a second received. */
  readonly bandwidth: number;
  /** Percent of the time of calls that was spent waiting for the rate budget, and for a slot of the host. */
  readonly rateLimitWaitShare: number;
  readonly queueWaitShare: number;
}

export function measuredMetrics(window: MeasuredWindow): PerformanceMetrics | null {
  const totals = totalsOf(window.buckets);
  const { calls, failed } = totals;
  if (calls === 0) return null;
  const seconds = (window.untilMs - window.fromMs) / 1_000;
  const total = totals.phases.get('total');
  const split = (by: 'operation' | 'outcome') =>
    Object.fromEntries(
      [...Map.groupBy(window.buckets, (bucket) => bucket[by])]
        .map(([name, buckets]) => [name, partOf(totalsOf(buckets))] as const)
        .filter(([, part]) => part.requests > 0)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  return {
    source: 'measured',
    totalRequests: calls,
    successfulRequests: calls - failed,
    failedRequests: failed,
    successRate: (100 * (calls - failed)) / calls,
    errorRate: (100 * failed) / calls,
    avgResponseTime: totals.totalMs / calls,
    p50ResponseTime: total?.quantile(0.5) ?? null,
    p95ResponseTime: total?.quantile(0.95) ?? null,
    p99ResponseTime: total?.quantile(0.99) ?? null,
    throughput: calls / seconds,
    responseBytes: totals.responseBytes,
    phases: phasesOf(totals),
    operations: split('operation'),
    outcomes: split('outcome'),
    resourceUtilization: utilizationOf(totals, seconds),
  };
}

export function reportedMetrics(totals: ReportedTotals, fromMs: number, untilMs: number): PerformanceMetrics {
  const { requests, ratedWeight, failedWeight, succeededWeight, timedWeight, timedMs } = totals;
  const isRated = ratedWeight > 0;
  return {
    source: 'reported',
    totalRequests: requests,
    successfulRequests: isRated ? Math.round((requests * succeededWeight) / ratedWeight) : null,
    failedRequests: isRated ? Math.round((requests * failedWeight) / ratedWeight) : null,
    successRate: isRated ? (100 * succeededWeight) / ratedWeight : null,
    errorRate: isRated ? (100 * failedWeight) / ratedWeight : null,
    avgResponseTime: timedWeight > 0 ? timedMs / timedWeight : null,
    p50ResponseTime: totals.p50Ms,
    p95ResponseTime: totals.p95Ms,
    p99ResponseTime: totals.p99Ms,
    throughput: (1_000 * requests) / (untilMs - fromMs),
    responseBytes: totals.responseBytes,
    phases: {},
    operations: {},
    outcomes: {},
    resourceUtilization: null,
  };
}

function percentilesOf(histogram: Histogram): Percentiles {
  return {
    count: histogram.count,
    average: histogram.sum / histogram.count,
    p50: histogram.quantile(0.5)!,
    p95: histogram.quantile(0.95)!,
    p99: histogram.quantile(0.99)!,
    max: histogram.max,
  };
}

function phasesOf({ phases }: MeasuredTotals): Partial<Record<Phase, Percentiles>> {
  const found = PHASES.flatMap((phase) => {
    const histogram = phases.get(phase);
    return histogram === undefined || histogram.count === 0 ? [] : [[phase, percentilesOf(histogram)] as const];
  });
  return Object.fromEntries(found);
}

function partOf({ calls, failed, totalMs, phases }: MeasuredTotals): PartMetrics {
  return {
    requests: calls,
    errorRate: (100 * failed) / calls,
    avgResponseTime: totalMs / calls,
    p95ResponseTime: phases.get('total')?.quantile(0.95) ?? null,
  };
}

/** Concurrency by Little's law: time spent in calls, by the time that passed. */
function utilizationOf({ totalMs, responseBytes, phases }: MeasuredTotals, seconds: number): ResourceUtilization {
  const rateLimit = phases.get('rate_limit')?.sum ?? 0;
  const queue = phases.get('queue')?.sum ?? 0;
  const all = totalMs + rateLimit + queue;
  return {
    concurrency: totalMs / 1_000 / seconds,
    bandwidth: responseBytes / seconds,
    rateLimitWaitShare: all === 0 ? 0 : (100 * rateLimit) / all,
    queueWaitShare: all === 0 ? 0 : (100 * queue) / all,
  };
}
