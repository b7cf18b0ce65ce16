import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { systemClock } from '../src/core/clock.ts';
import { newIdName } from '../src/core/ids.ts';
import { silentLog } from '../src/core/log.ts';
import { shardOf } from '../src/monitoring/alerts/alertRules.ts';
import { AlertEvaluator } from '../src/monitoring/alerts/evaluator.ts';
import { definitionOf } from '../src/monitoring/alerts/ruleQueries.ts';
import { type CreateRuleData, parseRule } from '../src/monitoring/alerts/ruleSchema.ts';
import type { MetricSource } from '../src/monitoring/alerts/types.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { foldersOf } from '../src/store/embedded/folders.ts';
import { readPidFile } from '../src/store/embedded/pidFile.ts';

const INTERVAL_MS = 15_000;
const WARM_UP_ROUNDS = 3;
const HOUR_MS = 3_600_000;

interface Figures {
  readonly rules: number;
  readonly integrations: number;
  readonly comparisons: number;
  readonly alerts: number;
  readonly changesARound: number;
  /** Of one core, when every rule is evaluated every 15 s. */
  readonly processPercent: number;
  readonly databasePercent: number;
  readonly roundMs: number;
  readonly worstRoundMs: number;
  readonly heapMb: number;
}

/**
 * What evaluating 10,000 rules over 10,000 integrations every 15 s takes. Once a rule for each integration, and once
 * each rule over all of them, so that a hundred million values are compared. The values are read from a table by one
 * query a round, and change in every round. Target: less than half of one core.
 */
