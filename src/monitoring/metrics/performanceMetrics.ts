import { type RawBuilder, sql } from 'kysely';
import { invalidInput } from '../../core/input.ts';
import { isVisible } from '../../integrations/visibleIntegrations.ts';
import type { Histogram } from '../../performance/histogram.ts';
import { decodePhases } from '../../performance/store/seriesBytes.ts';
import { bucketRows } from '../../performance/store/seriesQueries.ts';
import { bucketStart, type Phase, RESOLUTION_MS, type Resolution } from '../../performance/types.ts';
import type { Database } from '../../store/database.ts';
import type { Aggregation, LabelFilter, MetricQuery, MetricSample } from '../alerts/types.ts';
import { MetricQueryTooLargeError } from '../errors.ts';
import type { ChartableSource, MetricPoint, MetricRangeQuery, MetricSeries } from './types.ts';

const QUERY_TIMEOUT_MS = 10_000;
/** Rows of histograms read for one query: ten thousand integrations with a handful of series for ten minutes. */
const MAX_ROWS = 500_000;

const COLUMNS: Readonly<Record<string, RawBuilder<unknown>>> = {
  integrationId: sql`part.integration_id`,
  platform: sql`i.platform`,
  operation: sql`part.operation`,
  outcome: sql`part.outcome`,
};
const LABELS = Object.keys(COLUMNS);

const PHASES: Readonly<Record<string, Phase>> = {
  response_time_ms: 'total',
  connect_ms: 'connect',
  first_byte_ms: 'first_byte',
  body_ms: 'body',
  queue_ms: 'queue',
  rate_limit_ms: 'rate_limit',
  backoff_ms: 'backoff',
  write_ms: 'write',
};
const COUNTS: readonly string[] = ['calls', 'throughput', 'error_rate', 'success_rate', 'response_bytes'];

const QUANTILES: Partial<Record<Aggregation, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 };

/** Queries over what the recorder measures of outgoing calls. A call counts in the minute in which it ended. */
export class PerformanceMetrics implements ChartableSource {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  has(metric: string): boolean {
    return COUNTS.includes(metric) || Object.hasOwn(PHASES, metric);
  }

  /**
   * Over the window up to `atMs`, from the start of the minute in which it begins: windows are whole minutes, and one
   * that begins within a minute reaches up to one further.
   */
  async query(query: MetricQuery, atMs: number, signal?: AbortSignal): Promise<readonly MetricSample[]> {
    const span = { fromMs: atMs - query.windowMs, untilMs: atMs + 1, stepMs: null };
    const series = await this.range({ ...query, ...span, visible: { kind: 'all' } }, signal);
    return series.map(({ labels, points: [point] }) => ({ labels, value: point!.value, samples: point!.samples }));
  }

  async range(query: MetricRangeQuery, signal?: AbortSignal): Promise<readonly MetricSeries[]> {
    signal?.throwIfAborted();
    const phase = PHASES[query.metric];
    const plain = phase === undefined || (phase === 'total' && ['avg', 'sum', 'count'].includes(query.aggregation));
    const cells = plain ? await this.#readSums(query) : await this.#readHistograms(query, phase);
    const series = new Map<string, { labels: Record<string, string>; points: MetricPoint[] }>();
    for (const cell of cells) {
      const key = JSON.stringify(cell.labels);
      const known = series.get(key) ?? {
        labels: Object.fromEntries(query.groupBy.map((label, at) => [label, cell.labels[at]!])),
        points: [],
      };
      known.points.push({ atMs: cell.step, ...pointOf(query, cell) });
      series.set(key, known);
    }
    for (const { points } of series.values()) points.sort((a, b) => a.atMs - b.atMs);
    return [...series.values()];
  }

