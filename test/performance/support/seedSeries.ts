import { Histogram } from '../../../src/performance/histogram.ts';
import { encodePhases } from '../../../src/performance/store/seriesBytes.ts';
import type { Database } from '../../../src/store/database.ts';
import { ensurePartitions } from '../../../src/store/partitions.ts';

/** Durations that one hour or minute of an integration had; none left out. */
export interface SeededBucket {
  readonly integrationId: string;
  readonly startMs: number;
  readonly durations: readonly number[];
  readonly outcome?: string;
}

const DAY_MS = 86_400_000;

/** Writes buckets as roll-ups and recorders of an earlier time have left them. */
export async function seedSeries(
  database: Database,
  table: 'metric_minutes' | 'metric_hours',
  buckets: readonly SeededBucket[],
): Promise<void> {
  const firstMs = Math.min(...buckets.map(({ startMs }) => startMs));
  const days = Math.ceil((Date.now() - firstMs) / DAY_MS) + 2;
  await ensurePartitions(database, table, new Date(firstMs), days);
  const part = table === 'metric_minutes';
  const rows = buckets.map(({ integrationId, startMs, durations, outcome = 'success' }) => {
    const total = new Histogram();
    for (const duration of durations) total.record(duration);
    return {
      bucket: new Date(startMs),
      integration_id: integrationId,
      operation: 'sync',
      outcome,
      calls: durations.length,
      total_ms: total.sum,
      response_bytes: 100 * durations.length,
      phases: encodePhases(new Map([['total', total]])),
    };
  });
  for (let at = 0; at < rows.length; at += 2_000) {
    const batch = rows.slice(at, at + 2_000);
    if (part) {
      await database.db
        .insertInto('metric_minutes')
        .values(batch.map((row) => ({ ...row, part: 'seed' })))
        .execute();
    } else await database.db.insertInto('metric_hours').values(batch).execute();
  }
}
