import { invalidInput } from '../../core/input.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { MetricQuery, MetricSample, MetricSource } from '../alerts/types.ts';
import { MetricQueryTooLargeError } from '../errors.ts';
import { parseMetricQuery } from './metricQuery.ts';
import type { ChartableSource, MetricRangeQuery, MetricSeries } from './types.ts';

/** Series of one answer: more than a chart can show. */
const MAX_SERIES = 1_000;

/** What is answered to people and charts. */
export interface MetricAnswer {
  readonly metric: string;
  readonly aggregation: string;
  /** ISO 8601. */
  readonly from: string;
  readonly until: string;
  /** Milliseconds between points; of a window, its length. */
  readonly stepMs: number;
  readonly series: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly points: readonly { readonly at: string; readonly value: number | null; readonly samples: number }[];
  }[];
}

/** Every metric there is, wherever it is measured: one place to ask for alerts, charts and people. */
export class MetricSources implements MetricSource {
  readonly #chartable: readonly ChartableSource[];
  readonly #others: readonly MetricSource[];

  /** The first that knows a metric answers for it. */
  constructor(chartable: readonly ChartableSource[], others: readonly MetricSource[]) {
    this.#chartable = chartable;
    this.#others = others;
  }

  has(metric: string): boolean {
    return this.#sourceOf(metric) !== undefined;
  }

  /** Whether its past can be asked for. */
  isChartable(metric: string): boolean {
    return this.#chartable.some((one) => one.has(metric));
  }

  async query(query: MetricQuery, atMs: number, signal?: AbortSignal): Promise<readonly MetricSample[]> {
    const source = this.#sourceOf(query.metric);
    if (source === undefined) throw unmeasured(query.metric);
    return source.query(query, atMs, signal);
  }

  /**
   * Answers a query written by people, over the integrations that they may see.
   * @throws InvalidInputError with every problem; MetricQueryTooLargeError
   */
  async ask(input: unknown, visible: VisibleIntegrations, nowMs: number): Promise<MetricAnswer> {
    const parsed = parseMetricQuery(input, nowMs);
    const { metric, aggregation } = parsed.query;
    const source = this.#chartable.find((one) => one.has(metric));
    if (source === undefined) throw unmeasured(metric);
    const range: MetricRangeQuery =
      parsed.kind === 'range'
        ? { ...parsed.query, visible }
        : { ...parsed.query, visible, fromMs: nowMs - parsed.query.windowMs, untilMs: nowMs + 1, stepMs: null };
    const series = await source.range(range);
    if (series.length > MAX_SERIES) throw new MetricQueryTooLargeError(MAX_SERIES, 'series');
    return {
      metric,
      aggregation,
      from: new Date(range.fromMs).toISOString(),
      // A window ends with the present millisecond; what it is read with ends behind that.
      until: new Date(parsed.kind === 'range' ? range.untilMs : nowMs).toISOString(),
      stepMs: parsed.kind === 'range' ? parsed.query.stepMs : parsed.query.windowMs,
      series: series.map(toAnswer),
    };
  }

  #sourceOf(metric: string): MetricSource | undefined {
    return [...this.#chartable, ...this.#others].find((one) => one.has(metric));
  }
}

function toAnswer({ labels, points }: MetricSeries) {
  return { labels, points: points.map(({ atMs, ...point }) => ({ at: new Date(atMs).toISOString(), ...point })) };
}

function unmeasured(metric: string) {
  return invalidInput('The metric query', [{ pointer: '/metric', detail: `${metric} cannot be asked for here.` }]);
}
