import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { describeTaggedProvider, startTaggedProvider, type TaggedProvider } from './support/taggedProvider.ts';
import { useTunedApp } from './support/tunedApp.ts';

const RUNS = 4;
const ITEMS = 100;
const ALL = [{ stream: 'items', live: ITEMS, deleted: 0 }];
const tuned = useTunedApp({ runs: RUNS, calls: RUNS });

async function add(provider: TaggedProvider, more: JsonObject = {}): Promise<string> {
  const connector = describeTaggedProvider(provider, more);
  const { id } = await tuned.app.integrationService.createIntegration({
    name: 'tagged',
    platform: 'http',
    credentials: { apiKey: 'key-one-7f3a9c' },
    configuration: { connector },
  });
  provider.statuses.length = 0;
  return id;
}

/** The answers to so many syncs. */
async function answersTo(provider: TaggedProvider, id: string, times = 1): Promise<number[]> {
  provider.statuses.length = 0;
  await tuned.syncs(id, times);
  return [...provider.statuses];
}

const knownOf = async (id: string) => (await tuned.app.sync.streamStatus(id))[0]!.knownAnswer;

describe('an experiment with validators', () => {
  test('is kept where the provider need not make an answer again, and taking it back forgets what is known', async () => {
    const provider = await startTaggedProvider(ITEMS);
    provider.makesForMs = 300;
    const id = await add(provider);
    const { performanceOptimizer } = tuned.app;
    expect(await answersTo(provider, id, RUNS + 1)).toEqual(Array(RUNS + 1).fill(200));
    const started = await performanceOptimizer.optimize(id);
    expect(started).toMatchObject({
      status: 'started',
      change: { knob: 'cacheValidators', from: null, to: true, goal: 'throughput', evidence: { sameAnswerShare: 0.8 } },
    });
    expect(await answersTo(provider, id, RUNS)).toEqual(Array(RUNS).fill(304));
    const kept = await tuned.decided(id);
    expect(kept).toMatchObject({ status: 'kept', change: { from: null, to: true }, after: { failedRuns: 0 } });
    expect(kept.after!.throughputs).toHaveLength(RUNS);
    expect(kept.performanceGain).toBeGreaterThan(5);
    expect(await performanceOptimizer.tuning(id)).toMatchObject({ cacheValidators: true });
    expect(await tuned.records(id)).toEqual(ALL);

    expect(await knownOf(id)).toMatchObject({ confirmed: RUNS });
    await performanceOptimizer.revert(id, kept.id);
    expect(await performanceOptimizer.tuning(id)).toMatchObject({ cacheValidators: null });
    expect(await knownOf(id)).toBeNull();
    expect(await answersTo(provider, id, 2)).toEqual([200, 200]);
  });

  test('is taken back at the first sync that fails with it, and is not tried again', async () => {
    const provider = await startTaggedProvider(ITEMS);
    provider.onKnown = 'fails';
    const id = await add(provider);
    await tuned.syncs(id, RUNS + 1);
    expect(await tuned.app.performanceOptimizer.optimize(id)).toMatchObject({ change: { knob: 'cacheValidators' } });
    expect((await tuned.app.sync.run(id)).status).toBe('failed');
    expect(await tuned.decided(id)).toMatchObject({ status: 'rolled_back' });
    expect(await answersTo(provider, id, RUNS + 1)).toEqual(Array(RUNS + 1).fill(200));
    expect(await tuned.app.performanceOptimizer.optimize(id)).toMatchObject({ status: 'nothing_to_do' });
    expect(await tuned.records(id)).toEqual(ALL);
  });

  test('is not begun where most answers are new, or somebody has switched it off', async () => {
    const provider = await startTaggedProvider(ITEMS);
    const changing = await add(provider);
    for (let sync = 0; sync <= RUNS; sync++) {
      provider.items[0] = { id: 1, name: `version ${sync}` };
      await tuned.syncs(changing, 1);
    }
    expect((await tuned.app.performanceOptimizer.optimize(changing)).change?.knob).not.toBe('cacheValidators');

    const off = await add(provider);
    await tuned.app.performanceOptimizer.setTuning(off, { cacheValidators: false });
    await tuned.syncs(off, RUNS + 1);
    expect((await tuned.app.performanceOptimizer.optimize(off)).change?.knob).not.toBe('cacheValidators');
  });
});

describe('validators', () => {
  test('are sent where a hand says so, or the connector and no hand against it', async () => {
    const provider = await startTaggedProvider(ITEMS);
    const id = await add(provider);
    await tuned.app.performanceOptimizer.setTuning(id, { cacheValidators: true });
    expect(await answersTo(provider, id, 3)).toEqual([200, 304, 304]);
    const said = await add(provider, { cacheValidators: true });
    expect(await answersTo(provider, said, 2)).toEqual([200, 304]);
    await tuned.app.performanceOptimizer.setTuning(said, { cacheValidators: false });
    expect(await knownOf(said)).toBeNull();
    expect(await answersTo(provider, said, 2)).toEqual([200, 200]);
  });

  test('are not sent with other credentials, or another description of the API', async () => {
    const provider = await startTaggedProvider(ITEMS);
    const id = await add(provider);
    const { integrationService, performanceOptimizer } = tuned.app;
    await performanceOptimizer.setTuning(id, { cacheValidators: true });
    expect(await answersTo(provider, id, 2)).toEqual([200, 304]);
    await integrationService.updateIntegration(id, { credentials: { apiKey: 'key-two-7f3a9c' } });
    expect(await answersTo(provider, id, 2)).toEqual([200, 304]);
    const connector = describeTaggedProvider(provider, { headers: { 'accept-language': 'de' } });
    await integrationService.updateIntegration(id, { configuration: { connector } });
    expect(await answersTo(provider, id, 2)).toEqual([200, 304]);
    expect(await tuned.records(id)).toEqual(ALL);
  });
});
