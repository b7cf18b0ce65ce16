import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import { errorMessage } from '../core/errors.ts';
import { invalidInput } from '../core/input.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { totalsOf } from './analysis/measuredWindow.ts';
import { readReportedSeries } from './reported/reportedQueries.ts';
import { readSeries } from './store/seriesQueries.ts';
import { bucketStart, RESOLUTION_MS, type Resolution } from './types.ts';

const DAY_MS = 86_400_000;
/** Integrations whose history is held: some tens of kilobytes each. */
const MOST_HELD = 200;
/** What is older is read anew in the background when somebody asks. */
const FRESH_MS = 60_000;
const HELD_DAYS = 7;
/** Of one answer: a month of hours, half a day of minutes. */
const MOST_POINTS = 750;

/** One minute, hour or day. Times are milliseconds; percentiles within 1.083 % where they are measured. */
export interface PerformancePoint {
  /** ISO 8601. */
  readonly start: string;
  readonly source: 'measured' | 'reported';
  readonly totalRequests: number;
  readonly failedRequests: number;
  readonly errorRate: number | null;
  readonly avgResponseTime: number | null;
  readonly p50ResponseTime: number | null;
  readonly p95ResponseTime: number | null;
  readonly p99ResponseTime: number | null;
}

export interface PerformanceData {
  readonly integrationId: string;
  readonly resolution: Resolution;
  /** ISO 8601; `until` is exclusive. */
  readonly from: string;
  readonly until: string;
  /** In order of time; buckets without calls are left out. */
  readonly points: readonly PerformancePoint[];
  /** When it was read. */
  readonly asOf: string;
}

export interface HistoryQuestion {
  /** Default `hour`. */
  readonly resolution?: Resolution;
  /** Epoch milliseconds. Default: 500 minutes, seven days of hours or a year of days before `untilMs`. */
  readonly fromMs?: number;
  /** Exclusive. Default now. */
  readonly untilMs?: number;
}

const DEFAULT_SPAN_MS: Readonly<Record<Resolution, number>> = {
  minute: 500 * RESOLUTION_MS.minute,
  hour: HELD_DAYS * DAY_MS,
  day: 365 * DAY_MS,
};

/** Reads series, and holds the last week of those asked for lately. */
export class PerformanceHistory {
  readonly #deps: { database: Database; clock: Clock; log: Log };
  readonly #held = new LRUCache<string, { data: PerformanceData; readMs: number }>({ max: MOST_HELD });
  readonly #reading = new Map<string, Promise<void>>();

  constructor(deps: { database: Database; clock: Clock; log: Log }) {
    this.#deps = deps;
  }

  /** The last week by hours, as far as it is held; undefined while it is read for the first time. */
  held(integrationId: string): PerformanceData | undefined {
    const held = this.#held.get(integrationId);
    const isFresh = held !== undefined && this.#deps.clock.now() - held.readMs < FRESH_MS;
    if (!isFresh && !this.#reading.has(integrationId) && this.#reading.size < MOST_HELD) {
      const reading = this.#refresh(integrationId).finally(() => this.#reading.delete(integrationId));
      this.#reading.set(integrationId, reading);
    }
    return held?.data;
  }

  /**
   * Measured and reported points; where both are, measured ones come first.
   * @throws InvalidInputError more than 750 buckets lie between `fromMs` and `untilMs`
   */
  async read(integrationId: string, question: HistoryQuestion = {}): Promise<PerformanceData> {
    const { database, clock } = this.#deps;
    const resolution = question.resolution ?? 'hour';
    const untilMs = question.untilMs ?? clock.now();
    const fromMs = bucketStart(question.fromMs ?? untilMs - DEFAULT_SPAN_MS[resolution], resolution);
    if (fromMs >= untilMs) throw invalidInput('The time', [{ pointer: '/from', detail: 'has to be before until.' }]);
    const buckets = Math.ceil((untilMs - fromMs) / RESOLUTION_MS[resolution]);
    if (buckets > MOST_POINTS)
      throw invalidInput('The time', [
        { pointer: '/from', detail: `is ${buckets} ${resolution}s before until; at most ${MOST_POINTS} are answered.` },
      ]);
    const [measured, reported] = await Promise.all([
      readSeries(database, { integrationId, resolution, fromMs, untilMs, phase: 'total' }),
      readReportedSeries(database, integrationId, resolution, fromMs, untilMs),
    ]);
    const points = [
      ...[...Map.groupBy(measured, ({ startMs }) => startMs)].map(([startMs, parts]): PerformancePoint => {
        const { calls, failed, totalMs, phases } = totalsOf(parts);
        const total = phases.get('total');
        return {
          start: new Date(startMs).toISOString(),
          source: 'measured',
          totalRequests: calls,
          failedRequests: failed,
          errorRate: calls === 0 ? null : (100 * failed) / calls,
          avgResponseTime: calls === 0 ? null : totalMs / calls,
          p50ResponseTime: total?.quantile(0.5) ?? null,
          p95ResponseTime: total?.quantile(0.95) ?? null,
          p99ResponseTime: total?.quantile(0.99) ?? null,
        };
      }),
      ...reported.map((one): PerformancePoint => {
        const errorShare = one.ratedWeight > 0 ? one.failedWeight / one.ratedWeight : null;
        return {
          start: new Date(one.startMs).toISOString(),
          source: 'reported',
          totalRequests: one.requests,
          failedRequests: Math.round((errorShare ?? 0) * one.requests),
          errorRate: errorShare === null ? null : 100 * errorShare,
          avgResponseTime: one.timedWeight > 0 ? one.timedMs / one.timedWeight : null,
          p50ResponseTime: one.p50Ms,
          p95ResponseTime: one.p95Ms,
          p99ResponseTime: one.p99Ms,
        };
      }),
    ].toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
    return {
      integrationId,
      resolution,
      from: new Date(fromMs).toISOString(),
      until: new Date(untilMs).toISOString(),
      points,
      asOf: new Date(clock.now()).toISOString(),
    };
  }

  /** Reads the last week anew, and holds it. */
  async load(integrationId: string): Promise<PerformanceData> {
    const data = await this.read(integrationId);
    this.#held.set(integrationId, { data, readMs: this.#deps.clock.now() });
    return data;
  }

  /** Resolves when nothing is read in the background any more. */
  async close(): Promise<void> {
    await Promise.all(this.#reading.values());
  }

  async #refresh(integrationId: string): Promise<void> {
    try {
      await this.load(integrationId);
    } catch (error) {
      this.#deps.log.warn('The history of an integration cannot be read', {
        integrationId,
        reason: errorMessage(error),
      });
    }
  }
}
