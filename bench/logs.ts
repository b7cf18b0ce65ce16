import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { systemClock } from '../src/core/clock.ts';
import { silentLog } from '../src/core/log.ts';
import { copyLine, LINE_COLUMNS } from '../src/logging/copyLine.ts';
import { LogRecorder } from '../src/logging/logRecorder.ts';
import { RecordMaker } from '../src/logging/record.ts';
import type { LogLevel } from '../src/logging/types.ts';
import { liveSecrets } from '../src/redaction/knownSecrets.ts';
import { type Database, openDatabase } from '../src/store/database.ts';

const RECORDS = Number(process.env.BENCH_RECORDS ?? 200_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const SECRETS = 1_000;
/** Callers that each await their own record before the next. */
const CALLERS = 2_000;
const COPY_RECORDS = 5_000;
const LEVELS: readonly LogLevel[] = ['info', 'info', 'info', 'info', 'debug', 'verbose', 'warn'];

/**
 * Ingest: `log` of many callers at a time, until everything is committed — checked, redacted against 1,000 live
 * secrets and the rules, journalled, numbered, indexed —, beside a bare COPY of the same lines into a table without
 * indexes. Target: at least half of it.
 */
export async function run(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'integration-services-bench-'));
  const database = await openDatabase({ url: null, dataDir });
  for (let secret = 0; secret < SECRETS; secret++) liveSecrets.add(`sk_bench_${secret}_${Math.random().toString(36)}`);
  try {
    const columns = `seq, ${LINE_COLUMNS}`;
    await database.pool.query(`create table bench_bare as select ${columns} from logs`);
    const rows: Record<string, object> = {};
    for (let round = 1; round <= ROUNDS; round++) {
      await database.pool.query('truncate logs, bench_bare');
      await database.pool.query('checkpoint');
      const bare = await copyBare(database);
      await database.pool.query('checkpoint');
      const ingest = await ingestRecords(database, dataDir);
      rows[`round ${round}`] = {
        'bare COPY /s': bare,
        'ingest /s': ingest.perSecond,
        share: Number((ingest.perSecond / bare).toFixed(2)),
        'await log() p50 ms': ingest.p50Ms,
        'p99 ms': ingest.p99Ms,
        'process, µs each': ingest.cpuUs,
        '≥ half': ingest.perSecond >= bare / 2,
      };
    }
    console.table(rows);
    measureMaking();
  } finally {
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const sample = (number: number) => ({
  scope: `int_${number % 1_000}`,
  level: LEVELS[number % LEVELS.length]!,
  message: `Page ${number % 50} of orders read: 100 records, 3 of them changed since the last run`,
  metadata: {
    eventName: 'sync.page',
    operationId: `op_${Math.floor(number / 20)}`,
    stream: 'orders',
    durationMs: number % 997,
    status: 200,
    path: `/api/v2/orders?page=${number % 50}&limit=100`,
  },
});

async function copyBare(database: Database): Promise<number> {
  const maker = new RecordMaker();
  const lines = Array.from({ length: RECORDS }, (_, number) => {
    const { scope, level, message, metadata } = sample(number);
    return `${number}\t${copyLine(maker.make(scope, level, message, metadata, Date.now()))}`;
  });
  const pieces = Array.from({ length: Math.ceil(RECORDS / COPY_RECORDS) }, (_, index) =>
    Buffer.from(lines.slice(index * COPY_RECORDS, (index + 1) * COPY_RECORDS).join('')),
  );
  const client = await database.pool.connect();
  const startedMs = performance.now();
  for (const piece of pieces) {
    await pipeline(Readable.from([piece]), client.query(copyFrom('copy bench_bare from stdin')));
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  client.release();
  return Math.round(RECORDS / seconds);
}

async function ingestRecords(database: Database, dataDir: string) {
  const recorder = new LogRecorder({
    clock: systemClock,
    root: join(dataDir, 'logs'),
    maxWaitingBytes: 1024 ** 3,
    level: 'debug',
    sink: silentLog,
  });
  recorder.start(database);
  const waits = new Float64Array(RECORDS);
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < RECORDS) {
      const number = next++;
      const { scope, level, message, metadata } = sample(number);
      const calledMs = performance.now();
      await recorder.record(scope, level, message, metadata);
      waits[number] = performance.now() - calledMs;
    }
  };
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  await Promise.all(Array.from({ length: CALLERS }, caller));
  await recorder.flush();
  const seconds = (performance.now() - startedMs) / 1_000;
  const { user, system } = process.cpuUsage(startedCpu);
  await recorder.close();
  const { rows } = await database.pool.query<{ count: number }>('select count(*) from logs');
  if (rows[0]!.count !== RECORDS) throw new Error(`${rows[0]!.count} records are stored instead of ${RECORDS}.`);
  waits.sort();
  const at = (share: number): number => Number(waits[Math.floor(RECORDS * share)]!.toFixed(3));
  const cpuUs = Number(((user + system) / RECORDS).toFixed(1));
  return { perSecond: Math.round(RECORDS / seconds), p50Ms: at(0.5), p99Ms: at(0.99), cpuUs };
}

/** What a record costs before it is written anywhere. */
function measureMaking(): void {
  const maker = new RecordMaker();
  const startedCpu = process.cpuUsage();
  for (let number = 0; number < RECORDS; number++) {
    const { scope, level, message, metadata } = sample(number);
    copyLine(maker.make(scope, level, message, metadata, Date.now()));
  }
  const { user, system } = process.cpuUsage(startedCpu);
  console.log(`making a record: ${((user + system) / RECORDS).toFixed(1)} µs of processor time`);
}
