import type { Clock } from '../core/clock.ts';
import type { VisibleIntegrations } from '../integrations/visibleIntegrations.ts';
import type { Database } from '../store/database.ts';
import { METRICS } from './alerts/metricCatalogue.ts';
import type { Dashboards } from './dashboards/dashboards.ts';
import { type FailingIntegration, listFailing } from './health/failingIntegrations.ts';
import type { HealthMonitor, HealthReport } from './health/healthMonitor.ts';
import { readPlatformLooks } from './health/probeQueries.ts';
import { type ProviderDown, providersDown } from './health/providersDown.ts';
import type { MetricQueryInput } from './metrics/metricQuery.ts';
import type { MetricAnswer, MetricSources } from './metrics/metricSources.ts';

const HEALTH_WAIT_MS = 1_000;
const EVERYTHING: VisibleIntegrations = { kind: 'all' };

interface Dependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly health: HealthMonitor;
  readonly metrics: MetricSources;
  readonly dashboards: Dashboards;
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

/** Health, metrics and dashboards: what the product looks like now and looked like before. */
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
