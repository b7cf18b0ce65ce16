import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findChangePoints } from '../../src/performance/changePoints.ts';
import { findInsights, recommend } from '../../src/performance/insights.ts';
import { type PerformanceFacts, scorePerformance } from '../../src/performance/score.ts';
import { findTrend } from '../../src/performance/trend.ts';
import { seededNormal } from './support/syntheticSeries.ts';

const HOUR_MS = 3_600_000;
const THRESHOLDS = { responseTime: 5_000, errorRate: 5 };
const normal = seededNormal(1);
const hours = Array.from({ length: 96 }, (_, at) => ({ timeMs: at * HOUR_MS, value: 300 + 10 * normal() }));
const slower = hours.map(({ timeMs, value }, at) => ({ timeMs, value: at < 48 ? value : 1.5 * value }));
const window = { fromMs: 0, untilMs: 95 * HOUR_MS, samples: 96 };

const healthy: PerformanceFacts = {
  window,
  calls: 10_000,
  failedCalls: 0,
  throttledCalls: 0,
  p95Ms: 300,
  trend: findTrend(hours),
  changes: findChangePoints(hours),
  anomalies: { points: 5_000, alarms: 5 },
};

function scoreOf(facts: Partial<PerformanceFacts>): number {
  const score = scorePerformance({ ...healthy, ...facts }, THRESHOLDS);
  if (score.verdict === 'not enough data') throw new Error('There is not enough data.');
  return score.overallScore;
}

describe('the overall score', () => {
  it.each<[string, Partial<PerformanceFacts>, number]>([
    ['nothing is wrong', {}, 100],
    ['errors are at the threshold', { failedCalls: 500 }, 80],
    ['every call fails', { failedCalls: 10_000 }, 60],
    ['the 95th percentile is at the threshold', { p95Ms: 5_000 }, 85],
    ['one call in twenty is refused for its rate', { throttledCalls: 500 }, 95],
    ['there are six alarms in a thousand minutes', { anomalies: { points: 5_000, alarms: 30 } }, 95],
    ['the detector still learns', { anomalies: null, failedCalls: 500 }, 77.8],
  ])('when %s', (_, facts, expected) => {
    expect(scoreOf(facts)).toBe(expected);
  });

  it('loses half of its steadiness when hours take 1.5 times as long', () => {
    const score = scoreOf({ changes: findChangePoints(slower) });
    expect(score).toBeGreaterThan(94);
    expect(score).toBeLessThan(96);
  });

  it('is none with few calls, or without a duration', () => {
    const few = { verdict: 'not enough data', samples: 29, needed: 30 };
    expect(scorePerformance({ ...healthy, calls: 29 }, THRESHOLDS)).toEqual(few);
    expect(scorePerformance({ ...healthy, p95Ms: null }, THRESHOLDS).verdict).toBe('not enough data');
    expect(findInsights(healthy, scorePerformance({ ...healthy, calls: 29 }, THRESHOLDS))).toEqual([]);
    expect(recommend('int_1', scorePerformance({ ...healthy, calls: 29 }, THRESHOLDS))).toEqual([]);
  });

  it('lies between 0 and 100, and never rises with more errors or longer calls', () => {
    const facts = fc.record({
      failedCalls: fc.nat({ max: 10_000 }),
      throttledCalls: fc.nat({ max: 10_000 }),
      p95Ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
      anomalies: fc.option(fc.record({ points: fc.nat({ max: 5_000 }), alarms: fc.nat({ max: 100 }) })),
    });
    fc.assert(
      fc.property(facts, fc.nat({ max: 10_000 }), (some, more) => {
        const score = scoreOf(some);
        expect(score >= 0 && score <= 100).toBe(true);
        const failedCalls = Math.min(10_000, some.failedCalls + more);
        expect(scoreOf({ ...some, failedCalls, p95Ms: some.p95Ms + more })).toBeLessThanOrEqual(score);
      }),
    );
  });
});

describe('insights and recommendations', () => {
  const rising = findTrend(hours.map(({ timeMs, value }, at) => ({ timeMs, value: value + 2 * at })));
  const facts = { ...healthy, failedCalls: 900, p95Ms: 4_000, changes: findChangePoints(slower), trend: rising };
  const score = scorePerformance(facts, THRESHOLDS);

  it('name their evidence, worst first', () => {
    const insights = findInsights(facts, score);
    expect(insights.map((one) => [one.about, one.severity])).toEqual([
      ['errors', 'critical'],
      ['steadiness', expect.any(String)],
      ['latency', 'warning'],
      ['trend', 'warning'],
    ]);
    expect(insights[0]!.evidence).toEqual({ series: 'error rate, %', window, value: 9, baseline: 5, pValue: null });
    expect(insights[1]!.evidence.pValue).toBeLessThanOrEqual(0.001);
    expect(insights[3]!.evidence.pValue).toBeLessThan(0.01);
  });

  it('say what to call, why, and what it can bring at most', () => {
    const [first, ...rest] = recommend('int_1', score);
    expect(first).toMatchObject({
      reason: '9 % of the calls failed; the threshold is 5 %',
      expectedEffect: 'at most 36 points of the overall score',
      call: 'integrationService.testConnection(await integrationService.getIntegrationById("int_1"))',
    });
    expect(rest).toHaveLength(2);
  });

  it('are sentences', () => {
    expect(findInsights(facts, score).map(({ text }) => text)).toEqual([
      '9 % of the calls failed; the threshold is 5 %',
      expect.stringMatching(/^the hourly 95th percentile is [\d.]+ ms; before it was [\d.]+ ms$/),
      'the 95th percentile of response times is 4000 ms; the threshold is 5000 ms',
      expect.stringMatching(/^the hourly 95th percentile rises by [\d.]+ ms an hour: [\d.]+ ms, from [\d.]+ ms$/),
    ]);
  });

  it('do not advise to test or tune what is only reported', () => {
    for (const { text, call } of recommend('somewhere else', score, 'reported')) {
      expect(text).toMatch(/reported, not measured/);
      expect(call).toBe('performanceMonitoringService.getHistoricalPerformanceData("somewhere else")');
    }
  });

  it('are none when all is well', () => {
    const fine = scorePerformance(healthy, THRESHOLDS);
    expect(findInsights(healthy, fine)).toEqual([]);
    expect(recommend('int_1', fine)).toEqual([]);
  });
});
