import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { minute } from '../../monitoring/notifications/messageText.ts';
import type { PerformanceAnalysis } from '../../performance/analysis/performanceAnalyzer.ts';
import type {
  GlobalPerformanceReport,
  PerformanceSummary,
  RankedIntegration,
} from '../../performance/summaries/globalReport.ts';
import { command } from '../command.ts';
import { findIntegration } from '../findIntegration.ts';
import { withApp } from '../openApp.ts';
import type { Output } from '../output.ts';

export function performance(): Command {
  return command(
    'performance [integration]',
    'How fast and reliable an integration is, or all of them together',
    (invocation) => withApp(invocation, (app) => show(app, invocation.args[0], invocation.out)),
  );
}

async function show(app: App, reference: string | undefined, out: Output): Promise<void> {
  const { performanceMonitoringService: service } = app;
  if (reference === undefined) {
    const report = await service.getGlobalPerformanceReport();
    return out.json ? out.data(report) : showReport(report, out);
  }
  const { id, name } = await findIntegration(app, reference);
  const analysis = await service.analyzeIntegrationPerformance(id);
  return out.json ? out.data(analysis) : showAnalysis(name, analysis, out);
}

function showAnalysis(name: string, analysis: PerformanceAnalysis, out: Output): void {
  const { metrics, overallScore, samples, degradation, reported } = analysis;
  if (analysis.monitoring === 'off') out.say('Performance monitoring is off: PERFORMANCE_MONITORING_ENABLED is false.');
  const score =
    overallScore === null
      ? `not enough data for a score (${samples.have} calls of ${samples.needed})`
      : `${overallScore} of 100`;
  out.line(`${name}: ${score}${analysis.source === 'reported' ? ', by what was reported' : ''}`);
  if (metrics !== null) {
    out.line('');
    out.table(
      [
        'LAST 24 HOURS',
        metrics.source.toUpperCase(),
        ...(metrics === reported || reported === null ? [] : ['REPORTED']),
      ],
      METRICS.map(([label, of]) => [
        label,
        of(metrics),
        ...(metrics === reported || reported === null || metrics.source === 'reported' ? [] : [of(reported)]),
      ]),
    );
    const phases = Object.entries(metrics.phases);
    if (phases.length > 0) {
      out.line('');
      out.table(
        ['PHASE', 'CALLS', 'P50', 'P95', 'P99', 'LONGEST'],
        phases.map(([phase, { count, p50, p95, p99, max }]) => [phase, count, ms(p50), ms(p95), ms(p99), ms(max)]),
      );
    }
  }
  if (degradation.verdict === 'degraded')
    out.line(
      `\nSlower since ${minute(Date.parse(degradation.since))}: ${degradation.series} ${ms(degradation.baseline)} → ${ms(degradation.value)}`,
    );
  for (const { severity, text } of analysis.insights) out.line(`\n${severity}: ${text}.`);
  for (const { text, reason, expectedEffect, call } of analysis.recommendations)
    out.line(`\n${text}\n  because ${reason}; it brings ${expectedEffect}\n  ${call}`);
  if (analysis.anomalies.length > 0) {
    out.line('');
    out.table(
      ['ANOMALY', 'MINUTE', 'VALUE', 'EXPECTED', 'SCORE'],
      analysis.anomalies
        .slice(0, 10)
        .map((one) => [
          one.series,
          minute(Date.parse(one.window.from)),
          short(one.value),
          short(one.baseline),
          short(one.score),
        ]),
    );
  }
}

type Metrics = NonNullable<PerformanceAnalysis['metrics']>;

const METRICS: readonly [string, (metrics: Metrics) => string | number | null][] = [
  ['calls', ({ totalRequests }) => totalRequests],
  ['succeeded', ({ successRate }) => percent(successRate)],
  ['failed', ({ errorRate }) => percent(errorRate)],
  ['mean', ({ avgResponseTime }) => ms(avgResponseTime)],
  ['median', ({ p50ResponseTime }) => ms(p50ResponseTime)],
  ['95 % within', ({ p95ResponseTime }) => ms(p95ResponseTime)],
  ['99 % within', ({ p99ResponseTime }) => ms(p99ResponseTime)],
];

function showReport({ summary, ...lists }: GlobalPerformanceReport, out: Output): void {
  if (summary.monitoring === 'off') out.say('Performance monitoring is off: PERFORMANCE_MONITORING_ENABLED is false.');
  out.line(summary.totalRequests === 0 ? 'No calls were measured in the last 24 hours.' : inOneLine(summary));
  if (summary.asOf !== null)
    out.say(`As of ${minute(Date.parse(summary.asOf))}; the server sums up every few minutes.`);
  for (const [title, list] of [
    ['LOWEST SCORE', lists.lowestScores],
    ['SLOWEST', lists.slowest],
    ['MOST ERRORS', lists.mostErrors],
    ['HAVE BECOME SLOWER', lists.degraded],
  ] as const)
    showRanked(title, list, out);
}

function inOneLine(summary: PerformanceSummary): string {
  const { integrations, totalRequests, averageScore, degradedIntegrations: slower } = summary;
  const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;
  return [
    `${counted(totalRequests, 'call')} of ${counted(integrations, 'integration')} in 24 hours`,
    `${percent(summary.successRate) ?? '–'} succeeded`,
    `95 % within ${ms(summary.p95ResponseTime) ?? '–'}`,
    ...(averageScore === null ? [] : [`mean score ${short(averageScore)} of 100`]),
    ...(slower === 0 ? [] : [`${counted(slower, 'integration')} slower than before`]),
  ].join(', ');
}

function showRanked(title: string, list: readonly RankedIntegration[], out: Output): void {
  if (list.length === 0) return;
  out.line('');
  out.table(
    [title, 'SCORE', 'CALLS', 'FAILED', 'P95', 'SOURCE'],
    list.map((one) => [
      one.name ?? one.integrationId,
      short(one.overallScore),
      one.totalRequests,
      percent(one.errorRate),
      ms(one.p95ResponseTime),
      one.source,
    ]),
  );
}

function short(value: number | null): string | null {
  return value === null ? null : String(Number(value.toPrecision(3)));
}

function ms(value: number | null): string | null {
  return value === null ? null : `${short(value)} ms`;
}

function percent(value: number | null): string | null {
  return value === null ? null : `${short(value)} %`;
}
