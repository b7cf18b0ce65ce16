import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { UnavailableError } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/ids.ts';
import { silentLog } from '../../../src/core/log.ts';
import type { AttemptRecord, Outcome } from '../../../src/outgoing/types.ts';
import { Histogram } from '../../../src/performance/histogram.ts';
import { PerformanceRecorder } from '../../../src/performance/store/performanceRecorder.ts';
import { deleteSeries, keepSeries } from '../../../src/performance/store/retention.ts';
import { rollUp } from '../../../src/performance/store/rollUps.ts';
import { decodePhases, encodePhases } from '../../../src/performance/store/seriesBytes.ts';
import { readSeries } from '../../../src/performance/store/seriesQueries.ts';
import { PHASES, type Phase, type Resolution } from '../../../src/performance/types.ts';
import type { Database } from '../../../src/store/database.ts';
import { useTestDatabase } from '../../support/database.ts';

const database = useTestDatabase();
const HOUR_MS = 3_600_000;
/** The full hour before this one, so that the days and hours around it are certain. */
const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - HOUR_MS;

function attempt(integrationId: string, durationMs: number, rest: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    id: newId('attempt'),
    operationId: 'op_1',
    integrationId,
    operation: 'sync',
    attempt: 1,
    method: 'GET',
    host: 'api.example.com',
    path: '/',
    status: 200,
    outcome: 'success',
    startedAt: new Date(),
    durationMs,
    waitMs: 0,
    firstByteMs: durationMs / 2,
    phases: {
      backoffMs: 0,
      rateLimitMs: 3,
      queueMs: 0,
      connectMs: durationMs / 4,
      firstByteMs: durationMs / 4,
      bodyMs: durationMs / 2,
    },
    responseBytes: 10,
    error: null,
    ...rest,
  };
}

/** A process whose time is set by the test. */
function open(timeMs: number, options: { database?: Database; maxCells?: number } = {}) {
  const time = { nowMs: timeMs };
  // What is written by itself comes late: the test says when.
  const sleep: Clock['sleep'] = (_ms, signal, options) => systemClock.sleep(3_600_000, signal, options);
  const clock = { ...systemClock, now: () => time.nowMs, sleep };
  const recorder = new PerformanceRecorder({ clock, log: silentLog, database: database.current, ...options });
  return { recorder, time };
}

const read = (integrationId: string, resolution: Resolution, fromMs = startMs - 48 * HOUR_MS) =>
  readSeries(database.current, { integrationId, resolution, fromMs, untilMs: startMs + 48 * HOUR_MS });

const callsOf = async (integrationId: string, resolution: Resolution) =>
  (await read(integrationId, resolution)).reduce((sum, one) => sum + one.calls, 0);

test('every attempt is counted once, with where its time went', async () => {
  const { recorder } = open(startMs);
  for (let ms = 1; ms <= 1_000; ms++) recorder.record(attempt('int_phases', ms));
  recorder.record(attempt('int_phases', 5, { outcome: 'timeout', attempt: 2 }));
  await recorder.flush();
  const [success, timeout] = await read('int_phases', 'minute');
  expect(success).toMatchObject({ startMs, outcome: 'success', calls: 1_000, responseBytes: 10_000 });
  expect(success!.totalMs).toBeCloseTo(500_500, 6);
  const p95 = success!.phases.get('total')!.quantile(0.95)!;
  expect(Math.abs(p95 - 950) / 950).toBeLessThanOrEqual(0.011);
  expect(success!.phases.get('body')!.quantile(0.5)! / 250).toBeCloseTo(1, 1);
  expect(success!.phases.get('rate_limit')!.count).toBe(1_000);
  expect(success!.phases.has('backoff')).toBe(false);
  expect(timeout).toMatchObject({ outcome: 'timeout', calls: 1 });
  expect(timeout!.phases.has('backoff')).toBe(true);
});

