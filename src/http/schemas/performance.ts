import { z } from 'zod';
import { reportedMetricsSchema } from '../../performance/reported/reportedMetrics.ts';

export const reportBody = reportedMetricsSchema.meta({
  id: 'ReportedMetrics',
  description: 'Null is the same as nothing. What contradicts itself is refused.',
  examples: [{ avgResponseTime: 150, successRate: 95, errorRate: 5, totalRequests: 1000 }],
});

const known = z.number().nullable();
const source = z.enum(['measured', 'reported']);
const monitoring = z.enum(['on', 'off']).describe('Off: PERFORMANCE_MONITORING_ENABLED is false.');
const part = z.object({
  requests: z.int(),
  errorRate: z.number(),
  avgResponseTime: z.number(),
  p95ResponseTime: known,
});
const span = z.object({ fromMs: z.number(), untilMs: z.number(), samples: z.int() });
const window = z.object({ from: z.string(), until: z.string() });

const metrics = z
  .object({
    source,
    totalRequests: z.int(),
    successfulRequests: known,
    failedRequests: known,
    successRate: known,
    errorRate: known,
    avgResponseTime: known,
    p50ResponseTime: known,
    p95ResponseTime: known,
    p99ResponseTime: known,
    throughput: z.number().describe('Requests a second.'),
    responseBytes: z.number(),
    phases: z
      .record(
        z.string(),
        z.object({
          count: z.int(),
          average: z.number(),
          p50: z.number(),
          p95: z.number(),
          p99: z.number(),
          max: z.number(),
        }),
      )
      .describe('Where the time went, by phase of a call.'),
    operations: z.record(z.string(), part),
    outcomes: z.record(z.string(), part),
    resourceUtilization: z
      .object({
        concurrency: z.number().describe('Calls under way at a time, in the mean.'),
        bandwidth: z.number().describe('Bytes a second.'),
        rateLimitWaitShare: z.number(),
        queueWaitShare: z.number(),
      })
      .nullable(),
  })
  .meta({ id: 'PerformanceMetrics', description: 'Rates and shares are percentages, times milliseconds.' });

const evidence = z.object({
  series: z.string(),
  window: span,
  value: z.number(),
  baseline: z.number(),
  pValue: known,
});
const about = z.enum(['errors', 'latency', 'throttling', 'steadiness', 'anomalies', 'trend']);

const notEnough = z.object({ verdict: z.literal('not enough data'), samples: z.int(), needed: z.int() });
const trend = z.union([
  notEnough,
  z.object({
    verdict: z.enum(['rising', 'falling', 'no trend']),
    window: span,
    slopePerHour: z.number(),
    baseline: z.number(),
    value: z.number(),
    pValue: z.number(),
    tau: z.number(),
  }),
]);
const changes = z.union([
  notEnough,
  z.object({
    verdict: z.enum(['changed', 'steady']),
    window: span,
    changes: z.array(
      z.object({
        atMs: z.number(),
        baseline: z.number(),
        value: z.number(),
        before: span,
        after: span,
        pValue: z.number(),
      }),
    ),
  }),
]);
const degradation = z.union([
  notEnough,
  z.object({ verdict: z.literal('steady') }),
  z.object({
    verdict: z.literal('degraded'),
    series: z.string(),
    since: z.string(),
    baseline: z.number(),
    value: z.number(),
    ratio: z.number(),
    pValue: z.number(),
    before: span,
    after: span,
  }),
]);
const series = z.enum(['p95_response_time', 'error_rate']);

export const analysisAnswer = z
  .object({
    integrationId: z.string(),
    monitoring,
    verdict: z.enum(['scored', 'not enough data']),
    overallScore: known.describe('0 to 100; null when there is not enough data.'),
    source: source.nullable().describe('What the score rests on.'),
    samples: z.object({ have: z.number(), needed: z.int() }),
    scoreParts: z.array(z.object({ name: about, weight: z.number(), share: z.number().describe('0 to 1.'), evidence })),
    insights: z.array(z.object({ about, severity: z.enum(['warning', 'critical']), text: z.string(), evidence })),
    recommendations: z.array(
      z.object({ text: z.string(), reason: z.string(), expectedEffect: z.string(), call: z.string(), evidence }),
    ),
    trends: z.object({
      trend,
      changes,
      seasonal: z.boolean().describe('The hourly p95 has a daily course, which was taken out.'),
    }),
    anomalies: z
      .array(
        z.object({
          series,
          window,
          value: z.number(),
          baseline: known,
          score: z.number(),
          surprise: z.number(),
          signal: z.string(),
          calls: z.int(),
        }),
      )
      .describe('Of the last seven days, newest first, at most 50.'),
    degradation,
    metrics: metrics.nullable(),
    reported: metrics.nullable().describe('What callers reported, also where calls are measured.'),
    window,
    errorBound: z.number().describe('Percent that a measured percentile is at most away from the true one.'),
  })
  .meta({ id: 'PerformanceAnalysis' });

export const historyAnswer = z
  .object({
    integrationId: z.string(),
    resolution: z.enum(['minute', 'hour', 'day']),
    from: z.string(),
    until: z.string(),
    points: z.array(
      z.object({
        start: z.string(),
        source,
        totalRequests: z.int(),
        failedRequests: z.int(),
        errorRate: known,
        avgResponseTime: known,
        p50ResponseTime: known,
        p95ResponseTime: known,
        p99ResponseTime: known,
      }),
    ),
    asOf: z.string(),
  })
  .meta({ id: 'PerformanceData', description: 'Buckets without calls are left out.' });

const totals = {
  integrations: z.int(),
  totalRequests: z.int(),
  failedRequests: z.int(),
  successRate: known,
  errorRate: known,
  avgResponseTime: known,
  throughput: z.number(),
};

export const summaryAnswer = z
  .object({
    monitoring,
    source: z.literal('measured'),
    windowHours: z.literal(24),
    ...totals,
    p50ResponseTime: known,
    p95ResponseTime: known,
    p99ResponseTime: known,
    errorBound: z.number(),
    averageScore: known,
    scoredIntegrations: z.int(),
    degradedIntegrations: z.int(),
    anomalies: z.int(),
    reported: z
      .object({ ...totals, averageScore: known })
      .describe('What callers reported, which is in none of the other numbers.'),
    asOf: z.string().nullable().describe('When the oldest part was summed up.'),
  })
  .meta({ id: 'PerformanceSummary' });

const ranked = z.array(
  z.object({
    integrationId: z.string(),
    name: z.string().nullable(),
    platform: z.string().nullable(),
    source,
    overallScore: known,
    totalRequests: z.int(),
    errorRate: known,
    p95ResponseTime: known,
    degradation: known.describe('Times slower than before it has become.'),
  }),
);

export const reportAnswer = z
  .object({
    summary: summaryAnswer,
    lowestScores: ranked,
    slowest: ranked,
    mostErrors: ranked,
    degraded: ranked,
    busiest: ranked,
    recentAnomalies: z.array(
      z.object({
        integrationId: z.string(),
        series,
        at: z.string(),
        value: z.number(),
        baseline: known,
        score: z.number(),
      }),
    ),
  })
  .meta({ id: 'GlobalPerformanceReport', description: 'At most ten of each, worst first.' });
