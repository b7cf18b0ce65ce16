import { type Evidence, type OverallScore, type PerformanceFacts, pointsToGain, type ScorePartName } from './score.ts';

/** Parts that give less than this are worth a word; less than half is critical. */
const WORTH_A_WORD = 0.9;

export interface Insight {
  readonly about: ScorePartName | 'trend';
  readonly severity: 'warning' | 'critical';
  readonly text: string;
  readonly evidence: Evidence;
}

export interface Recommendation {
  readonly text: string;
  readonly reason: string;
  readonly expectedEffect: string;
  /** The call that applies it, and the evidence behind it. */
  readonly call: string;
  readonly evidence: Evidence;
}

/** What the evidence of a part says, as a sentence without its end. */
const SAYS: Record<ScorePartName, (evidence: Evidence) => string> = {
  errors: ({ value, baseline }) => `${show(value)} % of the calls failed; the threshold is ${show(baseline)} %`,
  latency: ({ series, value, baseline }) =>
    `the ${LATENCIES[series] ?? series} is ${show(value)} ms; the threshold is ${show(baseline)} ms`,
  throttling: ({ value }) => `${show(value)} % of the calls were refused by the provider for coming too fast`,
  steadiness: ({ value, baseline }) =>
    `the hourly 95th percentile is ${show(value)} ms; before it was ${show(baseline)} ms`,
  anomalies: ({ value, baseline }) =>
    `${show(value)} of a thousand measured points are anomalies; up to ${show(baseline)} are usual`,
};

const LATENCIES: Record<string, string> = {
  'p95, ms': '95th percentile of response times',
  'reported p95, ms': 'reported 95th percentile of response times',
  'reported mean response time, ms': 'reported mean response time',
};

interface Advice {
  readonly text: string;
  readonly call: (id: string) => string;
}

const ADVICE: Record<ScorePartName, Advice> = {
  errors: {
    text: 'Test the connection, and read which class of error it gives.',
    call: (id) => `integrationService.testConnection(await integrationService.getIntegrationById(${id}))`,
  },
  latency: {
    text: 'Let page size, concurrency and timeouts be tried out within their bounds.',
    call: (id) => `performanceMonitoringService.optimizeIntegrationPerformance(${id})`,
  },
  throttling: {
    text: 'Lower the budget below what the provider grants.',
    call: (id) => `rateLimitingService.adjustRateLimit(${id}, "api_call", { maxRequests: … })`,
  },
  steadiness: {
    text: 'Compare what changed at this time: a release, a setting, the provider; then let settings be tried out.',
    call: (id) => `performanceMonitoringService.optimizeIntegrationPerformance(${id})`,
  },
  anomalies: {
    text: 'Look at the minutes that stand out.',
    call: (id) => `performanceMonitoringService.getHistoricalPerformanceData(${id})`,
  },
};

/** For calls that are made elsewhere, so that nothing here can test or tune them. */
const ADVICE_ON_REPORTS: Advice = {
  text: 'Look where the calls are made: they were reported, not measured here. The history shows since when.',
  call: (id) => `performanceMonitoringService.getHistoricalPerformanceData(${id})`,
};

/** What is worth saying about a score and the facts behind it, worst first. Nothing is said that has no evidence. */
export function findInsights(facts: PerformanceFacts, score: OverallScore): Insight[] {
  if (score.verdict === 'not enough data') return [];
  const parts = score.parts.filter((part) => part.share < WORTH_A_WORD).toSorted((a, b) => a.share - b.share);
  const insights: Insight[] = parts.map(({ name, share, evidence }) => ({
    about: name,
    severity: share < 0.5 ? 'critical' : 'warning',
    text: SAYS[name](evidence),
    evidence,
  }));
  const { trend } = facts;
  if (trend.verdict !== 'rising') return insights;
  const { window, value, baseline, pValue, slopePerHour } = trend;
  const text = `the hourly 95th percentile rises by ${show(slopePerHour)} ms an hour: ${show(value)} ms, from ${show(baseline)} ms`;
  const evidence = { series: 'hourly p95, ms', window, value, baseline, pValue };
  return [...insights, { about: 'trend', severity: 'warning', text, evidence }];
}

/** What to do about it, by how much the score can gain. */
export function recommend(
  integrationId: string,
  score: OverallScore,
  source: 'measured' | 'reported' = 'measured',
): Recommendation[] {
  if (score.verdict === 'not enough data') return [];
  const parts = score.parts.filter((part) => part.share < WORTH_A_WORD);
  const gains = new Map(parts.map(({ name }) => [name, pointsToGain(score.parts, name)]));
  return parts
    .toSorted((a, b) => gains.get(b.name)! - gains.get(a.name)!)
    .map(({ name, evidence }) => {
      const advice = source === 'reported' ? ADVICE_ON_REPORTS : ADVICE[name];
      return {
        text: advice.text,
        reason: SAYS[name](evidence),
        expectedEffect: `at most ${gains.get(name)} points of the overall score`,
        call: advice.call(JSON.stringify(integrationId)),
        evidence,
      };
    });
}

function show(value: number): string {
  return String(Number(value.toPrecision(3)));
}
