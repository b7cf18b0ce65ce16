import { beforeAll, describe, expect, test } from 'vitest';
import type { AuditTrail } from '../../../src/audit/types.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { ConflictError, type InvalidInputError } from '../../../src/core/errors.ts';
import { ExperimentNotFoundError } from '../../../src/performance/tuning/errors.ts';
import { PerformanceOptimizer } from '../../../src/performance/tuning/performanceOptimizer.ts';
import { useTestDatabase } from '../../support/database.ts';
import { addIntegration } from '../../sync/support/harness.ts';
import { addCalls, addRuns, describeFrom } from './support/history.ts';

const HOUR_MS = 3_600_000;
const database = useTestDatabase();
const audited: string[] = [];
const audit: AuditTrail = { record: async (_, { action }) => void audited.push(action) };
/** By how much the optimizer's clock is ahead. */
let aheadMs = 0;

function openOptimizer(trail = audit) {
  return new PerformanceOptimizer({
    database: database.current,
    audit: trail,
    clock: { ...systemClock, now: () => Date.now() + aheadMs },
    describe: describeFrom(database.current),
    limits: { calls: 20 },
  });
}

let optimizer: PerformanceOptimizer;
let replica: PerformanceOptimizer;
beforeAll(() => {
  optimizer = openOptimizer();
  replica = openOptimizer();
});

/** An integration whose calls wait, after eight syncs of ten seconds. */
async function addMeasured() {
  aheadMs = 0;
  audited.length = 0;
  const id = await addIntegration(database.current, 'https://example.com');
  await addRuns(database.current, id, { count: 8, fromMs: Date.now() - HOUR_MS, seconds: 10 });
  await addCalls(database.current, id, 30);
  return id;
}

/** Syncs of the hour after the experiment began, at whose end it is. */
async function addRunsSince(id: string, seconds: number, more: Partial<Parameters<typeof addRuns>[2]> = {}) {
  const [experiment] = await optimizer.list(id);
  aheadMs = HOUR_MS;
  await addRuns(database.current, id, {
    count: 8,
    fromMs: Date.parse(experiment!.startedAt) + 60_000,
    seconds,
    ...more,
  });
}

const pageSize = async (id: string) => (await optimizer.tuning(id)).pageSizePercent;

describe('an experiment', () => {
  test('is kept with the gain that was measured, and tells it once', async () => {
    const id = await addMeasured();
    expect(await optimizer.optimize(id)).toMatchObject({
      status: 'started',
      change: { knob: 'pageSizePercent', from: null, to: 200 },
      performanceGain: null,
      before: { succeededRuns: 8, calls: 30, failedCalls: 0 },
    });
    await addRunsSince(id, 5);
    const kept = await optimizer.optimize(id);
    expect(kept).toMatchObject({ status: 'kept', after: { succeededRuns: 8 } });
    expect(kept.performanceGain).toBeCloseTo(100, -1);
    expect(kept.confidence).toBeGreaterThan(0.999);
    expect(await pageSize(id)).toBe(200);
    expect(audited).toEqual(['tuning.experiment_started', 'tuning.experiment_kept']);
    expect(await optimizer.optimize(id)).toMatchObject({ status: 'not_enough_data' });
  });

  test.each([
    ['slower', 20, 'rolled_back'],
    ['as fast', 10, 'inconclusive'],
  ])('is taken back where it is %s', async (_, seconds, status) => {
    const id = await addMeasured();
    await optimizer.optimize(id);
    await addRunsSince(id, seconds);
    expect(await optimizer.optimize(id)).toMatchObject({ status: 'rolled_back', revert: null });
    expect((await optimizer.list(id))[0]!.status).toBe(status);
    expect(await pageSize(id)).toBeNull();
  });

  test('is taken back when its time is up without a sync', async () => {
    const id = await addMeasured();
    await optimizer.optimize(id);
    aheadMs = 23 * HOUR_MS;
    expect((await optimizer.optimize(id)).status).toBe('running');
    aheadMs = 25 * HOUR_MS;
    await replica.reviewAll(new AbortController().signal);
    expect((await optimizer.list(id))[0]).toMatchObject({ status: 'inconclusive', performanceGain: null });
    expect(await pageSize(id)).toBeNull();
  });

  test('compares only what can be compared', async () => {
    const id = await addMeasured();
    await optimizer.optimize(id);
    await addRunsSince(id, 1, { leaseToken: 2 });
    await addRunsSince(id, 1, { fullRefresh: true });
    await addRunsSince(id, 1, { records: 2_100 });
    await addRunsSince(id, 1, { records: 0 });
    expect(await optimizer.optimize(id)).toMatchObject({ status: 'running', after: { throughputs: [] } });
  });

  test('needs syncs that bring something', async () => {
    aheadMs = 0;
    const id = await addIntegration(database.current, 'https://example.com');
    await addRuns(database.current, id, { count: 8, fromMs: Date.now() - HOUR_MS, seconds: 1, records: 5 });
    await addCalls(database.current, id, 30);
    expect(await optimizer.optimize(id)).toMatchObject({
      status: 'not_enough_data',
      change: { knob: 'pageSizePercent' },
      experimentId: null,
    });
    expect(await pageSize(id)).toBeNull();
  });

  test('is one, however many ask for it at once, and is decided once', async () => {
    const id = await addMeasured();
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? optimizer : replica).optimize(id)),
    );
    expect(results.filter(({ status }) => status === 'started')).toHaveLength(1);
    expect(results.filter(({ status }) => status === 'running')).toHaveLength(5);
    await addRunsSince(id, 5);
    await Promise.all([optimizer, replica, optimizer, replica].map((one) => one.review(id)));
    expect(await optimizer.list(id)).toHaveLength(1);
    expect(audited).toEqual(['tuning.experiment_started', 'tuning.experiment_kept']);
    expect((await optimizer.tuning(id)).version).toBe(1);
  });

  test('is not begun, and nothing is changed, when it cannot be audited', async () => {
    const id = await addMeasured();
    const broken = openOptimizer({ record: () => Promise.reject(new Error('no audit')) });
    await expect(broken.optimize(id)).rejects.toThrow('no audit');
    expect(await optimizer.list(id)).toEqual([]);
    expect(await optimizer.tuning(id)).toMatchObject({ pageSizePercent: null, version: 0 });
  });
});

