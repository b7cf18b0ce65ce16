import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Aggregation, LabelFilter, MetricQuery, MetricSource } from '../alerts/types.ts';

/** What a metric is, for whoever asks for it. */
export interface MetricDescription {
  readonly name: string;
  readonly title: string;
  /** `ms`, `%`, `calls`, `calls/s`, `bytes` … */
  readonly unit: string;
  /** Labels it can be filtered and grouped by. */
  readonly labels: readonly string[];
  readonly aggregations: readonly Aggregation[];
}

/** A query over steps of time, for charts: the window is the step. */
export interface MetricRangeQuery extends Omit<MetricQuery, 'windowMs'> {
  /** Epoch milliseconds. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly untilMs: number;
  /** Whole minutes, hours or days; the steps are aligned to them in UTC. */
  readonly stepMs: number;
  /** Whose integrations count. */
  readonly visible: VisibleIntegrations;
}

export interface MetricPoint {
  /** Start of the step, epoch milliseconds. */
  readonly atMs: number;
  readonly value: number | null;
  /** Measurements that the value is made of. */
  readonly samples: number;
}

export interface MetricSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Steps in which something was measured, in order of time. */
  readonly points: readonly MetricPoint[];
}

/** A source whose past can be asked for too. */
export interface ChartableSource extends MetricSource {
  readonly metrics: readonly MetricDescription[];
  range(query: MetricRangeQuery, signal?: AbortSignal): Promise<readonly MetricSeries[]>;
}
