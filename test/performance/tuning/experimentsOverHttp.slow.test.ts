import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { startSlowProvider } from './support/slowProvider.ts';
import { useTunedApp } from './support/tunedApp.ts';

const RUNS = 3;
const ITEMS = 100;
const ALL = [{ stream: 'items', live: ITEMS, deleted: 0 }];
const tuned = useTunedApp({ runs: RUNS, calls: 10 });

describe('an experiment with a real provider', () => {
  test('has syncs ask for larger pages from then on, and is decided after as many as were wanted', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 15 });
    const id = await tuned.add(provider);
    const { performanceOptimizer } = tuned.app;
    await tuned.syncs(id, RUNS);
    const started = await performanceOptimizer.optimize(id);
    expect(started).toMatchObject({
      status: 'started',
      change: { knob: 'pageSizePercent', from: null, to: 200, goal: 'throughput' },
      performanceGain: null,
      after: null,
    });
    expect(await performanceOptimizer.optimize(id)).toMatchObject({ status: 'running', performanceGain: null });

    provider.sizes.length = 0;
    await tuned.syncs(id, RUNS);
    expect(new Set(provider.sizes)).toEqual(new Set([20]));
    // Which way it is decided is up to the machine here; what is done then is not.
    const ended = await tuned.decided(id);
    expect(ended.after!.throughputs).toHaveLength(RUNS);
    expect(ended.performanceGain).not.toBeNull();
    const { pageSizePercent } = await performanceOptimizer.tuning(id);
    expect(pageSizePercent).toBe(ended.status === 'kept' ? 200 : null);
    expect(await tuned.records(id)).toEqual(ALL);
  });

  test('is taken back at the first sync that fails with it, and nothing is lost', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 10, refusesAbove: { size: 10, status: 400 } });
    const id = await tuned.add(provider);
    await tuned.syncs(id, RUNS);
    await tuned.app.performanceOptimizer.optimize(id);
    expect((await tuned.app.sync.run(id)).status).toBe('failed');

    const ended = await tuned.decided(id);
    expect(ended).toMatchObject({ status: 'rolled_back', performanceGain: null });
    expect(ended.verdict).toContain('syncs fail: 1 of 1');
    expect(await tuned.records(id)).toEqual(ALL);
    await tuned.syncs(id, RUNS);
    expect(provider.sizes.at(-1)).toBe(10);
    expect(await tuned.records(id)).toEqual(ALL);
    // What was not kept is not tried again.
    expect(await tuned.app.performanceOptimizer.optimize(id)).toMatchObject({ status: 'nothing_to_do' });
  });

  test('takes a provider that silently cuts pages for no end of the list', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 1, cutsTo: 10 });
    const id = await tuned.add(provider);
    await tuned.app.performanceOptimizer.setTuning(id, { pageSizePercent: 800 });
    await tuned.syncs(id, 2);
    expect(provider.sizes).toContain(80);
    expect(await tuned.records(id)).toEqual(ALL);
  });

  test('begins with enough syncs only', async () => {
    const id = await tuned.add(await startSlowProvider(ITEMS, { latencyMs: () => 1 }));
    await tuned.syncs(id, RUNS - 1);
    const result = await tuned.app.performanceOptimizer.optimize(id);
    expect(result).toMatchObject({ status: 'not_enough_data', change: null, experimentId: null });
    expect(result.reason).toMatch(/there were 2 syncs with \d+ calls; 3 syncs and .* are needed/);
    expect(await tuned.app.performanceOptimizer.list(id)).toEqual([]);
  });
});

describe('streams at a time', () => {
  const streams = ['a', 'b', 'c', 'd', 'e', 'f'];

  test('are as many as were set, and bring the same records in an order without gaps', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 10 });
    const id = await tuned.add(provider, { value: 50, max: 50 }, streams);
    await tuned.app.sync.run(id);
    expect(provider.mostAtOnce).toBe(1);
    await tuned.app.performanceOptimizer.setTuning(id, { streamConcurrency: 4 });
    provider.mostAtOnce = 0;
    const run = await tuned.app.sync.run(id, { fullRefresh: true });
    expect(run).toMatchObject({ status: 'succeeded', recordsRead: 600, recordsUnchanged: 600, recordsDeleted: 0 });
    expect(provider.mostAtOnce).toBe(4);
    expect(await tuned.records(id)).toEqual(streams.map((stream) => ({ stream, live: ITEMS, deleted: 0 })));
  });

  test('that fail keep no other from being synced', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 5, missing: ['b', 'e'] });
    const id = await tuned.add(provider, { value: 50, max: 50 }, streams);
    await tuned.app.performanceOptimizer.setTuning(id, { streamConcurrency: 3 });
    const run = await tuned.app.sync.run(id);
    expect(run).toMatchObject({ status: 'failed', error: { stream: 'b' }, warnings: [{ stream: 'e' }] });
    expect((await tuned.records(id)).map(({ stream }) => stream)).toEqual(['a', 'c', 'd', 'f']);
  });

  test('end together when the sync is stopped', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 60_000 });
    const id = await tuned.add(provider, { value: 50, max: 50 }, streams);
    await tuned.app.performanceOptimizer.setTuning(id, { streamConcurrency: 3 });
    const running = tuned.app.sync.run(id);
    while (provider.mostAtOnce < 3) await delay(5);
    await tuned.app.sync.stop(id);
    expect((await running).status).toBe('stopped');
  });
});

describe('calls', () => {
  test('end at the deadline that is set meanwhile', async () => {
    const provider = await startSlowProvider(ITEMS, { latencyMs: () => 60_000 });
    const id = await tuned.add(provider);
    await tuned.app.performanceOptimizer.setTuning(id, { headersMs: 2_000 });
    const run = await tuned.app.sync.run(id);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'OUTGOING_CALL_FAILED' } });
    expect(run.error!.message).toMatch(/2 s|2000|2,000/);
  });
});