describe('a hand', () => {
  test('takes back what runs and what was kept, once', async () => {
    const id = await addMeasured();
    const { experimentId } = await optimizer.optimize(id);
    expect(await optimizer.revert(id, experimentId!)).toMatchObject({ status: 'reverted', performanceGain: null });
    expect(await pageSize(id)).toBeNull();
    expect((await optimizer.revert(id, experimentId!)).status).toBe('reverted');
    expect(audited).toEqual(['tuning.experiment_started', 'tuning.experiment_reverted']);
    await expect(optimizer.revert(id, 'exp_none')).rejects.toThrow(ExperimentNotFoundError);
    const other = await addIntegration(database.current, 'https://example.com');
    await expect(optimizer.revert(other, experimentId!)).rejects.toThrow(ExperimentNotFoundError);
  });

  test('ends an experiment by setting something, and what it sets stays', async () => {
    const id = await addMeasured();
    const { experimentId } = await optimizer.optimize(id);
    await optimizer.setTuning(id, { pageSizePercent: 300, headersMs: 5_000 });
    expect((await optimizer.list(id))[0]).toMatchObject({ id: experimentId, status: 'rolled_back' });
    expect(await optimizer.tuning(id)).toMatchObject({ pageSizePercent: 300, headersMs: 5_000, totalMs: null });
    await optimizer.setTuning(id, {});
    expect(await optimizer.tuning(id)).toMatchObject({ pageSizePercent: null, headersMs: null, version: 3 });
  });

  test('is not overruled by taking back an older experiment', async () => {
    const id = await addMeasured();
    const { experimentId } = await optimizer.optimize(id);
    await addRunsSince(id, 5);
    await optimizer.optimize(id);
    await optimizer.setTuning(id, { pageSizePercent: 50 });
    await expect(optimizer.revert(id, experimentId!)).rejects.toThrow(ConflictError);
    expect(await pageSize(id)).toBe(50);
    expect((await optimizer.list(id))[0]!.status).toBe('kept');
  });

  test('sets nothing beyond the bounds', async () => {
    const id = await addIntegration(database.current, 'https://example.com');
    const wrong = { pageSizePercent: 5, streamConcurrency: 9, rateSharePercent: 101, headersMs: 10, pageSize: 3 };
    const refused = await optimizer.setTuning(id, wrong).catch((error: unknown) => error as InvalidInputError);
    expect((refused as InvalidInputError).problems.map(({ pointer }) => pointer).sort()).toEqual([
      '/headersMs',
      '/pageSize',
      '/pageSizePercent',
      '/rateSharePercent',
      '/streamConcurrency',
    ]);
    expect((await optimizer.tuning(id)).version).toBe(0);
  });
});
