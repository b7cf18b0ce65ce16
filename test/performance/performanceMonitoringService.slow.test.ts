import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../src/app.ts';
import { InvalidInputError } from '../../src/core/errors.ts';
import { silentLog } from '../../src/core/log.ts';
import { PerformanceMonitoringOffError } from '../../src/performance/errors.ts';
import type { ReportedMetrics } from '../../src/performance/reported/reportedMetrics.ts';
import { keepReported } from '../../src/performance/reported/reportedQueries.ts';
import { watchForAnomalies } from '../../src/performance/watch/anomalyWatch.ts';
import { openTestApp } from '../support/app.ts';
import { useTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { describeProvider, type Provider, startProvider } from '../support/provider.ts';
import { seedSeries } from './support/seedSeries.ts';
import { seededNormal } from './support/syntheticSeries.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const database = useTestDatabase();
let app: App;
let provider: Provider;

const service = () => app.performanceMonitoringService;

beforeAll(async () => {
  app = await openTestApp(database.url, { workers: false });
  provider = await startProvider(25);
});

afterAll(async () => {
  await provider.close();
  await app.close();
});

async function integration(name: string): Promise<string> {
  const { id } = await app.catalog.create({
    name,
    platform: 'http',
    credentials: { apiKey: provider.key },
    configuration: { connector: describeProvider(provider) },
  });
  return id;
}

describe('what is reported', () => {
  it('gives the example of the specification a score that says what it rests on', async () => {
    await service().recordMetrics('integration-123', {
      avgResponseTime: 150,
      successRate: 95,
      errorRate: 5,
      totalRequests: 1000,
    });
    const analysis = await service().analyzeIntegrationPerformance('integration-123');
    // Errors at their threshold give half of 40 points, latency all of 30: 50 of 70.
    expect(analysis).toMatchObject({
      monitoring: 'on',
      verdict: 'scored',
      overallScore: 71.4,
      source: 'reported',
      metrics: { source: 'reported', totalRequests: 1000, failedRequests: 50, errorRate: 5, avgResponseTime: 150 },
      degradation: { verdict: 'not enough data' },
    });
    expect(analysis.insights).toMatchObject([{ about: 'errors', evidence: { value: 5, baseline: 5 } }]);
    expect(analysis.recommendations[0]).toMatchObject({ expectedEffect: 'at most 28.6 points of the overall score' });
    const { summary, lowestScores } = await service().getGlobalPerformanceReport();
    expect(summary).toMatchObject({ source: 'measured', totalRequests: 0, p95ResponseTime: null });
    expect(summary.reported).toMatchObject({ integrations: 1, totalRequests: 1000, errorRate: 5 });
    expect(lowestScores).toMatchObject([{ integrationId: 'integration-123', name: null, source: 'reported' }]);
  });

  it('is added up by the weight of its requests, in one row a minute', async () => {
    const report = (metrics: ReportedMetrics) => service().recordMetrics('weighed', metrics);
    await report({ totalRequests: 100, errorRate: 10, avgResponseTime: 100, p95ResponseTime: 300 });
    await report({ totalRequests: 300, failedRequests: 0, avgResponseTime: 200, p95ResponseTime: 250 });
    await Promise.all(Array.from({ length: 20 }, () => report({ totalRequests: 5 })));
    const { metrics } = await service().analyzeIntegrationPerformance('weighed');
    expect(metrics).toMatchObject({ totalRequests: 500, errorRate: 2.5, avgResponseTime: 175, p95ResponseTime: 300 });
    const rows = await database.current.db
      .selectFrom('reported_metrics')
      .select('reports')
      .where('integration_id', '=', 'weighed')
      .execute();
    expect(rows.length).toBeLessThanOrEqual(2);
    expect(rows.reduce((sum, row) => sum + row.reports, 0)).toBe(22);
  });

  it.each<[string, ReportedMetrics, RegExp]>([
    ['rates above 100 % together', { successRate: 97, errorRate: 5 }, /errorRate: is 102 % together with successRate/],
    ['more parts than the whole', { totalRequests: 10, successfulRequests: 9, failedRequests: 2 }, /is less than/],
    ['a rate against its counts', { totalRequests: 100, failedRequests: 50, errorRate: 5 }, /50 % by the counts/],
    ['percentiles that fall', { p50ResponseTime: 9, p99ResponseTime: 8 }, /p50 ≤ p95 ≤ p99/],
    ['nothing', {}, /tells nothing/],
    ['nothing but nulls', { errorRate: null }, /tells nothing/],
    ['a percentage of 101', { errorRate: 101 }, /at most 100/],
    ['no number', { avgResponseTime: Number.NaN }, /avgResponseTime/],
    ['a misspelt name', { errorRat: 1 } as ReportedMetrics, /Did you mean "errorRate"/],
  ])('is refused when it is %s', async (_, metrics, problem) => {
    const recorded = service().recordMetrics('refused', metrics);
    await expect(recorded).rejects.toThrow(InvalidInputError);
    await expect(recorded).rejects.toThrow(problem);
  });

  it('becomes hours after two days, and is forgotten after its time', async () => {
    const total = async () => {
      const rows = await database.current.db
        .selectFrom('reported_metrics')
        .select(['resolution', 'requests'])
        .where('integration_id', '=', 'kept')
        .execute();
      return rows.map(({ resolution, requests }) => `${resolution} ${requests}`);
    };
    await service().recordMetrics('kept', { totalRequests: 7, errorRate: 0 });
    const nowMs = Date.now();
    await keepReported(database.current, nowMs + 40 * HOUR_MS, 30);
    expect(await total()).toEqual(['minute 7']);
    await keepReported(database.current, nowMs + 50 * HOUR_MS, 30);
    expect(await total()).toEqual(['hour 7']);
    await service().recordMetrics('kept', { totalRequests: 4 });
    await keepReported(database.current, nowMs + 50 * HOUR_MS, 30);
    expect(await total()).toEqual(['hour 11']);
    await keepReported(database.current, nowMs + 31 * 24 * HOUR_MS, 30);
    expect(await total()).toEqual([]);
  });

  it('is refused while monitoring is off, and answers say so', async () => {
    const off = await openTestApp(database.url, {
      workers: false,
      environment: { PERFORMANCE_MONITORING_ENABLED: 'false' },
    });
    try {
      const monitoring = off.performanceMonitoringService;
      await expect(monitoring.recordMetrics('off', { errorRate: 1 })).rejects.toThrow(PerformanceMonitoringOffError);
      expect(await monitoring.analyzeIntegrationPerformance('off')).toMatchObject({ monitoring: 'off', metrics: null });
      expect(await monitoring.getPerformanceSummary()).toMatchObject({ monitoring: 'off' });
    } finally {
      await off.close();
    }
  });
});

describe('what is measured', () => {
  it("equals the provider's own log, by outcome and operation", async () => {
    const id = await integration('Counted');
    const before = provider.seen.length;
    await app.sync.run(id);
    for (let test = 0; test < 12; test++) {
      provider.answer = test % 3 === 0 ? (_request, response) => response.writeHead(404).end('{}') : null;
      await app.integrationService.testConnection((await app.catalog.find(id))!);
    }
    provider.answer = null;
    const seen = provider.seen.slice(before);
    const { metrics, source, reported } = await service().analyzeIntegrationPerformance(id);
    const checks = seen.filter(({ url }) => url === '/me').length;
    expect(source).toBe('measured');
    expect(reported).toBeNull();
    expect(metrics!.totalRequests).toBe(seen.length);
    expect(metrics!.operations.check!.requests).toBe(checks);
    expect(metrics!.operations.sync!.requests).toBe(seen.length - checks);
    expect(metrics!.outcomes.success!.requests).toBe(metrics!.successfulRequests);
    expect(metrics!.phases.total!.count).toBe(seen.length);
    expect(metrics!.phases.first_byte!.p95).toBeGreaterThan(0);
    expect(metrics!.p50ResponseTime!).toBeLessThanOrEqual(metrics!.p99ResponseTime!);
    const ofService = await app.integrationService.getIntegrationMetrics(id);
    expect(ofService).toMatchObject({
      totalRequests: seen.length,
      successfulRequests: metrics!.successfulRequests,
      failedRequests: metrics!.failedRequests,
      p95ResponseTime: metrics!.p95ResponseTime,
      outcomes: Object.fromEntries(Object.entries(metrics!.outcomes).map(([name, { requests }]) => [name, requests])),
    });
  });

  it('is told apart from what is reported of the same integration', async () => {
    const id = await integration('Both');
    const before = provider.seen.length;
    await app.integrationService.testConnection((await app.catalog.find(id))!);
    const calls = provider.seen.length - before;
    await service().recordMetrics(id, { totalRequests: 500, errorRate: 50, avgResponseTime: 9 });
    const analysis = await service().analyzeIntegrationPerformance(id);
    expect(analysis).toMatchObject({
      verdict: 'not enough data',
      overallScore: null,
      source: 'measured',
      metrics: { source: 'measured', totalRequests: calls },
      reported: { source: 'reported', totalRequests: 500 },
      insights: [],
    });
    const { points } = await service().readHistoricalPerformanceData(id);
    expect(points.map(({ source, totalRequests }) => [source, totalRequests])).toEqual([
      ['measured', calls],
      ['reported', 500],
    ]);
  });

  it('is not judged where there is nothing, or too little', async () => {
    const nothing = await service().analyzeIntegrationPerformance('never heard of');
    expect(nothing).toMatchObject({ overallScore: null, verdict: 'not enough data', source: null, metrics: null });
    expect(nothing.trends.trend.verdict).toBe('not enough data');
    await expect(service().analyzeIntegrationPerformance('')).rejects.toThrow(InvalidInputError);
    await expect(service().analyzeIntegrationPerformance('a\0b')).rejects.toThrow(InvalidInputError);
  });

  it('comes from memory after the first question', async () => {
    await service().recordMetrics('remembered', { totalRequests: 3, avgResponseTime: 5 });
    expect(service().getHistoricalPerformanceData('remembered')).toBeUndefined();
    const data = await eventually('the history', () => service().getHistoricalPerformanceData('remembered'));
    expect(data).toMatchObject({ resolution: 'hour', points: [{ source: 'reported', totalRequests: 3 }] });
  });
});

describe('what became worse', () => {
  const normal = seededNormal(5);
  const nowMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;

  /** A day with a strong course, `days` of it; from `slowFrom` on everything takes 1.8 times as long. */
  const hours = (integrationId: string, slowFrom: number) =>
    Array.from({ length: 14 * 24 }, (_, at) => {
      const usual = 200 * (1 + 0.6 * Math.sin((2 * Math.PI * at) / 24)) * (at >= slowFrom ? 1.8 : 1);
      const durations = Array.from({ length: 20 }, () => usual * Math.exp(0.1 * normal()));
      return { integrationId, startMs: nowMs - (14 * 24 - at) * HOUR_MS, durations };
    });

  it('is found with its time and evidence, through the course of the day', async () => {
    await seedSeries(database.current, 'metric_hours', hours('slower', 10 * 24));
    const { degradation, trends, overallScore, scoreParts } = await service().analyzeIntegrationPerformance('slower');
    expect(trends.seasonal).toBe(true);
    if (degradation.verdict !== 'degraded') throw new Error(`It is ${degradation.verdict}.`);
    expect(Math.abs(Date.parse(degradation.since) - (nowMs - 4 * 24 * HOUR_MS))).toBeLessThanOrEqual(2 * HOUR_MS);
    expect(degradation.ratio).toBeGreaterThan(1.6);
    expect(degradation.ratio).toBeLessThan(2);
    expect(degradation).toMatchObject({ series: 'hourly p95, ms', pValue: 0.001 });
    expect(scoreParts.find(({ name }) => name === 'steadiness')!.share).toBeLessThan(0.4);
    expect(overallScore).toBeLessThan(95);
  });

  it('is not found in the course of the day alone', async () => {
    await seedSeries(database.current, 'metric_hours', hours('seasonal', Number.POSITIVE_INFINITY));
    const { degradation } = await service().analyzeIntegrationPerformance('seasonal');
    expect(degradation).toEqual({ verdict: 'steady' });
  });

  it('stands out of its minutes, once, whatever dies in between', async () => {
    const id = 'anomalous';
    const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 10 * HOUR_MS;
    const minutes = Array.from({ length: 500 }, (_, at) => ({
      integrationId: id,
      startMs: startMs + at * MINUTE_MS,
      durations: Array.from({ length: 10 }, () => (at >= 450 ? 2_000 : 100) * Math.exp(0.2 * normal())),
    }));
    await seedSeries(database.current, 'metric_minutes', minutes);
    await database.current.db
      .insertInto('metric_rollups_due')
      .values({ resolution: 'hour', bucket: new Date(startMs + 8 * HOUR_MS), integration_id: id })
      .execute();
    const endMs = startMs + 500 * MINUTE_MS;
    // Fed in pieces, by several at once, with one that breaks off before it has committed.
    const cut = {
      ...database.current,
      transaction: (run) =>
        database.current.transaction(async (tx) => {
          await run(tx);
          throw new Error('killed');
        }),
    } as typeof database.current;
    for (const share of [0.3, 0.6, 0.92, 1]) {
      const untilMs = startMs + share * 500 * MINUTE_MS + 2 * MINUTE_MS;
      await expect(watchForAnomalies(cut, silentLog, untilMs)).rejects.toThrow('killed');
      await Promise.all([1, 2, 3].map(() => watchForAnomalies(database.current, silentLog, untilMs)));
    }
    const watch = await database.current.db
      .selectFrom('performance_watch')
      .select(['points', 'fed_until'])
      .where('integration_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(watch.points).toBe(500);
    expect(watch.fed_until.getTime()).toBeGreaterThanOrEqual(endMs);
    const { anomalies } = await service().analyzeIntegrationPerformance(id);
    const slow = anomalies.filter(({ series }) => series === 'p95_response_time');
    const found = slow.find(({ window }) => Date.parse(window.from) >= startMs + 450 * MINUTE_MS);
    expect(Date.parse(found!.window.from)).toBeLessThanOrEqual(startMs + 455 * MINUTE_MS);
    expect(found!.value).toBeGreaterThan(1_500);
    expect(found!.baseline).toBeLessThan(500);
    expect(found!.score).toBeGreaterThanOrEqual(0.5);
    // Fed at once, in one go, the same is found.
    const again = minutes.map((one) => ({ ...one, integrationId: 'anomalous again' }));
    await seedSeries(database.current, 'metric_minutes', again);
    await database.current.db
      .insertInto('metric_rollups_due')
      .values({ resolution: 'hour', bucket: new Date(startMs + 8 * HOUR_MS), integration_id: 'anomalous again' })
      .execute();
    await watchForAnomalies(database.current, silentLog, endMs + 2 * MINUTE_MS);
    const whole = await service().analyzeIntegrationPerformance('anomalous again');
    expect(whole.anomalies).toEqual(anomalies);
  });
});