test('a minute that goes on is written anew, not added to', async () => {
  const { recorder } = open(startMs);
  for (let round = 1; round <= 5; round++) {
    recorder.record(attempt('int_again', round));
    await recorder.flush();
  }
  await recorder.flush();
  expect(await read('int_again', 'minute')).toMatchObject([{ calls: 5, totalMs: 15 }]);
  const { rows } = await database.current.pool.query(
    `select count(*)::int from metric_minutes where integration_id = 'int_again'`,
  );
  expect(rows).toEqual([{ count: 1 }]);
});

test('several processes add up, in minutes, hours and days, before and after they are merged', async () => {
  const processes = [open(startMs), open(startMs), open(startMs)];
  for (const { recorder, time } of processes) {
    for (let minute = 0; minute < 10; minute++) {
      time.nowMs = startMs + minute * 60_000;
      for (let call = 1; call <= 7; call++) recorder.record(attempt('int_many', call));
      await recorder.flush();
    }
  }
  expect(await read('int_many', 'minute')).toHaveLength(10);
  for (const resolution of ['minute', 'hour', 'day'] as const) expect(await callsOf('int_many', resolution)).toBe(210);
  // Over, but within its grace.
  await rollUp(database.current, startMs + HOUR_MS + 1_000);
  expect((await database.current.db.selectFrom('metric_hours').selectAll().execute()).length).toBe(0);
  await rollUp(database.current, startMs + HOUR_MS + 60_000);
  for (const resolution of ['minute', 'hour', 'day'] as const) expect(await callsOf('int_many', resolution)).toBe(210);
  await rollUp(database.current, startMs + 49 * HOUR_MS);
  for (const resolution of ['minute', 'hour', 'day'] as const) expect(await callsOf('int_many', resolution)).toBe(210);
  const [day] = await read('int_many', 'day');
  expect(day!.phases.get('total')!.quantile(1)).toBe(7);
});

test('what comes late has its hour and day merged again', async () => {
  const { recorder } = open(startMs);
  recorder.record(attempt('int_late', 1));
  await recorder.flush();
  await rollUp(database.current, startMs + 49 * HOUR_MS);
  const late = open(startMs + 60_000);
  late.recorder.record(attempt('int_late', 1));
  // Written when the hour is over, as after an outage of the database.
  late.time.nowMs = startMs + 2 * HOUR_MS;
  await late.recorder.flush();
  for (const resolution of ['hour', 'day'] as const) expect(await callsOf('int_late', resolution), resolution).toBe(2);
  await Promise.all([1, 2, 3].map(() => rollUp(database.current, startMs + 49 * HOUR_MS)));
  for (const resolution of ['hour', 'day'] as const) expect(await callsOf('int_late', resolution)).toBe(2);
});

test('while the database is away nothing is lost that fits, and what does not fit is counted', async () => {
  let away = true;
  const pool = {
    query: (...args: [never]) => {
      if (away) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      return database.current.pool.query(...args);
    },
  };
  const query = async (...args: [never]) => pool.query(...args);
  const cut = { ...database.current, pool: { query } } as unknown as Database;
  const { recorder, time } = open(startMs, { database: cut, maxCells: 100 });
  for (let minute = 0; minute < 3; minute++) {
    time.nowMs = startMs + minute * 60_000;
    recorder.record(attempt('int_away', 1));
    await expect(recorder.flush()).rejects.toThrow(UnavailableError);
  }
  for (let other = 0; other < 110; other++) recorder.record(attempt(`int_other_${other}`, 1));
  expect(recorder.dropped).toBeGreaterThanOrEqual(10);
  expect(recorder.dropped).toBeLessThanOrEqual(14);
  away = false;
  await recorder.flush();
  expect(await callsOf('int_away', 'minute')).toBe(3);
  const { rows } = await database.current.pool.query(
    `select sum(calls)::int as calls from metric_minutes where integration_id like 'int\\_other\\_%'`,
  );
  expect(rows[0].calls + recorder.dropped).toBe(110);
});

