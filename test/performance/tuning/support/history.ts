import { connectorSchema } from '../../../../src/connectors/format.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { newId } from '../../../../src/core/ids.ts';
import { silentLog } from '../../../../src/core/log.ts';
import { findIntegration } from '../../../../src/integrations/integrationQueries.ts';
import { AttemptLog } from '../../../../src/outgoing/attemptLog.ts';
import type { AttemptRecord } from '../../../../src/outgoing/types.ts';
import { PerformanceRecorder } from '../../../../src/performance/store/performanceRecorder.ts';
import type { PerformanceOptimizerOptions } from '../../../../src/performance/tuning/performanceOptimizer.ts';
import type { Database } from '../../../../src/store/database.ts';

/** Pages of 100, of which the API takes up to 400. */
const connector = connectorSchema.parse({
  platform: 'paged',
  title: 'Paged',
  category: 'test',
  docsUrl: 'https://example.com',
  apiVersion: '1',
  auth: [{ name: 'none', title: 'None', type: 'none' }],
  baseUrl: 'https://example.com',
  check: { path: '/me' },
  pagination: { type: 'token', param: 'after', tokenPath: 'next', pageSize: { param: 'size', value: 100, max: 400 } },
  streams: [{ name: 'items', title: 'Items', path: '/items', primaryKey: 'id' }],
});

export function describeFrom(database: Database): PerformanceOptimizerOptions['describe'] {
  return async (id) => ({ integration: (await findIntegration(database.db, id))!, connector });
}

interface Runs {
  readonly count: number;
  /** When the first begins; the others follow a minute apart. */
  readonly fromMs: number;
  readonly seconds: number;
  readonly records?: number;
  readonly status?: 'succeeded' | 'failed';
  readonly leaseToken?: number;
  readonly fullRefresh?: boolean;
}

/** Runs as they would be stored after so many seconds; a little apart from each other, as real ones are. */
export async function addRuns(database: Database, integrationId: string, runs: Runs): Promise<void> {
  const { count, fromMs, seconds, records = 1_000, status = 'succeeded', leaseToken = 1, fullRefresh = false } = runs;
  for (let index = 0; index < count; index++) {
    const startedMs = fromMs + index * 60_000;
    await database.pool.query(
      `insert into sync_runs
         (id, integration_id, trigger, status, full_refresh, started_at, finished_at, records_read, pages, lease_token)
       values ($1, $2, 'schedule', $3, $4, $5, $6, $7, 10, $8)`,
      [
        newId('syncRun'),
        integrationId,
        status,
        fullRefresh,
        new Date(startedMs),
        new Date(startedMs + 1_000 * (seconds + index / 100)),
        records,
        leaseToken,
      ],
    );
  }
}

/** Calls of a minute ago that spend their time waiting for the answer to begin. */
export async function addCalls(database: Database, integrationId: string, count: number): Promise<void> {
  const recorder = new PerformanceRecorder({ database, clock: systemClock, log: silentLog });
  const attempts = new AttemptLog(database, silentLog);
  const startedAt = new Date(Date.now() - 60_000);
  for (let call = 0; call < count; call++) {
    const attempt: AttemptRecord = {
      id: newId('attempt'),
      operationId: newId('syncRun'),
      integrationId,
      operation: 'sync',
      attempt: 1,
      method: 'GET',
      host: 'example.com',
      path: '/items',
      status: 200,
      outcome: 'success',
      startedAt,
      durationMs: 110,
      waitMs: 0,
      firstByteMs: 101,
      phases: { backoffMs: 0, rateLimitMs: 0, queueMs: 0, connectMs: 1, firstByteMs: 100, bodyMs: 9 },
      responseBytes: 5_000,
      error: null,
    };
    recorder.record(attempt);
    attempts.record(attempt);
  }
  await recorder.close();
  await attempts.close();
}
