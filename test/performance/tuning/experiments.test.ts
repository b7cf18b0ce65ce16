import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../../src/app.ts';
import type { ExperimentLimits } from '../../../src/performance/tuning/experimentLimits.ts';
import { openTestApp } from '../../support/app.ts';
import { useTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { describeSlowProvider, type SlowProvider, startSlowProvider } from './support/slowProvider.ts';

const RUNS = 5;
const ITEMS = 100;
const limits: Partial<ExperimentLimits> = { runs: RUNS, calls: 10, settleMs: 0 };

const database = useTestDatabase();
let app: App;
beforeAll(async () => {
  app = await openTestApp(database.url, { experimentLimits: limits });
});
afterAll(() => app.close());

async function addIntegration(provider: SlowProvider, pageSize = { value: 10, max: 80 }, streams?: readonly string[]) {
  const connector = describeSlowProvider(provider, pageSize, streams);
  const { id } = await app.catalog.create({ name: 'slow', platform: 'http', configuration: { connector } });
  return id;
}

async function syncs(id: string, times: number) {
  for (let time = 0; time < times; time++) await app.sync.run(id);
}

/** The last experiment, when it is decided: a moment after the run that decided it. */
function decided(id: string) {
  return eventually('a decision', async () => {
    const [experiment] = await app.performanceOptimizer.list(id);
    return experiment!.status === 'running' ? null : experiment!;
  });
}

/** Live records by stream, and how many were ever deleted. */
async function recordsOf(id: string) {
  const { rows } = await database.current.pool.query(
    `select stream, count(*) filter (where deleted_at is null)::int as live,
            count(*) filter (where deleted_at is not null)::int as deleted
     from records where integration_id = $1 group by stream order by stream`,
    [id],
  );
  return rows;
}

const ALL = [{ stream: 'items', live: ITEMS, deleted: 0 }];

describe('an experiment', () => {
  test('keeps larger pages where most of the time is latency, with a measured gain', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 40 });
    const id = await addIntegration(provider);
    await syncs(id, RUNS);

    const started = await app.performanceOptimizer.optimize(id);
    expect(started).toMatchObject({
      status: 'started',
      change: { knob: 'pageSizePercent', from: null, to: 200, goal: 'throughput' },
      performanceGain: null,
      confidence: null,
      after: null,
    });
    expect(started.before!.throughputs).toHaveLength(RUNS);
    expect(await app.performanceOptimizer.optimize(id)).toMatchObject({
      status: 'running',
      experimentId: started.experimentId,
      performanceGain: null,
    });

    provider.sizes.length = 0;
    await syncs(id, RUNS);
    expect(new Set(provider.sizes)).toEqual(new Set([20]));
    const kept = await decided(id);
    expect(kept).toMatchObject({ id: started.experimentId, status: 'kept' });
    expect(kept.performanceGain).toBeGreaterThan(5);
    expect(kept.confidence).toBeGreaterThanOrEqual(0.95);
    expect(await app.performanceOptimizer.tuning(id)).toMatchObject({ pageSizePercent: 200 });
    expect(await recordsOf(id)).toEqual(ALL);

    // With the settings of now there is no period before yet.
    expect(await app.performanceOptimizer.optimize(id)).toMatchObject({ status: 'not_enough_data' });
    await app.performanceOptimizer.revert(id, kept.id);
    expect(await app.performanceOptimizer.tuning(id)).toMatchObject({ pageSizePercent: null });
    expect((await app.performanceOptimizer.revert(id, kept.id)).status).toBe('reverted');
  });

  test('takes larger pages back at the first sync that fails with them, and nothing is lost', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 10, refusesAbove: { size: 10, status: 400 } });
    const id = await addIntegration(provider);
    await syncs(id, RUNS);
    await app.performanceOptimizer.optimize(id);
    expect((await app.sync.run(id)).status).toBe('failed');

    const ended = await decided(id);
    expect(ended).toMatchObject({ status: 'rolled_back', performanceGain: null });
    expect(ended.verdict).toContain('syncs fail: 1 of 1');
    expect(await recordsOf(id)).toEqual(ALL);
    expect((await app.sync.run(id)).status).toBe('succeeded');
    expect(await recordsOf(id)).toEqual(ALL);

    // What was not kept is not tried again.
    await syncs(id, RUNS);
    expect(await app.performanceOptimizer.optimize(id)).toMatchObject({ status: 'nothing_to_do' });
  });

  test('takes larger pages back that are slower', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: (size) => (size > 10 ? 150 : 20) });
    const id = await addIntegration(provider);
    await syncs(id, RUNS);
    await app.performanceOptimizer.optimize(id);
    await syncs(id, RUNS);
    const ended = await decided(id);
    expect(ended).toMatchObject({ status: 'rolled_back' });
    expect(ended.performanceGain).toBeLessThan(0);
    expect(await app.performanceOptimizer.tuning(id)).toMatchObject({ pageSizePercent: null });
    expect(await recordsOf(id)).toEqual(ALL);
  });

  test('takes a provider that silently cuts pages for no end of the list', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 1, cutsTo: 10 });
    const id = await addIntegration(provider);
    await app.performanceOptimizer.setTuning(id, { pageSizePercent: 800 });
    await syncs(id, 2);
    expect(provider.sizes).toContain(80);
    expect(await recordsOf(id)).toEqual(ALL);
  });

  test('reads streams at the same time where each has one page', async () => {
    const streams = ['a', 'b', 'c', 'd'];
    const provider = await startSlowProvider(30, { latencyMs: () => 80 });
    const id = await addIntegration(provider, { value: 50, max: 50 }, streams);
    await syncs(id, RUNS);
    expect(provider.mostAtOnce).toBe(1);
    expect(await app.performanceOptimizer.optimize(id)).toMatchObject({
      status: 'started',
      change: { knob: 'streamConcurrency', from: null, to: 2 },
    });
    await syncs(id, RUNS);
    expect(provider.mostAtOnce).toBe(2);
    const kept = await decided(id);
    expect(kept).toMatchObject({ status: 'kept' });
    expect(await recordsOf(id)).toEqual(streams.map((stream) => ({ stream, live: 30, deleted: 0 })));
  });

  test('needs enough syncs first', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 1 });
    const id = await addIntegration(provider);
    await syncs(id, RUNS - 1);
    const result = await app.performanceOptimizer.optimize(id);
    expect(result).toMatchObject({
      status: 'not_enough_data',
      change: null,
      performanceGain: null,
      experimentId: null,
    });
    expect(result.reason).toContain('4 of 5 syncs');
    expect(await app.performanceOptimizer.list(id)).toEqual([]);
  });
});