  async #readSums(question: MetricRangeQuery): Promise<Cell[]> {
    const rows = await this.#run<SumRow>(sql`
      select ${labelsOf(question)} as labels, ${stepOf(question)} as step, sum(part.calls)::bigint as calls,
        coalesce(sum(part.calls) filter (where part.outcome = 'success'), 0)::bigint as succeeded,
        sum(part.total_ms) as total_ms, sum(part.response_bytes)::bigint as bytes
      from ${from(question)} group by 1, 2`);
    return rows.map((row) => ({ ...row, histogram: null }));
  }

  /** Histograms are merged here: the database cannot look into them. */
  async #readHistograms(question: MetricRangeQuery, phase: Phase): Promise<Cell[]> {
    const rows = await this.#run<HistogramRow>(sql`
      select ${labelsOf(question)} as labels, ${stepOf(question)} as step, part.phases
      from ${from(question)} limit ${MAX_ROWS + 1}`);
    if (rows.length > MAX_ROWS) throw new MetricQueryTooLargeError(MAX_ROWS);
    const cells = new Map<string, Cell & { readonly histogram: Histogram }>();
    for (const { labels, step, phases } of rows) {
      const histogram = decodePhases(phases, phase).get(phase);
      if (histogram === undefined) continue;
      const key = JSON.stringify([labels, step]);
      const known = cells.get(key);
      if (known === undefined)
        cells.set(key, { labels, step, calls: 0, succeeded: 0, total_ms: 0, bytes: 0, histogram });
      else known.histogram.merge(histogram);
    }
    return [...cells.values()];
  }

  async #run<Row extends object>(query: RawBuilder<unknown>): Promise<Row[]> {
    return this.#database.transaction(async (tx) => {
      await sql`select set_config('statement_timeout', ${String(QUERY_TIMEOUT_MS)}, true)`.execute(tx);
      return (await sql<Row>`${query}`.execute(tx)).rows;
    });
  }
}

interface SumRow {
  readonly labels: readonly string[];
  readonly step: number;
  readonly calls: number;
  readonly succeeded: number;
  readonly total_ms: number;
  readonly bytes: number;
}

interface HistogramRow {
  readonly labels: readonly string[];
  readonly step: number;
  readonly phases: Buffer;
}

interface Cell extends SumRow {
  readonly histogram: Histogram | null;
}

function pointOf(query: MetricRangeQuery, cell: Cell): Pick<MetricPoint, 'value' | 'samples'> {
  const { metric, aggregation } = query;
  const perMs = query.stepMs ?? query.untilMs - query.fromMs;
  const { calls, histogram } = cell;
  if (histogram !== null) return { value: statisticOf(histogram, aggregation), samples: histogram.count };
  const perSecond = (amount: number) => (1_000 * amount) / perMs;
  const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  const value = () => {
    switch (metric) {
      case 'calls':
        return aggregation === 'rate' ? perSecond(calls) : calls;
      case 'throughput':
        return perSecond(calls);
      case 'error_rate':
        return ratio(100 * (calls - cell.succeeded), calls);
      case 'success_rate':
        return ratio(100 * cell.succeeded, calls);
      case 'response_bytes':
        if (aggregation === 'count') return calls;
        if (aggregation === 'avg') return ratio(cell.bytes, calls);
        return aggregation === 'rate' ? perSecond(cell.bytes) : cell.bytes;
      default:
        return aggregation === 'avg' ? ratio(cell.total_ms, calls) : aggregation === 'sum' ? cell.total_ms : calls;
    }
  };
  return { value: value(), samples: calls };
}

function statisticOf(histogram: Histogram, aggregation: Aggregation): number | null {
  const quantile = QUANTILES[aggregation];
  if (quantile !== undefined) return histogram.quantile(quantile);
  if (histogram.count === 0) return null;
  if (aggregation === 'min') return histogram.min;
  if (aggregation === 'max') return histogram.max;
  if (aggregation === 'sum') return histogram.sum;
  return aggregation === 'count' ? histogram.count : histogram.sum / histogram.count;
}

function from(question: MetricRangeQuery): RawBuilder<unknown> {
  const { filter, fromMs, untilMs, visible } = question;
  const wanted = sql`part.bucket >= ${new Date(bucketStart(fromMs, resolutionOf(question)))} and part.bucket < ${new Date(untilMs)}`;
  const conditions = [isVisible(visible), ...filter.map(conditionOf)];
  return sql`(${bucketRows(resolutionOf(question), wanted)}) part
    join integrations i on i.id = part.integration_id
    where ${sql.join(conditions, sql` and `)}`;
}

/** The coarsest that the steps are made of. */
function resolutionOf({ stepMs }: MetricRangeQuery): Resolution {
  if (stepMs === null) return 'minute';
  if (stepMs % RESOLUTION_MS.day === 0) return 'day';
  return stepMs % RESOLUTION_MS.hour === 0 ? 'hour' : 'minute';
}

function stepOf({ fromMs, stepMs }: MetricRangeQuery): RawBuilder<unknown> {
  if (stepMs === null) return sql`${fromMs}::double precision`;
  return sql`floor(extract(epoch from part.bucket)::double precision * 1000 / ${stepMs}::double precision) * ${stepMs}::double precision`;
}

function labelsOf({ groupBy }: MetricRangeQuery): RawBuilder<unknown> {
  return sql`array[${sql.join(groupBy.map(columnOf))}]::text[]`;
}

function conditionOf({ label, op, values }: LabelFilter): RawBuilder<unknown> {
  const column = columnOf(label);
  return op === 'in' ? sql`${column} = any(${[...values]}::text[])` : sql`${column} <> all(${[...values]}::text[])`;
}

function columnOf(label: string): RawBuilder<unknown> {
  if (Object.hasOwn(COLUMNS, label)) return COLUMNS[label]!;
  const detail = `has no label ${JSON.stringify(label)}. Known are: ${LABELS.join(', ')}.`;
  throw invalidInput('The metric query', [{ pointer: '/groupBy', detail }]);
}
