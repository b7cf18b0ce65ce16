import { setImmediate as nextTurn } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { Clock } from '../../core/clock.ts';
import { listConditions, type VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Database } from '../../store/database.ts';
import { ERROR_BOUND_PERCENT } from '../analysis/performanceMetrics.ts';
import { Histogram } from '../histogram.ts';
import { mergeEncoded } from '../histogramBytes.ts';
import type { AnomalySeries } from '../watch/anomalyQueries.ts';

const MOST_LISTED = 10;
const WINDOW_SECONDS = 86_400;
const ALL: VisibleIntegrations = { kind: 'all' };
/** Rows that all histograms come in; a power of two. */
const GROUPS = 32;

/** What was measured or reported of all integrations together. Rates are percentages, times milliseconds. */
interface Totals {
  readonly integrations: number;
  readonly totalRequests: number;
  readonly failedRequests: number;
  readonly successRate: number | null;
  readonly errorRate: number | null;
  readonly avgResponseTime: number | null;
  /** Requests a second. */
  readonly throughput: number;
}

export interface PerformanceSummary extends Totals {
  readonly monitoring: 'on' | 'off';
  readonly source: 'measured';
  readonly windowHours: 24;
  /** Over the calls of all integrations, within `errorBound` percent; null without calls. */
  readonly p50ResponseTime: number | null;
  readonly p95ResponseTime: number | null;
  readonly p99ResponseTime: number | null;
  readonly errorBound: number;
  /** Mean of the integrations that have a score; null when none has. */
  readonly averageScore: number | null;
  readonly scoredIntegrations: number;
  readonly degradedIntegrations: number;
  /** Minutes that stood out. */
  readonly anomalies: number;
  /** The same of what callers reported, which is in none of the numbers above. */
  readonly reported: Totals & { readonly averageScore: number | null };
  /** ISO 8601: the oldest of the rows this was made of; null when there are none. */
  readonly asOf: string | null;
}

/** An integration, where it is named for something. */
export interface RankedIntegration {
  readonly integrationId: string;
  /** Null where the id is no integration's here, as in reports of a library. */
  readonly name: string | null;
  readonly platform: string | null;
  readonly source: 'measured' | 'reported';
  readonly overallScore: number | null;
  readonly totalRequests: number;
  readonly errorRate: number | null;
  readonly p95ResponseTime: number | null;
  /** How many times slower than before it has become; null when it has not. */
  readonly degradation: number | null;
}

export interface GlobalPerformanceReport {
  readonly summary: PerformanceSummary;
  /** At most ten each, worst first. */
  readonly lowestScores: readonly RankedIntegration[];
  readonly slowest: readonly RankedIntegration[];
  readonly mostErrors: readonly RankedIntegration[];
  readonly degraded: readonly RankedIntegration[];
  readonly busiest: readonly RankedIntegration[];
  readonly recentAnomalies: readonly {
    readonly integrationId: string;
    readonly series: AnomalySeries;
    readonly at: string;
    readonly value: number;
    readonly baseline: number | null;
    readonly score: number;
  }[];
}

interface SummaryRow {
  readonly source: 'measured' | 'reported';
  readonly integrations: number;
  readonly calls: number;
  readonly failed: number;
  readonly total_ms: number;
  readonly score: number | null;
  readonly scored: number;
  readonly degraded: number;
  readonly alarms: number;
  readonly as_of: Date;
}

/** Reports over the summaries of all integrations, or of those that somebody may see. */
export class GlobalReports {
  readonly #deps: { database: Database; clock: Clock; monitoring: 'on' | 'off' };

  constructor(deps: { database: Database; clock: Clock; monitoring: 'on' | 'off' }) {
    this.#deps = deps;
  }

