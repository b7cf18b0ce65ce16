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

const ADVICE: Record<ScorePartName, { text: string; call: (id: string) => string }> = {
  errors: {
    text: 'Test the connection, and read which class of error it gives.',
    call: (id) => `integrationService.testConnection(${id})`,
  },
  latency: {
    text: 'Let page size, concurrency and timeouts be tried out within their bounds.',
    call: (id) => `performanceMonitoringService.optimizeIntegrationPerformance(${id})`,
  },
  throttling: {
    text: 'Lower the budget below what the provider grants.',
    call: (id) => `rateLimitingService.adjustRateLimit(${id})`,
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

/** What is worth saying about a score and the facts behind it, worst first. Nothing is said that has no evidence. */
export function findInsights(facts: PerformanceFacts, score: OverallScore): Insight[] {
  if (score.verdict === 'not enough data') return [];
  const parts = score.parts.filter((part) => part.share < WORTH_A_WORD).toSorted((a, b) => a.share - b.share);
  const insights: Insight[] = parts.map(({ name, share, evidence }) => ({
    about: name,
    severity: share < 0.5 ? 'critical' : 'warning',
    text: `${evidence.series}: ${show(evidence.value)}, against ${show(evidence.baseline)}`,
    evidence,
  }));
  const { trend } = facts;
  if (trend.verdict !== 'rising') return insights;
  const { window, value, baseline, pValue, slopePerHour } = trend;
  const text = `hourly p95 rises by ${show(slopePerHour)} ms an hour: ${show(value)} ms, from ${show(baseline)} ms`;
  const evidence = { series: 'hourly p95, ms', window, value, baseline, pValue };
  return [...insights, { about: 'trend', severity: 'warning', text, evidence }];
}

/** What to do about it, by how much the score can gain. */
export function recommend(integrationId: string, score: OverallScore): Recommendation[] {
  if (score.verdict === 'not enough data') return [];
  const parts = score.parts.filter((part) => part.share < WORTH_A_WORD);
  const gains = new Map(parts.map(({ name }) => [name, pointsToGain(score.parts, name)]));
  return parts
    .toSorted((a, b) => gains.get(b.name)! - gains.get(a.name)!)
    .map(({ name, evidence }) => ({
      text: ADVICE[name].text,
      reason: `${evidence.series} is ${show(evidence.value)}, against ${show(evidence.baseline)}`,
      expectedEffect: `at most ${gains.get(name)} points of the overall score`,
      call: ADVICE[name].call(JSON.stringify(integrationId)),
      evidence,
    }));
}

function show(value: number): string {
  return String(Number(value.toPrecision(3)));
}
