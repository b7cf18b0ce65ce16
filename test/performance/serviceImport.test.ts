import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { useTestDatabase } from '../support/database.ts';

const database = useTestDatabase();

// The example of the specification, in a program that closes nothing and has to end by itself.
const PROGRAM = `
const { performanceMonitoringService } = await import(${JSON.stringify(resolve('src/services/performanceMonitoringService.ts'))});
const before = performanceMonitoringService.getHistoricalPerformanceData('integration-123');
await performanceMonitoringService.recordMetrics('integration-123', {
  avgResponseTime: 150, successRate: 95, errorRate: 5, totalRequests: 1000,
});
const analysis = await performanceMonitoringService.analyzeIntegrationPerformance('integration-123');
const report = await performanceMonitoringService.getGlobalPerformanceReport();
const summary = await performanceMonitoringService.getPerformanceSummary();
console.log(JSON.stringify([
  before === undefined, analysis.overallScore, analysis.source, analysis.recommendations.length,
  report.summary.reported.totalRequests, summary.reported.errorRate, summary.reported.averageScore,
]));
`;

it('works as documented from the import path', () => {
  const folder = mkdtempSync(join(tmpdir(), 'performance-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NODE_ENV: 'test', DATABASE_URL: database.url, DATA_DIR: folder },
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(JSON.parse(output)).toEqual([true, 71.4, 'reported', 1, 1000, 5, 71.4]);
}, 60_000);
