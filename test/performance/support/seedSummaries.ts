import { sql } from 'kysely';
import { Histogram } from '../../../src/performance/histogram.ts';
import { encodeHistogram } from '../../../src/performance/histogramBytes.ts';
import type { Database } from '../../../src/store/database.ts';
import { seededNormal } from './syntheticSeries.ts';

/** Kinds of histograms that the integrations share among them. */
const KINDS = 50;

/**
 * Makes `count` integrations, each summed up over 200 to 2,000 calls of log-normal durations; every tenth fails a
 * twentieth of them. Gives what all of them together hold.
 */
export async function seedSummaries(database: Database, count: number): Promise<{ calls: number; all: Histogram }> {
  const normal = seededNormal(11);
  const kinds = Array.from({ length: KINDS }, (_, kind) => {
    const histogram = new Histogram();
    for (let call = 0; call < 200 + 36 * kind; call++) histogram.record((60 + 5 * kind) * Math.exp(0.6 * normal()));
    return histogram;
  });
  const at = Array.from({ length: count }, (_, index) => index);
  const ids = at.map((index) => `int_${String(index).padStart(26, '0')}`);
  const of = (index: number) => kinds[index % KINDS]!;
  const quantiles = kinds.map((one) => [0.5, 0.95, 0.99].map((q) => one.quantile(q)!));
  const bytes = kinds.map((one) => Buffer.from(encodeHistogram(one)));
  await sql`
    insert into integrations (id, owner, name, type, platform, status, configuration)
    select id, 'owner ' || right(id, 2), 'Integration ' || id, 'other', 'http', 'connected', '{}'
    from unnest(${ids}::text[]) as id`.execute(database.db);
  await sql`
    insert into performance_summaries (integration_id, source, refreshed_at, calls, failed, throttled, total_ms,
      response_bytes, p50_ms, p95_ms, p99_ms, score, alarms, degradation, histogram)
    select one.id, 'measured', now(), one.calls, one.failed, 0, one.total_ms, 1000, one.p50, one.p95, one.p99, 90, 0,
      'steady', one.histogram
    from unnest(${ids}::text[], ${at.map((index) => of(index).count)}::bigint[],
      ${at.map((index) => (index % 10 === 0 ? Math.floor(of(index).count / 20) : 0))}::bigint[],
      ${at.map((index) => of(index).sum)}::double precision[],
      ${at.map((index) => quantiles[index % KINDS]![0])}::double precision[],
      ${at.map((index) => quantiles[index % KINDS]![1])}::double precision[],
      ${at.map((index) => quantiles[index % KINDS]![2])}::double precision[],
      ${at.map((index) => bytes[index % KINDS])}::bytea[])
      as one (id, calls, failed, total_ms, p50, p95, p99, histogram)`.execute(database.db);
  await sql`analyze integrations, performance_summaries`.execute(database.db);
  const all = new Histogram();
  for (const index of at) all.merge(of(index));
  return { calls: all.count, all };
}
