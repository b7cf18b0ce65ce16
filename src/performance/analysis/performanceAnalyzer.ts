import type { Clock } from '../../core/clock.ts';
import type { Database } from '../../store/database.ts';
import type { Histogram } from '../histogram.ts';
import { findInsights, type Insight, type Recommendation, recommend } from '../insights.ts';
import { errorThreshold, type PerformanceConfig } from '../performanceConfig.ts';
import { type ReportedTotals, readReported } from '../reported/reportedQueries.ts';
import { type OverallScore, type PerformanceFacts, type ScorePart, scorePerformance } from '../score.ts';
import { countJudged, type FoundAnomaly, listAnomalies } from '../watch/anomalyQueries.ts';
import { type Degradation, findDegradation } from './degradation.ts';
import { type MeasuredTotals, readWindow, totalsOf } from './measuredWindow.ts';
import {
  ERROR_BOUND_PERCENT,
  measuredMetrics,
  type PerformanceMetrics,
  type PerformanceWindow,
  reportedMetrics,
} from './performanceMetrics.ts';
import type { PerformanceStatistics } from './statistics.ts';
import type { DatedStatistics, StatisticsCache } from './statisticsCache.ts';

const WINDOW_MS = 24 * 3_600_000;
const ANOMALY_DAYS = 7;
const MOST_ANOMALIES = 50;
const PROBATION_POINTS = 100;
/** Fewer points judged say little about how often alarms come. */
const LEAST_JUDGED = 200;

/** What is known of one integration's performance. */
export interface PerformanceAnalysis {
  readonly integrationId: string;
  /** `off`: PERFORMANCE_MONITORING_ENABLED is false, and nothing is recorded. */
  readonly monitoring: 'on' | 'off';
  readonly verdict: 'scored' | 'not enough data';
  /** Between 0 and 100, as docs/performance.md computes it; null when there is not enough data. */
  readonly overallScore: number | null;
  /** What the score rests on: calls measured here, or else what was reported; null when there is neither. */
  readonly source: 'measured' | 'reported' | null;
  /** Calls known, and how many a score needs. */
  readonly samples: { readonly have: number; readonly needed: number };
  readonly scoreParts: readonly ScorePart[];
  readonly insights: readonly Insight[];
  readonly recommendations: readonly Recommendation[];
  readonly trends: Pick<PerformanceStatistics, 'trend' | 'seasonal'> & {
    readonly changes: PerformanceStatistics['p95'];
  };
  /** Of the last seven days, newest first, at most 50. */
  readonly anomalies: readonly FoundAnomaly[];
  readonly degradation: Degradation;
  /** Of `source`; null when nothing is known. */
  readonly metrics: PerformanceMetrics | null;
  /** What was reported, also where calls are measured as well. */
  readonly reported: PerformanceMetrics | null;
  readonly window: PerformanceWindow;
  /** A measured percentile is at most this far from the true one, in percent of it. */
  readonly errorBound: number;
}

/** An analysis, and what a summary keeps of it. */
export interface Findings {
  readonly analysis: PerformanceAnalysis;
  readonly totals: MeasuredTotals;
  readonly total: Histogram | null;
  readonly reportedTotals: ReportedTotals | null;
  readonly reportedScore: OverallScore | null;
  readonly statistics: DatedStatistics;
  readonly alarms: number;
}

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly statistics: StatisticsCache;
  readonly config: PerformanceConfig;
  readonly monitoring: 'on' | 'off';
}

export interface AnalyzeOptions {
  /** How old trend and change points may be. Default: the last full hour is in them. */
  readonly statisticsAgeMs?: number;
  /** Reads response times without the phases they are made of. Default true. */
  readonly phases?: boolean;
}

