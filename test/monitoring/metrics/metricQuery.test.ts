import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { InvalidInputError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { silentLog } from '../../../src/core/log.ts';
import { MetricQueryTooLargeError } from '../../../src/monitoring/errors.ts';
import { LoopDelay } from '../../../src/monitoring/metrics/loopDelay.ts';
import { parseMetricQuery } from '../../../src/monitoring/metrics/metricQuery.ts';
import { MetricSources } from '../../../src/monitoring/metrics/metricSources.ts';
import { PerformanceMetrics } from '../../../src/monitoring/metrics/performanceMetrics.ts';
import { SystemMetrics } from '../../../src/monitoring/metrics/systemMetrics.ts';
import { deleteOldSystemMinutes, SystemRecorder } from '../../../src/monitoring/metrics/systemRecorder.ts';
import type { Outcome } from '../../../src/outgoing/types.ts';
import { PerformanceRecorder } from '../../../src/performance/store/performanceRecorder.ts';
import { rollUp } from '../../../src/performance/store/rollUps.ts';
import { useTestDatabase } from '../../support/database.ts';

const database = useTestDatabase();
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Two full hours ago, so that hours and minutes around it are certain. */
const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
let sources: MetricSources;

beforeAll(async () => {
  const { pool } = database.current;
  for (const [id, owner, platform] of [
    ['int_a', 'usr_1', 'stripe'],
    ['int_b', 'usr_2', 'github'],
  ]) {
    await pool.query(
      `insert into integrations (id, owner, name, type, platform, status, configuration) values ($1, $2, $1, 'api', $3, 'connected', '{}')`,
      [id, owner, platform],
    );
  }
  const time = { nowMs: startMs };
  const sleep: typeof systemClock.sleep = (_ms, signal, options) => systemClock.sleep(HOUR_MS, signal, options);
  const clock = { ...systemClock, now: () => time.nowMs, sleep };
  const recorder = new PerformanceRecorder({ database: database.current, clock, log: silentLog });
  const call = (integrationId: string, durationMs: number, outcome: Outcome) =>
    recorder.record({
      id: newId('attempt'),
      operationId: 'op_1',
      integrationId,
      operation: 'sync',
      attempt: 1,
      method: 'GET',
      host: 'api.example.com',
      path: '/',
      status: 200,
      outcome,
      startedAt: new Date(time.nowMs),
      durationMs,
      waitMs: 0,
      firstByteMs: 1,
      phases: { backoffMs: 0, rateLimitMs: 7, queueMs: 0, connectMs: 1, firstByteMs: 1, bodyMs: 1 },
      responseBytes: 100,
      error: null,
    });
  for (let minute = 0; minute < 90; minute++) {
    time.nowMs = startMs + minute * MINUTE_MS;
    for (let one = 1; one <= 10; one++) call('int_a', 10 * one, one === 10 ? 'timeout' : 'success');
    call('int_b', 1_000, 'success');
  }
  await recorder.close();
  sources = new MetricSources([new PerformanceMetrics(database.current), new SystemMetrics(database.current)], []);
});

const at = (minutes: number) => startMs + minutes * MINUTE_MS;
const iso = (minutes: number) => new Date(at(minutes)).toISOString();
const all = { kind: 'all' } as const;

describe('what calls show', () => {
  test('one value of every group over a window', async () => {
    const ask = (metric: string, aggregation: 'avg' | 'p95' | 'sum' | 'rate' | 'max') =>
      sources.query(
        { metric, aggregation, filter: [], windowMs: 5 * MINUTE_MS, groupBy: ['integrationId'] },
        at(30) - 1,
      );
    const valuesOf = async (...question: Parameters<typeof ask>) =>
      Object.fromEntries((await ask(...question)).map(({ labels, value }) => [labels.integrationId, value]));
    expect(await valuesOf('error_rate', 'avg')).toEqual({ int_a: 10, int_b: 0 });
    expect(await valuesOf('response_time_ms', 'avg')).toEqual({ int_a: 55, int_b: 1_000 });
    expect(await valuesOf('response_time_ms', 'max')).toEqual({ int_a: 100, int_b: 1_000 });
    const { int_a: p95 } = await valuesOf('response_time_ms', 'p95');
    expect(Math.abs(p95! - 100) / 100).toBeLessThan(0.011);
    // The window begins within a minute, which counts whole.
    expect(await valuesOf('calls', 'sum')).toEqual({ int_a: 60, int_b: 6 });
    expect(await valuesOf('rate_limit_ms', 'max')).toEqual({ int_a: 7, int_b: 7 });
  });

  test('sizes of answers are sums, means, rates and counts, and nothing that was not kept', async () => {
    const ask = async (aggregation: 'avg' | 'sum' | 'count' | 'p95') =>
      (await sources.ask({ metric: 'response_bytes', aggregation, window: '10m' }, all, at(30))).series[0]!.points[0]!
        .value;
    expect([await ask('sum'), await ask('avg'), await ask('count')]).toEqual([12_100, 100, 121]);
    await expect(ask('p95')).rejects.toThrow(/takes one of avg, sum, rate, count/);
  });

  test('points in time, by minute and by hour, merged or not', async () => {
    const range = (step: string) =>
      sources.ask(
        { metric: 'calls', aggregation: 'sum', groupBy: ['platform'], from: iso(0), until: iso(120), step },
        all,
        at(120),
      );
    const sums = async (step: string) =>
      Object.fromEntries(
        (await range(step)).series.map(({ labels, points }) => [
          labels.platform,
          [points.length, points.reduce((sum, { value }) => sum + value!, 0)],
        ]),
      );
    expect(await sums('1m')).toEqual({ stripe: [90, 900], github: [90, 90] });
    expect(await sums('1h')).toEqual({ stripe: [2, 900], github: [2, 90] });
    await rollUp(database.current, Date.now() + HOUR_MS);
    expect(await sums('1h')).toEqual({ stripe: [2, 900], github: [2, 90] });
    const { series } = await range('30m');
    expect(series[0]!.points.map(({ at: point }) => point)).toEqual([iso(0), iso(30), iso(60)]);
  });

  test('a window is told as it was asked for', async () => {
    const query = { metric: 'calls', aggregation: 'sum', window: '10m' };
    const { from, until, stepMs } = await sources.ask(query, all, at(30));
    expect({ from, until, stepMs }).toEqual({
      from: new Date(at(20)).toISOString(),
      until: new Date(at(30)).toISOString(),
      stepMs: 10 * MINUTE_MS,
    });
  });

  test('filters, and labels that must not be', async () => {
    const ask = async (filter: Record<string, string | string[]>) =>
      (await sources.ask({ metric: 'calls', aggregation: 'sum', filter, window: '10m' }, all, at(30))).series[0]
        ?.points[0]?.value ?? null;
    expect(await ask({ outcome: 'timeout' })).toBe(11);
    expect(await ask({ '!outcome': 'timeout', platform: 'stripe' })).toBe(99);
    expect(await ask({ integrationId: ['int_a', 'int_b'], outcome: ['timeout', 'success'] })).toBe(121);
    expect(await ask({ platform: 'nobody' })).toBeNull();
  });

  test('nobody is told of integrations that they may not see', async () => {
    const none = { ids: [], owners: [], platforms: [] };
    const own = { kind: 'some', only: { ...none, owners: ['usr_2'] }, except: none, within: null } as const;
    const query = { metric: 'calls', aggregation: 'sum', groupBy: ['integrationId'], window: '10m' } as const;
    const seen = async (visible: Parameters<typeof sources.ask>[1]) =>
      (await sources.ask(query, visible, at(30))).series.map(({ labels }) => labels.integrationId);
    expect(await seen(own)).toEqual(['int_b']);
    expect(await seen({ kind: 'none' })).toEqual([]);
    expect((await seen(all)).toSorted()).toEqual(['int_a', 'int_b']);
  });
});

describe('what processes see of themselves', () => {
  const loopDelay = new LoopDelay();
  const time = { nowMs: startMs };
  afterAll(() => loopDelay.close());

  test('is kept by the minute and can be asked for', async () => {
    const clock = { ...systemClock, now: () => time.nowMs };
    const options = { database: database.current, clock, log: silentLog, dataDir: process.cwd(), loopDelay };
    const recorder = new SystemRecorder(options);
    for (let sample = 0; sample < 30; sample++) {
      time.nowMs = startMs + sample * 5_000;
      await recorder.sample();
    }
    const ask = (aggregation: 'avg' | 'max' | 'last', metric = 'process_memory_bytes') =>
      sources.ask({ metric, aggregation, from: iso(0), until: iso(5), step: '1m' }, all, at(5));
    for (const aggregation of ['avg', 'max', 'last'] as const) {
      const { points } = (await ask(aggregation)).series[0]!;
      expect(points.map(({ samples }) => samples)).toEqual([12, 12, 6]);
      expect(points[0]!.value, aggregation).toBeGreaterThan(10_000_000);
    }
    const free = await sources.query(
      { metric: 'disk_free_ratio', aggregation: 'last', filter: [], windowMs: 5 * MINUTE_MS, groupBy: ['process'] },
      at(5),
    );
    expect(free).toHaveLength(1);
    expect(free[0]!.value).toBeGreaterThan(0);
    expect(free[0]!.value).toBeLessThanOrEqual(1);
    await deleteOldSystemMinutes(database.current, startMs + 8 * 24 * HOUR_MS);
    expect((await ask('max')).series).toEqual([]);
  });
});

describe('a query', () => {
  const parse = (input: object) => parseMetricQuery(input, startMs);

  test('that is wrong says everything that is wrong with it', () => {
    const problemsOf = (input: object) => {
      try {
        parse(input);
      } catch (error) {
        return (error as InvalidInputError).problems.map(({ pointer, detail }) => `${pointer} ${detail}`);
      }
      return [];
    };
    expect(problemsOf({ metric: 'responce_time_ms', aggregation: 'p95' })[0]).toMatch(
      /Did you mean "response_time_ms"/,
    );
    expect(
      problemsOf({
        metric: 'calls',
        aggregation: 'p95',
        groupBy: ['colour'],
        filter: { shape: 'round' },
        window: '90s',
        step: '1m',
      }),
    ).toEqual([
      expect.stringMatching(/^\/aggregation takes one of sum, count, rate/),
      expect.stringMatching(/^\/filter "shape" is no label of calls/),
      expect.stringMatching(/^\/groupBy\/0 "colour" is no label/),
      expect.stringMatching(/^\/window takes/),
      expect.stringMatching(/^\/from is needed/),
    ]);
    expect(() => parse({ metric: 'calls', aggregation: 'sum', from: iso(5), until: iso(1) })).toThrow(/after "from"/);
    expect(() => parse({ metric: 'calls', aggregation: 'sum', from: iso(-9_000), step: '1m' })).toThrow(
      MetricQueryTooLargeError,
    );
  });

  test('without a step gives at most 300 points', () => {
    for (const hours of [1, 6, 24, 24 * 7, 24 * 30, 24 * 300]) {
      const parsed = parse({ metric: 'calls', aggregation: 'sum', from: iso(-60 * hours) });
      if (parsed.kind !== 'range') throw new Error('It asks for points.');
      const { fromMs, untilMs, stepMs } = parsed.query;
      expect((untilMs - fromMs) / stepMs).toBeLessThanOrEqual(301);
      expect(fromMs % stepMs).toBe(0);
    }
  });
});
