import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';
import type { Database } from '../../store/database.ts';
import { Histogram } from '../histogram.ts';
import { readSeries } from '../store/seriesQueries.ts';
import type { Sample } from '../trend.ts';
import { bucketStart, RESOLUTION_MS } from '../types.ts';
import type { HourlyPercentiles, PerformanceStatistics } from './statistics.ts';
import type { StatisticsWorker } from './statisticsWorker.ts';

const HOURS = 30 * 24;
/** An hour with fewer calls has no percentile worth the name. */
const LEAST_CALLS = 5;
const MOST_HELD = 1_000;
/** An hour is taken for whole so long after its end. */
const GRACE_MS = 60_000;

export interface DatedStatistics {
  /** End of the last hour in them, epoch milliseconds. */
  readonly untilMs: number;
  readonly statistics: PerformanceStatistics;
}

/** Statistics of full hours, computed when an hour has come since the last time; kept here and with the summaries. */
export class StatisticsCache {
  readonly #deps: { database: Database; clock: Clock; worker: StatisticsWorker };
  readonly #held = new LRUCache<string, DatedStatistics>({ max: MOST_HELD });

  constructor(deps: { database: Database; clock: Clock; worker: StatisticsWorker }) {
    this.#deps = deps;
  }

  /**
   * @param maxAgeMs how long before the last full hour they may end
   * @throws UnavailableError
   */
  async get(integrationId: string, maxAgeMs = 0): Promise<DatedStatistics> {
    const { database, clock, worker } = this.#deps;
    const untilMs = bucketStart(clock.now() - GRACE_MS, 'hour');
    const isFresh = (one: DatedStatistics | undefined | null) => (one?.untilMs ?? 0) >= untilMs - maxAgeMs;
    const held = this.#held.get(integrationId);
    if (isFresh(held)) return held!;
    const stored = await this.#read(integrationId);
    if (isFresh(stored)) {
      this.#held.set(integrationId, stored!);
      return stored!;
    }
    const hours = await readHourlyPercentiles(database, integrationId, untilMs);
    const computed = { untilMs, statistics: await worker.compute(hours) };
    this.#held.set(integrationId, computed);
    return computed;
  }

  async #read(integrationId: string): Promise<DatedStatistics | null> {
    const row = await this.#deps.database.db
      .selectFrom('performance_summaries')
      .select(['statistics', 'statistics_until'])
      .where('integration_id', '=', integrationId)
      .where('source', '=', 'measured')
      .executeTakeFirst();
    if (row === undefined || row.statistics === null || row.statistics_until === null) return null;
    return { untilMs: row.statistics_until.getTime(), statistics: row.statistics as PerformanceStatistics };
  }
}

async function readHourlyPercentiles(
  database: Database,
  integrationId: string,
  untilMs: number,
): Promise<HourlyPercentiles> {
  const fromMs = untilMs - HOURS * RESOLUTION_MS.hour;
  const buckets = await readSeries(database, { integrationId, resolution: 'hour', fromMs, untilMs, phase: 'total' });
  const [p95, p99]: [Sample[], Sample[]] = [[], []];
  for (const [timeMs, parts] of Map.groupBy(buckets, ({ startMs }) => startMs)) {
    const total = new Histogram();
    for (const { phases } of parts) {
      const histogram = phases.get('total');
      if (histogram !== undefined) total.merge(histogram);
    }
    if (total.count < LEAST_CALLS) continue;
    p95.push({ timeMs, value: total.quantile(0.95)! });
    p99.push({ timeMs, value: total.quantile(0.99)! });
  }
  return { p95, p99 };
}
