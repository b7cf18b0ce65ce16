import { type RawBuilder, sql } from 'kysely';
import { invalidInput } from '../../core/input.ts';
import type { Database } from '../../store/database.ts';
import type { Aggregation, LabelFilter, MetricQuery, MetricSample } from '../alerts/types.ts';
import { SYSTEM_METRICS } from './systemSamples.ts';
import type { ChartableSource, MetricRangeQuery, MetricSeries } from './types.ts';

const VALUES: Readonly<Record<Aggregation, RawBuilder<number>>> = {
  avg: sql`avg(one.value)`,
  min: sql`min(one.value)`,
  max: sql`max(one.value)`,
  sum: sql`sum(one.value)`,
  count: sql`count(*)::double precision`,
  rate: sql`avg(one.value)`,
  last: sql`(array_agg(one.value order by latest_at desc, one.place desc))[1]`,
  p50: sql`percentile_disc(0.5) within group (order by one.value)`,
  p95: sql`percentile_disc(0.95) within group (order by one.value)`,
  p99: sql`percentile_disc(0.99) within group (order by one.value)`,
};

/** Queries over what every process sees of itself. */
export class SystemMetrics implements ChartableSource {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  has(metric: string): boolean {
    return (SYSTEM_METRICS as readonly string[]).includes(metric);
  }

  async query(query: MetricQuery, atMs: number): Promise<readonly MetricSample[]> {
    const { windowMs } = query;
    const series = await this.#read(query, sql`0::double precision`, atMs - windowMs, atMs + 1);
    return series.map(({ labels, points: [point] }) => ({ labels, value: point!.value, samples: point!.samples }));
  }

  /** Of processes, not of integrations: `visible` is not asked. */
  range(query: MetricRangeQuery): Promise<readonly MetricSeries[]> {
    const { stepMs, fromMs, untilMs } = query;
    if (stepMs === null) return this.#read(query, sql`${fromMs}::double precision`, fromMs, untilMs);
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
        ${VALUES[query.aggregation]} as value, count(*)::int as samples
      from system_minutes cross join unnest(samples) with ordinality as one (value, place)
      where ${sql.join(conditions, sql` and `)}
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

function conditionOf({ label, op, values }: LabelFilter): RawBuilder<unknown> {
  const column = columnOf(label);
  return op === 'in' ? sql`${column} = any(${[...values]}::text[])` : sql`${column} <> all(${[...values]}::text[])`;
}

function columnOf(label: string): RawBuilder<unknown> {
  if (label === 'process') return sql`process`;
  const detail = `has no label ${JSON.stringify(label)}. Known is: process.`;
  throw invalidInput('The metric query', [{ pointer: '/groupBy', detail }]);
}
