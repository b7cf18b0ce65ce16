import { type RawBuilder, sql } from 'kysely';
import { invalidInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import type { Aggregation, LabelFilter, MetricQuery, MetricSample } from '../alerts/types.ts';
import type { ChartableSource, MetricDescription, MetricRangeQuery, MetricSeries } from './types.ts';

const LABELS = ['replica'] as const;
const AGGREGATIONS = ['avg', 'min', 'max', 'last', 'count'] as const;

const METRICS: Readonly<Record<string, readonly [title: string, unit: string]>> = {
  process_cpu: ['Processors that the process uses', 'cores'],
  process_memory_bytes: ['Memory of the process (resident set)', 'bytes'],
  process_heap_bytes: ['JavaScript objects in use', 'bytes'],
  event_loop_delay_ms: ['Longest delay of the event loop', 'ms'],
  pool_connections: ['Open connections to the database', 'connections'],
  pool_idle: ['Idle connections to the database', 'connections'],
  pool_waiting: ['Queries that wait for a connection', 'queries'],
  disk_free_ratio: ['Share of the disk that is free', ''],
  disk_free_bytes: ['Free space of the disk', 'bytes'],
};

const VALUES: Partial<Record<Aggregation, RawBuilder<number>>> = {
  avg: sql`sum(total) / sum(samples)`,
  min: sql`min(smallest)`,
  max: sql`max(largest)`,
  last: sql`(array_agg(latest order by latest_at desc))[1]`,
  count: sql`sum(samples)::double precision`,
};

/** Queries over what every process sees of itself. */
export class SystemMetrics implements ChartableSource {
  readonly metrics: readonly MetricDescription[] = Object.entries(METRICS).map(([name, [title, unit]]) => ({
    name,
    title,
    unit,
    labels: LABELS,
    aggregations: AGGREGATIONS,
  }));
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  has(metric: string): boolean {
    return Object.hasOwn(METRICS, metric);
  }

  async query(query: MetricQuery, atMs: number): Promise<readonly MetricSample[]> {
    const { windowMs } = query;
    const series = await this.#read(query, sql`0::double precision`, atMs - windowMs, atMs + 1);
    return series.map(({ labels, points: [point] }) => ({ labels, value: point!.value, samples: point!.samples }));
  }

  /** Of processes, not of integrations: `visible` is not asked. */
  range(query: MetricRangeQuery): Promise<readonly MetricSeries[]> {
    const { stepMs, fromMs, untilMs } = query;
    const step = sql<number>`
      floor(extract(epoch from bucket)::double precision * 1000 / ${stepMs}::double precision) * ${stepMs}::double precision`;
    return this.#read(query, step, fromMs, untilMs);
  }

  async #read(
    query: Omit<MetricQuery, 'windowMs'>,
    step: RawBuilder<number>,
    fromMs: number,
    untilMs: number,
  ): Promise<MetricSeries[]> {
    const grouped = query.groupBy.map(columnOf);
    const conditions = [
      sql`metric = ${query.metric}`,
      sql`bucket >= ${new Date(Math.floor(fromMs / 60_000) * 60_000)}`,
      sql`bucket < ${new Date(untilMs)}`,
      ...query.filter.map(conditionOf),
    ];
    const { rows } = await sql<{ labels: string[]; step: number; value: number; samples: number }>`
      select array[${sql.join(grouped)}]::text[] as labels, ${step} as step,
        ${valueOf(query.aggregation)} as value, sum(samples)::int as samples
      from system_minutes where ${sql.join(conditions, sql` and `)}
      group by 1, 2 order by 1, 2`.execute(this.#database.db);
    const series = new Map<string, MetricSeries & { points: MetricSeries['points'][number][] }>();
    for (const { labels, step: atMs, value, samples } of rows) {
      const key = JSON.stringify(labels);
      const known = series.get(key) ?? {
        labels: Object.fromEntries(query.groupBy.map((label, at) => [label, labels[at]!])),
        points: [],
      };
      known.points.push({ atMs, value, samples });
      series.set(key, known);
    }
    return [...series.values()];
  }
}

function valueOf(aggregation: Aggregation): RawBuilder<number> {
  const value = VALUES[aggregation];
  if (value !== undefined) return value;
  const detail = `takes one of ${AGGREGATIONS.join(', ')} for this metric.`;
  throw invalidInput('The metric query', [{ pointer: '/aggregation', detail }]);
}

function conditionOf({ label, op, values }: LabelFilter): RawBuilder<unknown> {
  const column = columnOf(label);
  return op === 'in' ? sql`${column} = any(${[...values]}::text[])` : sql`${column} <> all(${[...values]}::text[])`;
}

function columnOf(label: string): RawBuilder<unknown> {
  if (label === 'replica') return sql`replica`;
  const detail = `has no label ${JSON.stringify(label)}. Known is: replica.`;
  throw invalidInput('The metric query', [{ pointer: '/groupBy', detail }]);
}
