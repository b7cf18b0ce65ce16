import { expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { GlobalReports } from '../../src/performance/summaries/globalReport.ts';
import { useTestDatabase } from '../support/database.ts';
import { seedSeries } from './support/seedSeries.ts';
import { seedSummaries } from './support/seedSummaries.ts';

const COUNT = 10_000;
const MINUTE_MS = 60_000;
const database = useTestDatabase();

it('reports over ten thousand integrations from one row of each, and touches no measurement', async () => {
  const { calls, all } = await seedSummaries(database.current, COUNT);
  const startMs = Date.now() - 60 * MINUTE_MS;
  const minutes = Array.from({ length: 30 }, (_, at) => ({
    integrationId: 'int_00000000000000000000000001',
    startMs: startMs + at * MINUTE_MS,
    durations: [1, 2, 3],
  }));
  await seedSeries(database.current, 'metric_minutes', minutes);
  const reports = new GlobalReports({ database: database.current, clock: systemClock, monitoring: 'on' });
  const before = await rowsRead();
  const report = await reports.report();
  expect(report.summary).toMatchObject({
    integrations: COUNT,
    totalRequests: calls,
    averageScore: 90,
    p50ResponseTime: all.quantile(0.5),
    p95ResponseTime: all.quantile(0.95),
    p99ResponseTime: all.quantile(0.99),
  });
  for (const list of [report.lowestScores, report.slowest, report.mostErrors, report.busiest])
    expect(list).toHaveLength(10);
  const none = { ids: [], owners: [], platforms: [] };
  const only = { ...none, owners: ['owner 07'] };
  const part = await reports.summary({ kind: 'some', only, except: none, within: null });
  expect(part.integrations).toBe(COUNT / 100);
  const after = await rowsRead();
  expect(after.measurements - before.measurements).toBe(0);
});

/** As the server counts them, when it has told its statistics. */
async function rowsRead(): Promise<{ measurements: number }> {
  const { pool } = database.current;
  await pool.query('select pg_stat_force_next_flush()');
  const { rows } = await pool.query<{ measurements: number }>(`
    select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int as measurements
    from pg_stat_user_tables where relname like 'metric\\_%'`);
  return rows[0]!;
}
