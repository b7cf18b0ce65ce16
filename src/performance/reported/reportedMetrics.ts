import { z } from 'zod';
import type { InputProblem } from '../../core/errors.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { IntegrationMetrics } from '../../integrations/types.ts';

/** What a caller may report: of the metrics of an integration, those about calls. Null is the same as nothing. */
export type ReportedMetrics = {
  readonly [Name in
    | 'totalRequests'
    | 'successfulRequests'
    | 'failedRequests'
    | 'successRate'
    | 'errorRate'
    | 'avgResponseTime'
    | 'p50ResponseTime'
    | 'p95ResponseTime'
    | 'p99ResponseTime'
    | 'responseBytes']?: IntegrationMetrics[Name] | null;
};

/** One report, as it is added up: what was given by share is weighed by its requests. */
export interface ReportSums {
  readonly requests: number;
  /** Requests, or 1 where the report tells none, that the rates are about; 0 without rates. */
  readonly ratedWeight: number;
  readonly failedWeight: number;
  readonly succeededWeight: number;
  readonly timedWeight: number;
  readonly timedMs: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly responseBytes: number;
}

const MOST_REQUESTS = 1e12;
/** Percentages are often rounded before they are reported. */
const ROUNDING_PERCENT = 1;

const count = z.int().min(0).max(MOST_REQUESTS).nullish();
const percent = z.number().min(0).max(100).nullish();
const durationMs = z.number().min(0).max(86_400_000).nullish();

export const reportedMetricsSchema = z.strictObject({
  totalRequests: count,
  successfulRequests: count,
  failedRequests: count,
  successRate: percent.describe('Percent of the requests.'),
  errorRate: percent.describe('Percent of the requests.'),
  avgResponseTime: durationMs.describe('Milliseconds, as all response times.'),
  p50ResponseTime: durationMs,
  p95ResponseTime: durationMs,
  p99ResponseTime: durationMs,
  responseBytes: z.int().min(0).nullish(),
});

type Given = z.output<typeof reportedMetricsSchema>;

/** @throws InvalidInputError with every problem, such as rates that contradict each other or the counts */
export function parseReport(metrics: ReportedMetrics): ReportSums {
  const given = parseInput(reportedMetricsSchema, metrics, 'The report');
  const problems = contradictions(given);
  if (Object.values(given).every((value) => value === undefined || value === null))
    problems.push({ pointer: '', detail: 'It tells nothing.' });
  if (problems.length > 0) throw invalidInput('The report', problems);
  return sumsOf(given);
}

function sumsOf(given: Given): ReportSums {
  const { successfulRequests: succeeded, failedRequests: failed } = given;
  const requests = given.totalRequests ?? (succeeded ?? 0) + (failed ?? 0);
  const told = given.totalRequests ?? (isGiven(succeeded) && isGiven(failed) ? requests : null);
  const weight = told ?? 1;
  const errorRate = given.errorRate ?? ratio(failed, told) ?? rest(given.successRate ?? ratio(succeeded, told));
  const successRate = given.successRate ?? ratio(succeeded, told) ?? rest(errorRate);
  const isRated = isGiven(errorRate) && isGiven(successRate);
  return {
    requests,
    ratedWeight: isRated ? weight : 0,
    failedWeight: isRated ? (weight * errorRate) / 100 : 0,
    succeededWeight: isRated ? (weight * successRate) / 100 : 0,
    timedWeight: isGiven(given.avgResponseTime) ? weight : 0,
    timedMs: isGiven(given.avgResponseTime) ? weight * given.avgResponseTime : 0,
    p50Ms: given.p50ResponseTime ?? null,
    p95Ms: given.p95ResponseTime ?? null,
    p99Ms: given.p99ResponseTime ?? null,
    responseBytes: given.responseBytes ?? 0,
  };
}

function contradictions(given: Given): InputProblem[] {
  const { totalRequests: total, successfulRequests: succeeded, failedRequests: failed } = given;
  const problems: InputProblem[] = [];
  const claim = (holds: boolean, pointer: string, detail: string) => {
    if (!holds) problems.push({ pointer, detail });
  };
  if (isGiven(given.successRate) && isGiven(given.errorRate))
    claim(
      given.successRate + given.errorRate <= 100 + ROUNDING_PERCENT,
      '/errorRate',
      `is ${given.successRate + given.errorRate} % together with successRate; they cannot be more than 100 %.`,
    );
  if (isGiven(total))
    claim(
      (succeeded ?? 0) + (failed ?? 0) <= total,
      '/totalRequests',
      'is less than the successful and the failed requests together.',
    );
  for (const [name, part, rate] of [
    ['successRate', succeeded, given.successRate],
    ['errorRate', failed, given.errorRate],
  ] as const) {
    const counted = ratio(part, total);
    if (isGiven(counted) && isGiven(rate))
      claim(Math.abs(counted - rate) <= ROUNDING_PERCENT, `/${name}`, `is ${counted} % by the counts, not ${rate} %.`);
  }
  const percentiles = [given.p50ResponseTime, given.p95ResponseTime, given.p99ResponseTime].filter(isGiven);
  const rises = percentiles.every((value, at) => at === 0 || value >= percentiles[at - 1]!);
  claim(rises, '/p99ResponseTime', 'and the percentiles below it have to rise: p50 ≤ p95 ≤ p99.');
  return problems;
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

function ratio(part: number | null | undefined, whole: number | null | undefined): number | null {
  return isGiven(part) && isGiven(whole) && whole > 0 ? (100 * part) / whole : null;
}

function rest(rate: number | null): number | null {
  return rate === null ? null : 100 - rate;
}
