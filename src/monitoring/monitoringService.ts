import { sql } from 'kysely';
import type { Clock } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import type { VisibleIntegrations } from '../integrations/visibleIntegrations.ts';
import type { Database } from '../store/database.ts';
import {
  type AlertHistoryFilter,
  type ChangePosition,
  listAlertHistory,
  type PastChange,
} from './alerts/alertHistory.ts';
import { type AlertFilter, type AlertPosition, type ListedAlert, listAlerts } from './alerts/alertList.ts';
import { METRICS } from './alerts/metricCatalogue.ts';
import type { Dashboards } from './dashboards/dashboards.ts';
import { type FailingIntegration, listFailing } from './health/failingIntegrations.ts';
import type { HealthMonitor, HealthReport } from './health/healthMonitor.ts';
import { readPlatformLooks } from './health/probeQueries.ts';
import { type ProviderDown, providersDown } from './health/providersDown.ts';
import type { MetricQueryInput } from './metrics/metricQuery.ts';
import type { MetricAnswer, MetricSources } from './metrics/metricSources.ts';

const HEALTH_WAIT_MS = 1_000;
const HISTORY_DEADLINE_MS = 10_000;
const EVERYTHING: VisibleIntegrations = { kind: 'all' };

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly health: HealthMonitor;
  readonly metrics: MetricSources;
  readonly dashboards: Dashboards;
}

interface PageOf<Position> {
  /** Of the last one of the page before. */
  readonly before?: Position | null;
  readonly limit?: number;
}

export interface MetricInfo {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly aggregations: readonly string[];
  readonly labels: readonly string[];
}

export interface IntegrationsHealth {
  readonly states: Readonly<Record<'pass' | 'warn' | 'fail' | 'unknown', number>>;
  /** Providers that are down themselves: their integrations fail for it. */
  readonly providersDown: readonly ProviderDown[];
  /** The latest first; at most 100. */
  readonly failing: readonly FailingIntegration[];
}

/** Health, metrics, alerts and dashboards: what the product looks like now and looked like before. */
export class MonitoringService {
  readonly dashboards: Dashboards;
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.dashboards = deps.dashboards;
  }

  /** Services, system, security and integrations, each with what was seen, when, and from where on it is bad. */
  getHealth(waitMs: number = HEALTH_WAIT_MS): Promise<HealthReport> {
    return this.#deps.health.check(waitMs);
  }

  /** Which integrations work, as their calls or a probe have shown. */
  async getIntegrationsHealth(visible: VisibleIntegrations = EVERYTHING): Promise<IntegrationsHealth> {
    const { db } = this.#deps.database;
    const down = providersDown(await readPlatformLooks(db));
    const { states, failing } = await listFailing(db, visible, down);
    const seen = new Set(failing.map(({ platform }) => platform));
    // Whoever sees none of its integrations need not know of the provider.
    return {
      states,
      failing,
      providersDown: visible.kind === 'all' ? down : down.filter((one) => seen.has(one.platform)),
    };
  }

  /** Alerts that are not normal, those that changed last first, with what keeps anybody from being told of them. */
  getAlerts(
    { before = null, limit = LIMITS.pageSizeDefault, ...filter }: AlertFilter & PageOf<AlertPosition> = {},
    visible: VisibleIntegrations = EVERYTHING,
  ): Promise<ListedAlert[]> {
    const { database, clock } = this.#deps;
    return listAlerts(database.db, filter, visible, before, limit, clock.now());
  }

  /** What became of alerts within the last 30 days, newest first. */
  getAlertHistory(
    { before = null, limit = LIMITS.pageSizeDefault, ...filter }: AlertHistoryFilter & PageOf<ChangePosition> = {},
    visible: VisibleIntegrations = EVERYTHING,
  ): Promise<PastChange[]> {
    return this.#deps.database.transaction(async (tx) => {
      // Who may see little of a long history has it searched for that; it does not run without end.
      await sql`set local statement_timeout = ${sql.lit(HISTORY_DEADLINE_MS)}`.execute(tx);
      return listAlertHistory(tx, filter, visible, before, limit);
    });
  }

  /** Every metric that can be asked for. */
  listMetrics(): MetricInfo[] {
    return Object.entries(METRICS)
      .filter(([name]) => this.#deps.metrics.isChartable(name))
      .map(([name, info]) => ({ name, ...info }));
  }

  /**
   * One value of each group over a window, or points in time.
   * @throws InvalidInputError with every problem of the query; MetricQueryTooLargeError
   */
  queryMetrics(query: MetricQueryInput, visible: VisibleIntegrations = EVERYTHING): Promise<MetricAnswer> {
    return this.#deps.metrics.ask(query, visible, this.#deps.clock.now());
  }
}
