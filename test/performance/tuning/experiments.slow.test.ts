import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { readTuning } from '../../../src/performance/tuning/tuningQueries.ts';
import { useTestDatabase } from '../../support/database.ts';
import { startProgram } from '../../support/processes.ts';
import { addIntegration } from '../../sync/support/harness.ts';
import { addCalls, addRuns } from './support/history.ts';
import { startSlowProvider } from './support/slowProvider.ts';
import { useTunedApp } from './support/tunedApp.ts';

describe('what an experiment measures', () => {
  const RUNS = 4;
  const ITEMS = 100;
  const tuned = useTunedApp({ runs: RUNS, calls: 10 });
  const ALL = [{ stream: 'items', live: ITEMS, deleted: 0 }];

  test('is a gain where the wait for each answer is what takes the time', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: (size) => (size > 10 ? 5 : 250) });
    const id = await tuned.add(provider);
    await tuned.syncs(id, RUNS);
    await tuned.app.performanceOptimizer.optimize(id);
    await tuned.syncs(id, RUNS);
    const kept = await tuned.decided(id);
    expect(kept).toMatchObject({ status: 'kept' });
    expect(kept.performanceGain).toBeGreaterThan(5);
    expect(kept.confidence).toBeGreaterThanOrEqual(0.95);
    expect(await tuned.app.performanceOptimizer.tuning(id)).toMatchObject({ pageSizePercent: 200 });
    expect(await tuned.records(id)).toEqual(ALL);
  });

  test('is a loss where larger pages take more than their share, and is taken back', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: (size) => (size > 10 ? 900 : 20) });
    const id = await tuned.add(provider);
    await tuned.syncs(id, RUNS);
    await tuned.app.performanceOptimizer.optimize(id);
    await tuned.syncs(id, RUNS);
    const ended = await tuned.decided(id);
    expect(ended).toMatchObject({ status: 'rolled_back' });
    expect(ended.performanceGain).toBeLessThan(0);
    expect(await tuned.app.performanceOptimizer.tuning(id)).toMatchObject({ pageSizePercent: null });
    expect(await tuned.records(id)).toEqual(ALL);
  });

  test('is a gain of streams read at the same time', async () => {
    const streams = ['a', 'b', 'c', 'd'];
    const provider = await startSlowProvider(30, { latencyMs: () => 700 });
    const id = await tuned.add(provider, { value: 50, max: 50 }, streams);
    await tuned.syncs(id, RUNS);
    expect(await tuned.app.performanceOptimizer.optimize(id)).toMatchObject({
      change: { knob: 'streamConcurrency', from: null, to: 2 },
    });
    await tuned.syncs(id, RUNS);
    expect(await tuned.decided(id)).toMatchObject({ status: 'kept' });
    expect(provider.mostAtOnce).toBe(2);
    expect(await tuned.records(id)).toEqual(streams.map((stream) => ({ stream, live: 30, deleted: 0 })));
  });
});

describe('a process that is killed', () => {
  const database = useTestDatabase();

  test('leaves either an experiment with its change or neither', async () => {
    const id = await addIntegration(database.current, 'https://example.com');
    await addRuns(database.current, id, { count: 8, fromMs: Date.now() - 3_600_000, seconds: 10 });
    await addCalls(database.current, id, 30);
    for (let kill = 0; kill < 6; kill++) {
      const workers = [0, 1].map(() =>
        startProgram('performance/tuning/support/optimizerWorker.ts', [database.url, id]),
      );
      await Promise.all(workers.map((worker) => worker.line('started')));
      await delay((kill * 7) % 40);
      await Promise.all(workers.map((worker) => worker.kill()));
      const { pageSizePercent } = await readTuning(database.current.db, id);
      const { rows } = await database.current.pool.query(
        `select to_value from tuning_experiments where integration_id = $1 and status = 'running'`,
        [id],
      );
      expect(rows.length).toBeLessThanOrEqual(1);
      expect(pageSizePercent).toBe(rows[0]?.to_value ?? null);
    }
  });
});
