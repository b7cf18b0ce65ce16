import { type Insertable, sql, type Transaction } from 'kysely';
import type { Clock } from '../../core/clock.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import type { Findings, PerformanceAnalyzer } from '../analysis/performanceAnalyzer.ts';
import { encodeHistogram } from '../histogramBytes.ts';

const BATCH = 50;
/** One run ends after this time; the next one goes on with those that have waited longest. */
const RUN_MS = 40_000;
const ACTIVE_EVERY_MS = 5 * 60_000;
/** The window moves on also where no calls come any more. */
const IDLE_EVERY_MS = 3_600_000;
/** Trend and change points cost up to some tenths of a second, so summaries take them as old as this. */
const STATISTICS_AGE_MS = 6 * 3_600_000;

/** Keeps the row of each integration that a report over all of them reads. */
export class SummaryRefresh {
  readonly #deps: { database: Database; clock: Clock; analyzer: PerformanceAnalyzer };

  constructor(deps: { database: Database; clock: Clock; analyzer: PerformanceAnalyzer }) {
    this.#deps = deps;
  }

  /** Sums up the integrations whose time has come. A claim moves that time on, so several processes share the work. */
  async run(signal: AbortSignal): Promise<void> {
    const { analyzer, clock } = this.#deps;
    const endMs = clock.monotonicMs() + RUN_MS;
    for (let claimed = await this.#claim(); claimed.length > 0; claimed = await this.#claim()) {
      for (const integrationId of claimed) {
        signal.throwIfAborted();
        await this.save(await analyzer.analyze(integrationId, { statisticsAgeMs: STATISTICS_AGE_MS, phases: false }));
      }
      if (clock.monotonicMs() > endMs) return;
    }
  }

  /** Keeps what was found, and has the integration summed up again while there is anything to tell. */
  async save(findings: Findings): Promise<void> {
    const { database, clock } = this.#deps;
    const { analysis, totals, reportedTotals } = findings;
    const { integrationId } = analysis;
    await database.transaction(async (tx) => {
      const isKnown = totals.calls > 0 || reportedTotals !== null;
      if (totals.calls > 0) await writeMeasured(tx, findings, clock.now());
      if (reportedTotals !== null) await writeReported(tx, findings, clock.now());
      const kept = [...(totals.calls > 0 ? ['measured'] : []), ...(reportedTotals === null ? [] : ['reported'])];
      await sql`
        delete from performance_summaries
        where integration_id = ${integrationId} and source <> all(${kept}::text[])`.execute(tx);
      await sql`
        insert into performance_watch (integration_id, summarize_at)
        select ${integrationId}, ${new Date(clock.now() + IDLE_EVERY_MS)} where ${isKnown}
        on conflict (integration_id) do update
          set summarize_at = coalesce(performance_watch.summarize_at, excluded.summarize_at)`.execute(tx);
    });
  }

  async #claim(): Promise<string[]> {
    const nowMs = this.#deps.clock.now();
    const now = new Date(nowMs);
    const { rows } = await sql<{ integration_id: string }>`
      with due as (
        select integration_id from performance_watch
        where summarize_at <= ${now} order by summarize_at limit ${BATCH} for update skip locked
      )
      update performance_watch w
      set summarize_at = case
        when w.active_until > ${now} then ${new Date(nowMs + ACTIVE_EVERY_MS)}::timestamptz
        when exists (select from performance_summaries s where s.integration_id = w.integration_id)
          then ${new Date(nowMs + IDLE_EVERY_MS)}::timestamptz
        end
      from due where due.integration_id = w.integration_id
      returning w.integration_id`.execute(this.#deps.database.db);
    return rows.map((row) => row.integration_id);
  }
}

async function writeMeasured(tx: Transaction<Schema>, findings: Findings, nowMs: number): Promise<void> {
  const { analysis, totals, total, statistics, alarms } = findings;
  const { metrics, degradation } = analysis;
  await upsert(tx, {
    integration_id: analysis.integrationId,
    source: 'measured',
    refreshed_at: new Date(nowMs),
    calls: totals.calls,
    failed: totals.failed,
    throttled: totals.throttled,
    total_ms: totals.totalMs,
    response_bytes: totals.responseBytes,
    p50_ms: metrics?.p50ResponseTime ?? null,
    p95_ms: metrics?.p95ResponseTime ?? null,
    p99_ms: metrics?.p99ResponseTime ?? null,
    score: analysis.overallScore,
    alarms,
    degradation: degradation.verdict,
    degradation_ratio: degradation.verdict === 'degraded' ? degradation.ratio : null,
    histogram: total === null ? null : Buffer.from(encodeHistogram(total)),
    statistics: JSON.stringify(statistics.statistics),
    statistics_until: new Date(statistics.untilMs),
  });
}

async function writeReported(tx: Transaction<Schema>, findings: Findings, nowMs: number): Promise<void> {
  const { analysis, reportedScore } = findings;
  const { reported } = analysis;
  await upsert(tx, {
    integration_id: analysis.integrationId,
    source: 'reported',
    refreshed_at: new Date(nowMs),
    calls: reported!.totalRequests,
    failed: reported!.failedRequests ?? 0,
    throttled: 0,
    total_ms: (reported!.avgResponseTime ?? 0) * reported!.totalRequests,
    response_bytes: reported!.responseBytes,
    p50_ms: reported!.p50ResponseTime,
    p95_ms: reported!.p95ResponseTime,
    p99_ms: reported!.p99ResponseTime,
    score: reportedScore?.verdict === 'scored' ? reportedScore.overallScore : null,
    alarms: 0,
    degradation: 'not enough data',
    degradation_ratio: null,
    histogram: null,
    statistics: null,
    statistics_until: null,
  });
}

async function upsert(tx: Transaction<Schema>, row: Insertable<Schema['performance_summaries']>): Promise<void> {
  await tx
    .insertInto('performance_summaries')
    .values(row)
    .onConflict((conflict) => conflict.columns(['integration_id', 'source']).doUpdateSet(row))
    .execute();
}