/** Puts together what is measured and reported of one integration. */
export class PerformanceAnalyzer {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** @throws UnavailableError */
  async analyze(integrationId: string, options: AnalyzeOptions = {}): Promise<Findings> {
    const { database, clock, monitoring } = this.#deps;
    const untilMs = clock.now();
    const phase = options.phases === false ? 'total' : undefined;
    const [window, reportedTotals, judged, anomalies, statistics] = await Promise.all([
      readWindow(database, integrationId, untilMs - WINDOW_MS, untilMs, phase),
      readReported(database, integrationId, untilMs - WINDOW_MS, untilMs),
      countJudged(database, integrationId, untilMs - WINDOW_MS),
      listAnomalies(database, integrationId, untilMs - ANOMALY_DAYS * 86_400_000, MOST_ANOMALIES),
      this.#deps.statistics.get(integrationId, options.statisticsAgeMs),
    ]);
    const measured = measuredMetrics(window);
    const reported = reportedTotals && reportedMetrics(reportedTotals, window.fromMs, untilMs);
    const totals = totalsOf(window.buckets);
    const total = totals.phases.get('total') ?? null;
    const { trend, p95: changes, seasonal } = statistics.statistics;
    const span = { fromMs: window.fromMs, untilMs };
    const facts: PerformanceFacts | null = measured && {
      window: { ...span, samples: totals.calls },
      calls: totals.calls,
      failedCalls: totals.failed,
      throttledCalls: totals.throttled,
      p95Ms: measured.p95ResponseTime,
      trend,
      changes,
      anomalies: judgedAnomalies(judged),
    };
    const factsOfReport = reported && reportedFacts(reported, span);
    const used = facts ?? factsOfReport;
    const score = used && this.#score(used);
    const isScored = score?.verdict === 'scored';
    const insights = used === null || score === null ? [] : findInsights(used, score);
    const analysis: PerformanceAnalysis = {
      integrationId,
      monitoring,
      verdict: isScored ? 'scored' : 'not enough data',
      overallScore: isScored ? score.overallScore : null,
      source: measured?.source ?? reported?.source ?? null,
      samples: { have: used?.calls ?? 0, needed: 30 },
      scoreParts: isScored ? score.parts : [],
      insights,
      recommendations: score === null ? [] : recommend(integrationId, score, measured?.source ?? reported?.source),
      trends: { trend, changes, seasonal },
      anomalies,
      degradation: findDegradation(statistics.statistics),
      metrics: measured ?? reported,
      reported,
      window: { from: new Date(window.fromMs).toISOString(), until: new Date(untilMs).toISOString() },
      errorBound: ERROR_BOUND_PERCENT,
    };
    const reportedScore = factsOfReport && this.#score(factsOfReport);
    return { analysis, totals, total, reportedTotals, reportedScore, statistics, alarms: judged.alarms };
  }

  #score(facts: PerformanceFacts): OverallScore {
    const { config } = this.#deps;
    return scorePerformance(facts, {
      responseTime: config.alertThresholds.responseTime,
      errorRate: errorThreshold(config),
    });
  }
}

function judgedAnomalies({ fed, minutes, alarms }: { fed: number; minutes: number; alarms: number }) {
  // Two series are judged each minute.
  const points = 2 * Math.min(minutes, Math.max(0, fed - PROBATION_POINTS));
  return points < LEAST_JUDGED ? null : { points, alarms };
}

/** A caller's word on calls made elsewhere: no hours, no detector, and no refusals for the rate. */
function reportedFacts(
  { totalRequests, errorRate, p95ResponseTime, avgResponseTime }: PerformanceMetrics,
  span: { fromMs: number; untilMs: number },
): PerformanceFacts {
  const unknown = { verdict: 'not enough data', samples: 0, needed: 1 } as const;
  return {
    window: { ...span, samples: totalRequests },
    // Without a rate nothing can be said of errors, and so no score be given.
    calls: errorRate === null ? 0 : totalRequests,
    failedCalls: ((errorRate ?? 0) * totalRequests) / 100,
    throttledCalls: null,
    p95Ms: p95ResponseTime ?? avgResponseTime,
    latencySeries: p95ResponseTime === null ? 'reported mean response time, ms' : 'reported p95, ms',
    trend: unknown,
    changes: unknown,
    anomalies: null,
  };
}