  async summary(visible: VisibleIntegrations = ALL): Promise<PerformanceSummary> {
    const [{ rows }, merged] = await Promise.all([this.#sums(visible), this.#merge(visible)]);
    const measured = rows.find(({ source }) => source === 'measured');
    const reported = rows.find(({ source }) => source === 'reported');
    return {
      monitoring: this.#deps.monitoring,
      source: 'measured',
      windowHours: 24,
      ...totalsOf(measured),
      p50ResponseTime: merged.quantile(0.5),
      p95ResponseTime: merged.quantile(0.95),
      p99ResponseTime: merged.quantile(0.99),
      errorBound: ERROR_BOUND_PERCENT,
      averageScore: averageOf(measured),
      scoredIntegrations: measured?.scored ?? 0,
      degradedIntegrations: measured?.degraded ?? 0,
      anomalies: measured?.alarms ?? 0,
      reported: { ...totalsOf(reported), averageScore: averageOf(reported) },
      asOf: rows.length === 0 ? null : new Date(Math.min(...rows.map((row) => row.as_of.getTime()))).toISOString(),
    };
  }

  async report(visible: VisibleIntegrations = ALL): Promise<GlobalPerformanceReport> {
    const rank = (order: RawBuilder<unknown>, where = sql`true`) => this.#rank(visible, order, where);
    const [summary, lowestScores, slowest, mostErrors, degraded, busiest, recentAnomalies] = await Promise.all([
      this.summary(visible),
      rank(sql`s.score`, sql`s.score is not null`),
      rank(sql`s.p95_ms desc`, sql`s.p95_ms is not null`),
      rank(sql`s.failed / s.calls::double precision desc, s.failed desc`, sql`s.failed > 0 and s.calls > 0`),
      rank(sql`s.degradation_ratio desc`, sql`s.degradation_ratio is not null`),
      rank(sql`s.calls desc`, sql`s.calls > 0`),
      this.#anomalies(visible),
    ]);
    return { summary, lowestScores, slowest, mostErrors, degraded, busiest, recentAnomalies };
  }

  #sums(visible: VisibleIntegrations) {
    return sql<SummaryRow>`
      select s.source, count(*)::int as integrations, sum(s.calls)::bigint as calls, sum(s.failed)::bigint as failed,
        sum(s.total_ms) as total_ms, avg(s.score)::double precision as score, count(s.score)::int as scored,
        count(*) filter (where s.degradation = 'degraded')::int as degraded, sum(s.alarms)::int as alarms,
        min(s.refreshed_at) as as_of
      ${from(visible)} group by s.source`.execute(this.#deps.database.db);
  }

  /** Histograms come some hundred in a row of the answer, each after its length: ten thousand rows take longer to read. */
  async #merge(visible: VisibleIntegrations): Promise<Histogram> {
    const { rows } = await sql<{ histograms: Buffer }>`
      select string_agg(int4send(length(s.histogram)) || s.histogram, ''::bytea) as histograms
      ${from(visible)} and s.histogram is not null
      group by hashtext(s.integration_id) & ${GROUPS - 1}`.execute(this.#deps.database.db);
    const merged = new Histogram();
    for (const { histograms } of rows) {
      for (let at = 0; at < histograms.length; ) {
        const start = at + 4;
        at = start + histograms.readUInt32BE(at);
        mergeEncoded(merged, histograms.subarray(start, at));
      }
      // Others get their turn.
      await nextTurn();
    }
    return merged;
  }

  async #rank(
    visible: VisibleIntegrations,
    order: RawBuilder<unknown>,
    where: RawBuilder<unknown>,
  ): Promise<RankedIntegration[]> {
    const { rows } = await sql<RankedIntegration>`
      select s.integration_id as "integrationId", i.name, i.platform, s.source, s.score as "overallScore",
        s.calls as "totalRequests", 100 * s.failed / nullif(s.calls, 0)::double precision as "errorRate",
        s.p95_ms as "p95ResponseTime", s.degradation_ratio as degradation
      ${from(visible)} and ${where}
      order by ${order}, s.integration_id limit ${MOST_LISTED}`.execute(this.#deps.database.db);
    return rows;
  }

  async #anomalies(visible: VisibleIntegrations) {
    const since = new Date(this.#deps.clock.now() - WINDOW_SECONDS * 1_000);
    const { rows } = await sql<Omit<GlobalPerformanceReport['recentAnomalies'][number], 'at'> & { bucket: Date }>`
      select a.integration_id as "integrationId", a.series, a.bucket, a.value, a.expected as baseline, a.score
      from performance_anomalies a left join integrations i on i.id = a.integration_id
      where a.bucket >= ${since} and ${seen(visible)}
      order by a.bucket desc, a.integration_id, a.series limit ${MOST_LISTED}`.execute(this.#deps.database.db);
    return rows.map(({ bucket, ...rest }) => ({ ...rest, at: bucket.toISOString() }));
  }
}

function from(visible: VisibleIntegrations): RawBuilder<unknown> {
  return sql`
    from performance_summaries s left join integrations i on i.id = s.integration_id
    where ${seen(visible)}`;
}

/** Ids that are no integration's here are for those who may see everything. */
function seen(visible: VisibleIntegrations): RawBuilder<boolean> {
  const conditions = listConditions({}, null, visible);
  if (visible.kind === 'all') return sql<boolean>`(i.id is null or ${conditions})`;
  if (visible.kind === 'none' || visible.only === null) return sql<boolean>`(i.id is not null and ${conditions})`;
  const { ids, owners, platforms } = visible.only;
  return sql<boolean>`(i.id is not null and ${conditions} and (i.id = any(${[...ids]}::text[])
    or i.owner = any(${[...owners]}::text[]) or i.platform = any(${[...platforms]}::text[])))`;
}

function totalsOf(row: SummaryRow | undefined): Totals {
  const calls = row?.calls ?? 0;
  const failed = row?.failed ?? 0;
  return {
    integrations: row?.integrations ?? 0,
    totalRequests: calls,
    failedRequests: failed,
    successRate: calls === 0 ? null : (100 * (calls - failed)) / calls,
    errorRate: calls === 0 ? null : (100 * failed) / calls,
    avgResponseTime: calls === 0 ? null : (row?.total_ms ?? 0) / calls,
    throughput: calls / WINDOW_SECONDS,
  };
}

/** With the one decimal that scores have. */
function averageOf(row: SummaryRow | undefined): number | null {
  return row === undefined || row.score === null ? null : Math.round(row.score * 10) / 10;
}
