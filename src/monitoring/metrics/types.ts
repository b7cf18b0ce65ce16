import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { MetricQuery, MetricSource } from '../alerts/types.ts';

/** A query over a span of time, in steps. */
export interface MetricRangeQuery extends Omit<MetricQuery, 'windowMs'> {
  /** Epoch milliseconds. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly untilMs: number;
  /** Whole minutes; steps are aligned to them in UTC. Null: one step over all of it. */
  readonly stepMs: number | null;
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
  range(query: MetricRangeQuery, signal?: AbortSignal): Promise<readonly MetricSeries[]>;
}
