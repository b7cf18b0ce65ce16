import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { AuditLog } from '../src/audit/auditLog.ts';
import { inclusionRanges } from '../src/audit/merkleProof.ts';
import { StoredHashes } from '../src/audit/storedHashes.ts';
import type { AuditEvent } from '../src/audit/types.ts';
import { systemClock } from '../src/core/clock.ts';
import { silentLog } from '../src/core/log.ts';
import { CredentialStore } from '../src/credentials/credentialStore.ts';
import { InstallationKeys } from '../src/credentials/installationKeys.ts';
import { createJobs } from '../src/jobs/jobs.ts';
import { type Database, openDatabase } from '../src/store/database.ts';

const WRITERS = Number(process.env.BENCH_WRITERS ?? 32);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const RECORDS = 2_000;
const BATCHES = [1, 10, 100];
const BACKLOG = Number(process.env.BENCH_ENTRIES ?? 50_000);
const EVENTS_A_STATEMENT = 1_000;

/**
 * What auditing costs, on the embedded PostgreSQL as it comes, with fsync: writes a second of concurrent writers, each
 * a small insert in a transaction, without and with an event beside it; `record` alone; and the sequencer. Targets:
 * record p50 ≤ 1 ms, and 5,000 audited writes a second.
 */
export async function run(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'integration-services-bench-'));
  const database = await openDatabase({ url: null, dataDir, poolSize: WRITERS + 4 });
  try {
    const keys = await InstallationKeys.open(database, 'a secret of the bench, long enough for it');
    const credentials = new CredentialStore(database, keys);
    const open = () => openLog(database, credentials, dataDir);
    const log = open();
    await database.pool.query('create table bench_writes (id bigint generated always as identity, note text)');
    await compareWriters(database, log, open);
    await measureRecord(database, log);
    await measureSequencer(database, log);
    await measureReads(database, log);
    await log.close();
  } finally {
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function openLog(database: Database, credentials: CredentialStore, dataDir: string): AuditLog {
  const jobs = createJobs(database, () => {});
  const origin = 'bench.example.com/audit';
  const rest = { webhook: null, secrets: ['a secret of the bench'], clock: systemClock, log: silentLog };
  return new AuditLog({ database, credentials, jobs, dataDir, origin, ...rest });
}

const event = (number: number): AuditEvent => ({
  actor: { kind: 'user', id: `usr_${number % 500}` },
  action: 'integration.updated',
  outcome: 'success',
  target: { kind: 'integration', id: `int_${number % 10_000}` },
  integrationId: `int_${number % 10_000}`,
  origin: { address: '192.0.2.7', requestId: `req_${number}`, userAgent: 'bench/1.0' },
  before: { name: 'Our code', syncFrequency: 'hourly' },
  after: { name: 'Our code, again', syncFrequency: 'daily' },
});

/** One transaction: rows in one statement, and with a log their events in another one. */
async function write(database: Database, log: AuditLog | null, writes: number): Promise<void> {
  const rows = Array.from({ length: writes }, (_, at) => at);
  await database.transaction(async (tx) => {
    await sql`insert into bench_writes (note) select 'written ' || n from unnest(${rows}::int[]) n`.execute(tx);
    await log?.recordMany(tx, rows.map(event));
  });
}

async function compareWriters(database: Database, log: AuditLog, openLog: () => AuditLog): Promise<void> {
  const rows: Record<string, object> = {};
  for (const writes of BATCHES) {
    const title = writes === 1 ? 'a transaction a write' : `${writes} writes a transaction`;
    const bare = await writesPerSecond(database, null, writes);
    const waiting = await writesPerSecond(database, log, writes);
    const sequencer = openLog();
    sequencer.start();
    const audited = await writesPerSecond(database, log, writes);
    await sequencer.close();
    await log.flush();
    rows[title] = {
      'not audited /s': bare,
      'audited /s': waiting,
      'audited, sequencer beside it /s': audited,
      '≥ 5,000 /s': audited >= 5_000,
    };
  }
  const sequencer = openLog();
  sequencer.start();
  const alone = await eventsPerSecond(database, log);
  await sequencer.close();
  await log.flush();
  rows['events by themselves (releases, denials, logins)'] = {
    'audited, sequencer beside it /s': alone,
    '≥ 5,000 /s': alone >= 5_000,
  };
  console.log(`${WRITERS} writers, ${SECONDS} s each`);
  console.table(rows);
}

async function writesPerSecond(database: Database, log: AuditLog | null, writes: number): Promise<number> {
  const startedMs = performance.now();
  let done = 0;
  const writer = async (): Promise<void> => {
    while (performance.now() - startedMs < SECONDS * 1_000) {
      await write(database, log, writes);
      done += writes;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return Math.round((done / (performance.now() - startedMs)) * 1_000);
}

/** Each awaits its own event before it goes on. */
async function eventsPerSecond(database: Database, log: AuditLog): Promise<number> {
  const startedMs = performance.now();
  let done = 0;
  const writer = async (): Promise<void> => {
    while (performance.now() - startedMs < SECONDS * 1_000) await log.record(database.db, event(done++));
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return Math.round((done / (performance.now() - startedMs)) * 1_000);
}

/** In a transaction that goes on, so that only the event itself is measured; and as a statement of its own, with its commit. */
async function measureRecord(database: Database, log: AuditLog): Promise<void> {
  const measure = async (db: Parameters<AuditLog['record']>[0]): Promise<object> => {
    const taken: number[] = [];
    for (let at = 0; at < RECORDS; at++) {
      const startedMs = performance.now();
      await log.record(db, event(at));
      taken.push(performance.now() - startedMs);
    }
    taken.sort((a, b) => a - b);
    const p50 = taken[RECORDS / 2]!;
    return { 'p50 ms': round(p50), 'p99 ms': round(taken[Math.floor(RECORDS * 0.99)]!), 'p50 ≤ 1 ms': p50 <= 1 };
  };
  console.table({
    'record, in a transaction': await database.transaction((tx) => measure(tx)),
    'record, with its own commit': await measure(database.db),
  });
}

async function measureSequencer(database: Database, log: AuditLog): Promise<void> {
  await log.flush();
  const from = await sizeOf(database);
  for (let at = 0; at < BACKLOG; at += EVENTS_A_STATEMENT)
    await log.recordMany(
      database.db,
      Array.from({ length: EVENTS_A_STATEMENT }, (_, index) => event(at + index)),
    );
  const startedMs = performance.now();
  await log.flush();
  const ms = performance.now() - startedMs;
  const moved = (await sizeOf(database)) - from;
  console.table({ sequencer: { entries: moved, '/s': Math.round((moved / ms) * 1_000) } });
}

async function measureReads(database: Database, log: AuditLog): Promise<void> {
  const size = await sizeOf(database);
  const rows: Record<string, object> = {};
  const time = async (name: string, run: () => Promise<unknown>, times: number): Promise<void> => {
    const startedMs = performance.now();
    for (let at = 0; at < times; at++) await run();
    rows[name] = { ms: round((performance.now() - startedMs) / times) };
  };
  await time(
    'the hashes of a proof',
    async () => {
      const hashes = new StoredHashes(database.db);
      for (const range of inclusionRanges(Math.floor(Math.random() * size), size)) await hashes.nodeOver(range);
    },
    50,
  );
  await time('a page of the list', () => log.list({ actor: 'usr_7' }, 50), 50);
  await time(
    `verify of ${size} entries`,
    async () => {
      const { finding } = await log.verify();
      if (finding !== null) throw new Error(`The log of the bench is wrong: ${JSON.stringify(finding)}`);
    },
    1,
  );
  console.table(rows);
}

async function sizeOf({ db }: Database): Promise<number> {
  return (await db.selectFrom('audit_tree').select('size').executeTakeFirstOrThrow()).size;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
