import type { Changes } from './changePoints.ts';
import type { SampleWindow, Trend } from './trend.ts';

/** Calls below which rates and percentiles say too little for a score. */
const SCORE_MIN_CALLS = 30;
/** Alarms that the detector gives among a thousand points of mere noise; more than these count. */
const USUAL_ALARMS_PER_1000 = 2;
const WORST_ALARMS_PER_1000 = 10;
const WORST_THROTTLED_SHARE = 0.1;

/** What was measured of one integration in one window. Percentages lie between 0 and 100. */
export interface PerformanceFacts {
  readonly window: SampleWindow;
  readonly calls: number;
  readonly failedCalls: number;
  /** Calls that the provider refused for their rate; null where that is not known. */
  readonly throttledCalls: number | null;
  /** Within the histogram's error; null without any duration. */
  readonly p95Ms: number | null;
  /** What `p95Ms` is, where it is not measured. */
  readonly latencySeries?: string;
  /** Of the hourly 95th percentiles. */
  readonly trend: Trend;
  readonly changes: Changes;
  /** Points that the detectors judged, and alarms they gave; null while they learn. */
  readonly anomalies: { readonly points: number; readonly alarms: number } | null;
}

export interface PerformanceThresholds {
  /** Milliseconds; the 95th percentile is held against it. */
  readonly responseTime: number;
  /** Percent of calls. */
  readonly errorRate: number;
}

export type ScorePartName = 'errors' | 'latency' | 'throttling' | 'steadiness' | 'anomalies';

/** What a statement rests on. */
export interface Evidence {
  readonly series: string;
  readonly window: SampleWindow;
  readonly value: number;
  /** What the value is held against: a threshold or the time before. */
  readonly baseline: number;
  readonly pValue: number | null;
}

export interface ScorePart {
  readonly name: ScorePartName;
  /** Points of a hundred that this part can give. */
  readonly weight: number;
  /** How much of them it gives, between 0 and 1. */
  readonly share: number;
  readonly evidence: Evidence;
}

export type OverallScore =
  | { readonly verdict: 'not enough data'; readonly samples: number; readonly needed: number }
  | { readonly verdict: 'scored'; readonly overallScore: number; readonly parts: readonly ScorePart[] };

/**
 * A score between 0 and 100: the weighted mean of what is known.
 *
 * | part       | weight | whole at                       | half at             | nothing at               |
 * | ---------- | ------ | ------------------------------ | ------------------- | ------------------------ |
 * | errors     | 40     | no failed call                 | the threshold       | twice the threshold      |
 * | latency    | 30     | p95 at half the threshold      | the threshold       | 1.5 times the threshold  |
 * | throttling | 10     | no call refused for its rate   | 5 %                 | 10 % of calls            |
 * | steadiness | 10     | hourly p95 not above before    | 1.5 times           | twice what it was before |
 * | anomalies  | 10     | 2 alarms in a thousand points  | 6                   | 10                       |
 *
 * Between these it is linear. Steadiness compares the stretches around the last change point, and is left out while
 * there are too few hours; anomalies are left out while the detector learns; the weights of the others then make the
 * hundred. Without 30 calls, or without any duration, there is no score. Rounded to one decimal.
 */
export function scorePerformance(facts: PerformanceFacts, thresholds: PerformanceThresholds): OverallScore {
  const { calls, p95Ms } = facts;
  if (calls < SCORE_MIN_CALLS || p95Ms === null)
    return { verdict: 'not enough data', samples: calls, needed: SCORE_MIN_CALLS };
  const parts = [
    scoreErrors(facts, thresholds),
    scoreLatency(facts, p95Ms, thresholds),
    scoreThrottling(facts),
    scoreSteadiness(facts),
    scoreAnomalies(facts),
  ].filter((part) => part !== null);
  return { verdict: 'scored', overallScore: round(100 * meanOf(parts)), parts };
}

/** How many points the score would gain if this part were whole. */
export function pointsToGain(parts: readonly ScorePart[], name: ScorePartName): number {
  const healed = parts.map((part) => (part.name === name ? { ...part, share: 1 } : part));
  return round(100 * (meanOf(healed) - meanOf(parts)));
}

function scoreErrors(facts: PerformanceFacts, { errorRate }: PerformanceThresholds): ScorePart {
  const value = (100 * facts.failedCalls) / facts.calls;
  const evidence = { series: 'error rate, %', window: facts.window, value, baseline: errorRate, pValue: null };
  return { name: 'errors', weight: 40, share: falling(value, 0, 2 * errorRate), evidence };
}

function scoreLatency(facts: PerformanceFacts, value: number, { responseTime }: PerformanceThresholds): ScorePart {
  const series = facts.latencySeries ?? 'p95, ms';
  const evidence = { series, window: facts.window, value, baseline: responseTime, pValue: null };
  return { name: 'latency', weight: 30, share: falling(value, responseTime / 2, 1.5 * responseTime), evidence };
}

function scoreThrottling(facts: PerformanceFacts): ScorePart | null {
  if (facts.throttledCalls === null) return null;
  const share = facts.throttledCalls / facts.calls;
  const series = 'calls refused for their rate, %';
  const evidence = { series, window: facts.window, value: 100 * share, baseline: 0, pValue: null };
  return { name: 'throttling', weight: 10, share: falling(share, 0, WORST_THROTTLED_SHARE), evidence };
}

function scoreSteadiness({ changes }: PerformanceFacts): ScorePart | null {
  if (changes.verdict === 'not enough data') return null;
  const last = changes.changes.at(-1);
  const series = 'hourly p95, ms';
  // Nothing changed: the stretch is its own baseline.
  if (last === undefined || last.baseline <= 0) {
    const evidence = { series, window: changes.window, value: 1, baseline: 1, pValue: null };
    return { name: 'steadiness', weight: 10, share: 1, evidence: { ...evidence, series: 'hourly p95, times before' } };
  }
  const { value, baseline, after: window, pValue } = last;
  const evidence = { series, window, value, baseline, pValue };
  return { name: 'steadiness', weight: 10, share: falling(value / baseline, 1, 2), evidence };
}

function scoreAnomalies({ anomalies, window }: PerformanceFacts): ScorePart | null {
  if (anomalies === null || anomalies.points === 0) return null;
  const value = (1_000 * anomalies.alarms) / anomalies.points;
  const series = 'alarms in a thousand points';
  const evidence = { series, window, value, baseline: USUAL_ALARMS_PER_1000, pValue: null };
  return {
    name: 'anomalies',
    weight: 10,
    share: falling(value, USUAL_ALARMS_PER_1000, WORST_ALARMS_PER_1000),
    evidence,
  };
}

/** 1 up to `whole`, 0 from `nothing` on, linear between. */
function falling(value: number, whole: number, nothing: number): number {
  if (value <= whole) return 1;
  return value >= nothing ? 0 : (nothing - value) / (nothing - whole);
}

function meanOf(parts: readonly ScorePart[]): number {
  const weights = parts.reduce((sum, part) => sum + part.weight, 0);
  return parts.reduce((sum, part) => sum + part.weight * part.share, 0) / weights;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
