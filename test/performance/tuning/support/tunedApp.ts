import { afterAll, beforeAll } from 'vitest';
import type { App } from '../../../../src/app.ts';
import type { ExperimentLimits } from '../../../../src/performance/tuning/experimentLimits.ts';
import type { Experiment } from '../../../../src/performance/tuning/types.ts';
import { openTestApp } from '../../../support/app.ts';
import { type TestDatabase, useTestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeSlowProvider, type SlowProvider } from './slowProvider.ts';

/** The whole product, and integrations of a slow provider in it. */
export function useTunedApp(limits: Partial<ExperimentLimits>) {
  const database: TestDatabase = useTestDatabase();
  let app: App;
  beforeAll(async () => {
    app = await openTestApp(database.url, { experimentLimits: { settleMs: 0, ...limits } });
  });
  afterAll(() => app.close());

  return {
    get app() {
      return app;
    },
    async add(provider: SlowProvider, pageSize = { value: 10, max: 80 }, streams?: readonly string[]): Promise<string> {
      const connector = describeSlowProvider(provider, pageSize, streams);
      const { id } = await app.catalog.create({ name: 'slow', platform: 'http', configuration: { connector } });
      return id;
    },
    async syncs(id: string, times: number): Promise<void> {
      for (let time = 0; time < times; time++) await app.sync.run(id);
    },
    /** The last experiment, when it is decided: a moment after the run that decided it. */
    decided: (id: string): Promise<Experiment> =>
      eventually('a decision', async () => {
        const [experiment] = await app.performanceOptimizer.list(id);
        return experiment!.status === 'running' ? null : experiment!;
      }),
    /** By stream: how many records live, how many were ever deleted. */
    async records(id: string): Promise<{ stream: string; live: number; deleted: number }[]> {
      const { rows } = await database.current.pool.query(
        `select stream, count(*) filter (where deleted_at is null)::int as live,
                count(*) filter (where deleted_at is not null)::int as deleted
         from records where integration_id = $1 group by stream order by stream`,
        [id],
      );
      return rows;
    },
  };
}
