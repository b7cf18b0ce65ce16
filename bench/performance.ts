import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/core/clock.ts';
import { silentLog } from '../src/core/log.ts';
import type { AttemptRecord } from '../src/outgoing/types.ts';
import { computeStatistics } from '../src/performance/analysis/statistics.ts';
import { createAnomalyDetector } from '../src/performance/anomaly/anomalyDetector.ts';
import { PerformanceRecorder } from '../src/performance/store/performanceRecorder.ts';
import { GlobalReports } from '../src/performance/summaries/globalReport.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { seedSummaries } from '../test/performance/support/seedSummaries.ts';
import { seededNormal } from '../test/performance/support/syntheticSeries.ts';

const ATTEMPTS = 500_000;
const SERIES = 20;
const ROUNDS = 5;
/** Durations that one attempt of a page inserts: total, queue, rate limit, connect, first byte, body. */
const INSERTS = 6;
const INTEGRATIONS = 10_000;
const HOUR_MS = 3_600_000;

/** Costs of watching: CPU and bytes of recording, a report over 10,000 integrations, an analysis. Targets: 40 ns, 1 KB, 200 ms. */
export async function run(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'integration-services-bench-'));
  const database = await openDatabase({ url: null, dataDir });
  try {
    const rows = [...(await recording(database)), ...(await reporting(database)), ...analysing()];
    console.table(rows.map(([what, value]) => ({ what, value })));
  } finally {
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

type Rows = [what: string, value: string][];

async function recording(database: Database): Promise<Rows> {
  const attempts = makeAttempts();
  // Its own clock, so that nothing is written while it is measured.
  const sleep = () => new Promise<void>(() => {});
  let nowMs = Date.now();
  const clock = { ...systemClock, now: () => nowMs, sleep };
  const record = async (calls: number) => {
    nowMs += 60_000;
    const recorder = new PerformanceRecorder({ database, clock, log: silentLog });
    const started = process.cpuUsage();
    for (let at = 0; at < calls; at++) recorder.record(attempts[at % attempts.length]!);
    const { user, system } = process.cpuUsage(started);
    await recorder.flush();
    return ((user + system) / calls) * 1_000;
  };
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, await record(ATTEMPTS));
  const bytesOf = async (calls: number): Promise<Rows[number]> => {
    await record(calls * SERIES);
    const { rows } = await database.pool.query<{ bytes: number }>(
      'select avg(pg_column_size(m.*))::float8 as bytes from metric_minutes m where bucket = $1',
      [new Date(Math.floor(nowMs / 60_000) * 60_000)],
    );
    return [`row of a series-minute of ${calls} calls, with ${INSERTS} histograms, bytes`, rows[0]!.bytes.toFixed(0)];
  };
  return [
    ['record(attempt), ns of CPU', best.toFixed(0)],
    [`an inserted duration, of ${INSERTS} each, ns of CPU`, (best / INSERTS).toFixed(1)],
    await bytesOf(60),
    await bytesOf(1_000),
    await bytesOf(10_000),
  ];
}

function makeAttempts(): AttemptRecord[] {
  const normal = seededNormal(9);
  // Few enough to lie in the processor's cache, as what a pipeline has just measured does.
  return Array.from({ length: 1 << 10 }, (_, at): AttemptRecord => {
    const durationMs = 80 * Math.exp(0.6 * normal());
    const phases = {
      backoffMs: 0,
      rateLimitMs: 2 * Math.abs(normal()),
      queueMs: Math.abs(normal()),
      connectMs: durationMs / 10,
      firstByteMs: durationMs / 2,
      bodyMs: (4 * durationMs) / 10,
    };
    return {
      id: `att_${at}`,
      operationId: 'syn_1',
      integrationId: `int_${at % SERIES}`,
      operation: 'sync',
      attempt: 1,
      method: 'GET',
      host: 'api.example.com',
      path: '/items',
      status: 200,
      outcome: 'success',
      startedAt: new Date(0),
      durationMs,
      waitMs: 3,
      firstByteMs: durationMs / 2,
      phases,
      responseBytes: 4_000,
      error: null,
    };
  });
}

async function reporting(database: Database): Promise<Rows> {
  await seedSummaries(database, INTEGRATIONS);
  const reports = new GlobalReports({ database, clock: systemClock, monitoring: 'on' });
  const measure = async (ask: () => Promise<unknown>) => {
    const times: number[] = [];
    const started = process.cpuUsage();
    for (let round = 0; round < 11; round++) {
      const startedMs = performance.now();
      await ask();
      times.push(performance.now() - startedMs);
    }
    const { user, system } = process.cpuUsage(started);
    const sorted = times.toSorted((a, b) => a - b);
    const cpuMs = (user + system) / 11_000;
    return `${sorted[0]!.toFixed(0)} at best, ${sorted[5]!.toFixed(0)} in the middle, ${cpuMs.toFixed(0)} of CPU`;
  };
  return [
    [`getGlobalPerformanceReport over ${INTEGRATIONS} integrations, ms`, await measure(() => reports.report())],
    [`getPerformanceSummary over ${INTEGRATIONS} integrations, ms`, await measure(() => reports.summary())],
  ];
}

function analysing(): Rows {
  const normal = seededNormal(4);
  const hours = (change: number) =>
    Array.from({ length: 720 }, (_, at) => ({
      timeMs: at * HOUR_MS,
      value: 200 * (1 + 0.3 * Math.sin(at / 3.8)) * Math.exp(0.1 * normal()) * (at > 400 ? change : 1),
    }));
  const bestMs = (work: () => unknown) => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round++) {
      const started = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(started);
      best = Math.min(best, (user + system) / 1_000);
    }
    return best;
  };
  const [steady, changed] = [hours(1), hours(1.5)];
  const detector = createAnomalyDetector();
  for (let at = 0; at < 5_000; at++) detector(at * 60_000, 100 + normal());
  const snapshot = detector.snapshot();
  const restored = bestMs(() => {
    for (let turn = 0; turn < 100; turn++) createAnomalyDetector({ snapshot }).snapshot();
  });
  return [
    [
      'trend and changes of 720 steady hours, ms of CPU (in a thread)',
      bestMs(() => computeStatistics({ p95: steady, p99: steady })).toFixed(0),
    ],
    ['the same with a change, ms of CPU', bestMs(() => computeStatistics({ p95: changed, p99: changed })).toFixed(0)],
    ['a detector restored and kept again, µs of CPU', (10 * restored).toFixed(0)],
    ['its snapshot, bytes', String(snapshot.length)],
  ];
}