test('more series than are held in one minute go on in rows of their own', async () => {
  const { recorder } = open(startMs, { maxCells: 100 });
  for (let round = 0; round < 2; round++) {
    for (let one = 0; one < 60; one++) recorder.record(attempt(`int_round_${round}_${one}`, 1));
    await recorder.flush();
    recorder.record(attempt('int_steady', 1));
    await recorder.flush();
  }
  for (let one = 0; one < 60; one++) recorder.record(attempt(`int_round_0_${one}`, 1));
  recorder.record(attempt('int_steady', 1));
  await recorder.flush();
  expect(recorder.dropped).toBe(0);
  expect(await callsOf('int_steady', 'minute')).toBe(3);
  expect(await callsOf('int_round_0_17', 'minute')).toBe(2);
});

test('a series-minute takes no more than 1 KB', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0.1, max: 1.4, noNaN: true }),
      (count, sigma) => {
        const histogram = new Histogram();
        for (let at = 0; at < count; at++) histogram.record(120 * Math.exp(sigma * normalAt((at + 0.5) / count)));
        expect(encodePhases(new Map([['total', histogram]])).length).toBeLessThanOrEqual(1_024);
      },
    ),
    { numRuns: 20 },
  );
});

test('phases come back as they were, whole or one of them', () => {
  const phases = new Map<Phase, Histogram>();
  for (const [at, phase] of PHASES.entries()) {
    const histogram = new Histogram();
    histogram.record(at);
    phases.set(phase, histogram);
  }
  const bytes = encodePhases(phases);
  expect([...decodePhases(bytes)].map(([phase, one]) => [phase, one.sum])).toEqual(
    PHASES.map((phase, at) => [phase, at]),
  );
  expect([...decodePhases(bytes, 'body').keys()]).toEqual(['body']);
  expect(() => decodePhases(bytes.subarray(0, bytes.length - 1))).toThrow(/phases/);
});

/** The inverse of the normal distribution by bisection: good enough for a test's data. */
function normalAt(share: number): number {
  let [low, high] = [-6, 6];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    // Logistic approximation of the distribution.
    if (1 / (1 + Math.exp(-1.702 * middle)) < share) low = middle;
    else high = middle;
  }
  return low;
}

test('outcomes and operations stand apart', async () => {
  const { recorder } = open(startMs);
  const outcomes: Outcome[] = ['success', 'timeout', 'rate_limited'];
  for (const outcome of outcomes) {
    recorder.record(attempt('int_apart', 1, { outcome }));
    recorder.record(attempt('int_apart', 1, { outcome, operation: 'check' }));
  }
  recorder.recordPhase('int_apart', 'sync', 'success', 'write', 12);
  await recorder.flush();
  const rows = await read('int_apart', 'hour');
  expect(rows).toHaveLength(6);
  expect(rows.every((one) => one.calls === 1)).toBe(true);
  const only = await readSeries(database.current, {
    integrationId: 'int_apart',
    resolution: 'hour',
    fromMs: startMs,
    untilMs: startMs + HOUR_MS,
    operations: ['sync'],
    phase: 'write',
  });
  expect(only.map((one) => one.outcome).toSorted()).toEqual(outcomes.toSorted());
  expect(only.flatMap((one) => [...one.phases.keys()])).toEqual(['write']);
  onTestFinished(() => recorder.close());
});

test('old minutes and hours are dropped, and nothing is left of a deleted integration', async () => {
  const { recorder } = open(startMs);
  recorder.record(attempt('int_gone', 1));
  recorder.record(attempt('int_kept', 1));
  await recorder.flush();
  await rollUp(database.current, startMs + 49 * HOUR_MS);
  await deleteSeries(database.current, 'int_gone');
  expect(await callsOf('int_gone', 'minute')).toBe(0);
  expect(await callsOf('int_gone', 'day')).toBe(0);
  await keepSeries(database.current, startMs + 4 * 24 * HOUR_MS, 30);
  expect(await callsOf('int_kept', 'minute')).toBe(0);
  expect(await callsOf('int_kept', 'hour')).toBe(1);
  await keepSeries(database.current, startMs + 32 * 24 * HOUR_MS, 30);
  expect(await read('int_kept', 'hour')).toEqual([]);
  expect(await callsOf('int_kept', 'day')).toBe(1);
  await keepSeries(database.current, startMs + 402 * 24 * HOUR_MS, 30);
  expect(await callsOf('int_kept', 'day')).toBe(0);
});