export async function run(options: { size?: number; rounds?: number } = {}): Promise<Figures[]> {
  const size = options.size ?? Number(process.env.BENCH_RULES ?? 10_000);
  const rounds = options.rounds ?? 20;
  const dataDir = await mkdtemp(join(tmpdir(), 'integration-services-bench-'));
  const database = await openDatabase({ url: null, dataDir });
  try {
    const ids = await makeIntegrations(database, size);
    const figures: Record<string, Figures> = {};
    figures['a rule for each integration'] = await measure(database, dataDir, rounds, ids, (index) => ({
      filter: [{ label: 'integrationId', op: 'in', values: [ids[index]!] }],
      threshold: size * 0.99,
    }));
    // Each breached by ten integrations or so.
    figures['every rule over all of them'] = await measure(database, dataDir, rounds, ids, (index) => ({
      threshold: size - 15 + (index % 1_000) / 100,
    }));
    console.table(figures);
    return Object.values(figures);
  } finally {
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measure(
  database: Database,
  dataDir: string,
  rounds: number,
  ids: readonly string[],
  fields: (index: number) => Partial<CreateRuleData>,
): Promise<Figures> {
  await database.pool.query('truncate alert_rules, alert_changes cascade');
  await database.pool.query('update alert_shards set evaluated_at = null');
  await makeRules(database, ids.length, fields);
  const evaluator = new AlertEvaluator({ database, source: tableSource(database), clock: systemClock, log: silentLog });
  await evaluator.claimAll();
  const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const round = async (number: number) => {
    await changeValues(database);
    const since = performance.now();
    const cpu = process.cpuUsage();
    const databaseCpu = await databaseCpuMs(dataDir);
    await evaluator.evaluate(startMs + number * INTERVAL_MS);
    const { user, system } = process.cpuUsage(cpu);
    return {
      wallMs: performance.now() - since,
      cpuMs: (user + system) / 1_000,
      databaseMs: (await databaseCpuMs(dataDir)) - databaseCpu,
    };
  };
  for (let number = 0; number < WARM_UP_ROUNDS; number++) await round(number);
  const before = await countChanges(database);
  const measured: Awaited<ReturnType<typeof round>>[] = [];
  for (let number = 0; number < rounds; number++) measured.push(await round(WARM_UP_ROUNDS + number));
  const changes = (await countChanges(database)) - before;
  const { rows } = await database.pool.query(
    `select count(*)::int as alerts from alert_instances where state <> 'normal'`,
  );
  globalThis.gc?.();
  const heapMb = Math.round(process.memoryUsage().heapUsed / 1e6);
  await evaluator.close();
  const mean = (of: (one: (typeof measured)[number]) => number) =>
    measured.reduce((sum, one) => sum + of(one), 0) / measured.length;
  const percent = (ms: number) => Math.round((1_000 * ms) / INTERVAL_MS) / 10;
  const all = fields(0).filter === undefined;
  return {
    rules: ids.length,
    integrations: ids.length,
    comparisons: all ? ids.length ** 2 : ids.length,
    alerts: rows[0].alerts,
    changesARound: Math.round(changes / rounds),
    processPercent: percent(mean(({ cpuMs }) => cpuMs)),
    databasePercent: percent(mean(({ databaseMs }) => databaseMs)),
    roundMs: Math.round(mean(({ wallMs }) => wallMs)),
    worstRoundMs: Math.round(Math.max(...measured.map(({ wallMs }) => wallMs))),
    heapMb,
  };
}

async function makeIntegrations(database: Database, size: number): Promise<string[]> {
  const ids = Array.from({ length: size }, (_, index) => `int_${String(index).padStart(26, '0')}`);
  await database.pool.query(
    `insert into integrations (id, owner, name, type, platform, status, configuration)
     select id, 'bench', 'bench', 'bench', 'http', 'connected', '{}' from unnest($1::text[]) id`,
    [ids],
  );
  await database.pool.query(
    `create table bench_values as
     select id, row_number() over (order by md5(id))::double precision as value from unnest($1::text[]) id`,
    [ids],
  );
  await database.pool.query('analyze');
  return ids;
}

async function makeRules(database: Database, size: number, fields: (index: number) => Partial<CreateRuleData>) {
  const rules = Array.from({ length: size }, (_, index) =>
    parseRule({
      name: `Rule ${index}`,
      kind: 'performance',
      severity: 'warning',
      metric: 'response_time_ms',
      aggregation: 'p95',
      windowMs: 60_000,
      op: '>',
      threshold: 0,
      intervalMs: INTERVAL_MS,
      forMs: 2 * INTERVAL_MS,
      keepFiringForMs: 2 * INTERVAL_MS,
      annotations: { summary: '{{ labels.integrationId }} takes {{ value }} ms.' },
      ...fields(index),
    }),
  );
  const ids = rules.map(() => `alr_${newIdName()}`);
  await sql`
    insert into alert_rules (id, shard, name, kind, severity, metric, enabled, definition, revision)
    select id, shard, name, 'performance', 'warning', 'response_time_ms', true, definition, 1
    from unnest(${ids}::text[], ${ids.map(shardOf)}::smallint[], ${rules.map(({ name }) => name)}::text[],
                ${rules.map((rule) => JSON.stringify(definitionOf(rule)))}::jsonb[]) as rule (id, shard, name, definition)
  `.execute(database.db);
  await database.pool.query('analyze');
}

/** One in a hundred moves to another place. */
async function changeValues(database: Database): Promise<void> {
  await database.pool.query(
    `update bench_values set value = 1 + floor(random() * (select count(*) from bench_values)) where random() < 0.01`,
  );
}

function tableSource(database: Database): MetricSource {
  return {
    has: () => true,
    query: async () => {
      const { rows } = await database.pool.query<{ id: string; value: number }>('select id, value from bench_values');
      return rows.map(({ id, value }) => ({ labels: { integrationId: id }, value, samples: 100 }));
    },
  };
}

async function countChanges(database: Database): Promise<number> {
  const { rows } = await database.pool.query(`select value from alert_counters where name = 'changes'`);
  return Number(rows[0].value);
}

/** Processor time of the database's processes so far; 0 where /proc does not tell. */
async function databaseCpuMs(dataDir: string): Promise<number> {
  const server = readPidFile(foldersOf(dataDir))?.pid;
  const pids = await readdir('/proc').catch(() => []);
  let ticks = 0;
  for (const pid of pids) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (pid !== String(server) && fields[1] !== String(server)) continue;
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10;
}
