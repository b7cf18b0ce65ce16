import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Database, openDatabase } from '../src/store/database.ts';
import { nextDue, parseFrequency } from '../src/sync/frequency.ts';
import { type BenchProgram, endProgram, SERVER_FLAGS, startProgram } from './support/programs.ts';

const DUE_PER_SECOND = 200;
const WARM_UP_SECONDS = 5;

interface Figures {
  readonly integrations: number;
  readonly runs: number;
  readonly unfinished: number;
  readonly startedP50Ms: number;
  readonly startedP99Ms: number;
  readonly finishedP99Ms: number;
}

/**
 * The lag from due to started, and to finished, with many integrations of which 200 are due every second. One server,
 * as it comes, fires and syncs them for real: a call to an API on loopback, one record, all by the whole product, on
 * the embedded PostgreSQL. Target: p99 under 2 s.
 */
export async function run(options: { integrations?: number; seconds?: number } = {}): Promise<Figures> {
  const integrations = options.integrations ?? Number(process.env.BENCH_INTEGRATIONS ?? 100_000);
  const seconds = options.seconds ?? 30;
  const dataDir = await mkdtemp(join(tmpdir(), 'integration-services-bench-'));
  const api = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[{"id":1,"name":"one"}]}');
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const database = await openDatabase({ url: null, dataDir });
  let server: BenchProgram | undefined;
  try {
    await fill(database, integrations, `http://127.0.0.1:${(api.address() as AddressInfo).port}`);
    server = startProgram('scheduling/server.ts', [database.url, dataDir], SERVER_FLAGS);
    await server.firstLine;
    await delay(WARM_UP_SECONDS * 1000);
    const from = new Date();
    await delay(seconds * 1000);
    const until = new Date();
    // What was due by then gets its chance to show how late it is.
    await delay(5_000);
    const figures = { integrations, ...(await measure(database, from, until)) };
    console.table({ [`${DUE_PER_SECOND} due a second`]: figures });
    return figures;
  } finally {
    if (server !== undefined) await endProgram(server);
    await database.close();
    api.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Integrations with a schedule each, spread over the interval by their ids as always. */
async function fill(database: Database, integrations: number, apiUrl: string): Promise<void> {
  const frequency = `${Math.round(integrations / DUE_PER_SECOND)}s`;
  const configuration = {
    syncFrequency: frequency,
    connector: {
      baseUrl: apiUrl,
      auth: [{ name: 'none', title: 'None', type: 'none' }],
      check: { path: '/' },
      streams: [{ name: 'items', title: 'Items', path: '/', recordsPath: 'items', primaryKey: 'id' }],
    },
  };
  const ids = Array.from({ length: integrations }, (_, index) => `int_${String(index).padStart(26, '0')}`);
  await database.pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     select id, 'bench', 'bench', 'bench', 'http', 'connected', $2 from unnest($1::text[]) id`,
    [ids, JSON.stringify(configuration)],
  );
  // In the future, so that nothing is late before the server is up.
  const parsed = parseFrequency(frequency);
  const startMs = Date.now() + 5_000;
  await database.pool.query(
    `insert into sync_schedules (integration_id, frequency, next_due_at)
     select id, $2, due from unnest($1::text[], $3::timestamptz[]) due (id, due)`,
    [ids, frequency, ids.map((id) => new Date(nextDue(parsed, id, startMs)!))],
  );
  await database.pool.query('analyze');
}

/** Of the runs that were due in this time; one that has not started yet counts with what it has waited. */
async function measure(database: Database, from: Date, until: Date) {
  const { rows } = await database.pool.query(
    `select count(*)::int as runs,
            count(*) filter (where status in ('failed', 'stopped'))::int as failed,
            count(*) filter (where finished_at is null)::int as unfinished,
            1000 * percentile_disc(0.5) within group (order by extract(epoch from coalesce(started_at, now()) - due_at)) as p50,
            1000 * percentile_disc(0.99) within group (order by extract(epoch from coalesce(started_at, now()) - due_at)) as p99,
            1000 * percentile_disc(0.99) within group (order by extract(epoch from coalesce(finished_at, now()) - due_at)) as finished_p99
     from sync_runs where due_at >= $1 and due_at < $2`,
    [from, until],
  );
  const { runs, failed, unfinished, p50, p99, finished_p99: finished } = rows[0];
  if (failed > 0) throw new Error(`${failed} of ${runs} runs failed.`);
  return {
    runs: runs as number,
    unfinished: unfinished as number,
    startedP50Ms: Math.round(p50),
    startedP99Ms: Math.round(p99),
    finishedP99Ms: Math.round(finished),
  };
}
