import type { Clock } from '../core/clock.ts';
import { errorMessage, UnavailableError } from '../core/errors.ts';
import { invalidInput } from '../core/input.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { VisibleIntegrations } from '../integrations/visibleIntegrations.ts';
import type { Database } from '../store/database.ts';
import { type PerformanceAnalysis, PerformanceAnalyzer } from './analysis/performanceAnalyzer.ts';
import { StatisticsCache } from './analysis/statisticsCache.ts';
import { StatisticsWorker } from './analysis/statisticsWorker.ts';
import { PerformanceMonitoringOffError } from './errors.ts';
import { type HistoryQuestion, type PerformanceData, PerformanceHistory } from './history.ts';
import type { PerformanceConfig } from './performanceConfig.ts';
import { parseReport, type ReportedMetrics } from './reported/reportedMetrics.ts';
import { addReport } from './reported/reportedQueries.ts';
import type { PerformanceRecorder } from './store/performanceRecorder.ts';
import { type GlobalPerformanceReport, GlobalReports, type PerformanceSummary } from './summaries/globalReport.ts';
import { SummaryRefresh } from './summaries/summaryRefresh.ts';
import type { PerformanceOptimizer } from './tuning/performanceOptimizer.ts';
import type { OptimizationResult } from './tuning/types.ts';

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: PerformanceRecorder;
  readonly config: PerformanceConfig;
  /** False: nothing is recorded, and every answer says so. */
  readonly enabled: boolean;
  readonly optimizer: Pick<PerformanceOptimizer, 'optimize'>;
}

/**
 * How integrations perform: by the calls made here, which are measured by themselves, and by what callers report of
 * calls made elsewhere. The two are told apart in every answer (`source`). An id may be any name of up to 200
 * characters: what was never heard of has not enough data.
 */
export class PerformanceMonitoringService {
  readonly #deps: Dependencies;
  readonly #worker = new StatisticsWorker();
  readonly #analyzer: PerformanceAnalyzer;
  readonly #history: PerformanceHistory;
  readonly #reports: GlobalReports;
  /** The job's part of it. */
  readonly summaries: SummaryRefresh;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    const monitoring = deps.enabled ? 'on' : 'off';
    const statistics = new StatisticsCache({ ...deps, worker: this.#worker });
    this.#analyzer = new PerformanceAnalyzer({ ...deps, statistics, monitoring });
    this.#history = new PerformanceHistory(deps);
    this.#reports = new GlobalReports({ ...deps, monitoring });
    this.summaries = new SummaryRefresh({ ...deps, analyzer: this.#analyzer });
  }

  /**
   * Adds a caller's numbers on calls made elsewhere to the present minute. When it resolves they are stored. Several
   * reports of a minute are added up: rates and means weighed by `totalRequests`, percentiles by the largest.
   * @throws InvalidInputError with every problem, such as rates that contradict each other; nothing was recorded
   * @throws PerformanceMonitoringOffError
   */
  async recordMetrics(integrationId: string, metrics: ReportedMetrics): Promise<void> {
    requireName(integrationId);
    const report = parseReport(metrics);
    if (!this.#deps.enabled)
      throw new PerformanceMonitoringOffError(
        'Performance monitoring is off, and nothing was recorded. PERFORMANCE_MONITORING_ENABLED=true turns it on.',
      );
    await addReport(this.#deps.database, integrationId, this.#deps.clock.now(), report);
  }

  /**
   * Judges the last 24 hours, against up to 30 days of hours. Never throws for an id without data: the score is null
   * then, and `verdict` says why.
   * @throws UnavailableError
   */
  async analyzeIntegrationPerformance(integrationId: string): Promise<PerformanceAnalysis> {
    requireName(integrationId);
    await this.#flush();
    const findings = await this.#analyzer.analyze(integrationId);
    await this.summaries.save(findings);
    return findings.analysis;
  }

  /**
   * The last seven days by hours, from memory, which holds the 200 integrations asked for last and reads them anew
   * after a minute. The first question has them read, and gets undefined.
   */
  getHistoricalPerformanceData(integrationId: string): PerformanceData | undefined {
    requireName(integrationId);
    return this.#history.held(integrationId);
  }

  /** The same, or another time and resolution, read from the database. @throws InvalidInputError more than 750 points */
  async readHistoricalPerformanceData(integrationId: string, question?: HistoryQuestion): Promise<PerformanceData> {
    requireName(integrationId);
    await this.#flush();
    return this.#history.read(integrationId, question);
  }

  /** Over all integrations, or those that somebody may see; as of their last summaries, which are minutes old. */
  getGlobalPerformanceReport(visible?: VisibleIntegrations): Promise<GlobalPerformanceReport> {
    return this.#reports.report(visible);
  }

  /** The numbers of that report alone. */
  getPerformanceSummary(visible?: VisibleIntegrations): Promise<PerformanceSummary> {
    return this.#reports.summary(visible);
  }

  /** Tries out one setting at a time, and keeps what is measured to be better. @throws IntegrationNotFoundError */
  async optimizeIntegrationPerformance(integrationId: string): Promise<OptimizationResult> {
    requireName(integrationId);
    const { optimizer } = this.#deps;
    if (optimizer === null) throw new UnavailableError('No settings are tried out here: the app has no optimizer.');
    return optimizer.optimize(integrationId);
  }

  async close(): Promise<void> {
    await this.#history.close();
    await this.#worker.close();
  }

  /** What this process has just measured counts in its own answers; that of others is a second old. */
  async #flush(): Promise<void> {
    await this.#deps.recorder.flush().catch((error: unknown) => {
      this.#deps.log.warn('The latest measurements are not in an answer', { reason: errorMessage(error) });
    });
  }
}

function requireName(integrationId: string): void {
  if (typeof integrationId === 'string' && integrationId !== '' && integrationId.length <= LIMITS.nameChars) {
    // PostgreSQL's text takes no NUL, and a lone surrogate is no text.
    if (!integrationId.includes('\0') && integrationId.isWellFormed()) return;
  }
  const detail = `takes a text of 1 to ${LIMITS.nameChars} characters.`;
  throw invalidInput('The integration', [{ pointer: '/integrationId', detail }]);
}
