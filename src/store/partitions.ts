import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';
import type { Schema } from './schema.ts';

const DAY_MS = 86_400_000;
const LOCK_KEY = 7_204_118_304;

/** So far ahead partitions are made; a server may miss its hourly maintenance that long. */
export const PARTITION_DAYS_AHEAD = 3;

/** Tables with one partition a day, named `<table>_<yyyymmdd>` after the UTC day. */
export const DAILY_TABLES = ['outgoing_attempts', 'logs'] as const;
export type DailyTable = (typeof DAILY_TABLES)[number];

/** Makes the partitions of `days` days from the UTC day of `fromDay` on, where they are missing. */
export async function ensurePartitions(
  database: Pick<Database, 'db' | 'transaction'>,
  table: DailyTable,
  fromDay: Date,
  days: number,
): Promise<void> {
  const wanted = Array.from({ length: days }, (_, index) => startOfDay(fromDay) + index * DAY_MS);
  const existing = new Set(await listPartitions(database, table));
  // Read without a lock first, because this runs at every start.
  if (wanted.every((day) => existing.has(partitionName(table, day)))) return;
  await database.transaction(async (tx) => {
    await lock(tx);
    const now = new Set(await listPartitions({ db: tx }, table));
    for (const day of wanted) if (!now.has(partitionName(table, day))) await createPartition(tx, table, day);
  });
}

/** Drops the partitions of whole days before the UTC day of `before`; their names. */
export async function dropPartitionsBefore(
  database: Pick<Database, 'db' | 'transaction'>,
  table: DailyTable,
  before: Date,
): Promise<string[]> {
  const limit = partitionName(table, startOfDay(before));
  const old = (await listPartitions(database, table)).filter((name) => name < limit);
  for (const name of old) {
    await database.transaction(async (tx) => {
      // Dropping waits for whoever reads the table, and everybody else would wait behind it: rather try again later.
      await sql`set local lock_timeout = '2s'`.execute(tx);
      await sql`drop table if exists ${sql.table(name)}`.execute(tx);
    });
  }
  return old;
}

/** The UTC days that have a partition, in order. */
export async function listDays(database: Pick<Database, 'db'>, table: DailyTable): Promise<Date[]> {
  return (await listPartitions(database, table)).flatMap((name) => {
    const [, year, month, day] = /_(\d{4})(\d\d)(\d\d)$/.exec(name) ?? [];
    return year === undefined ? [] : [new Date(`${year}-${month}-${day}T00:00:00Z`)];
  });
}

/**
 * Drops the partition of a UTC day, if a condition holds while nobody can write to it.
 * @returns false when it did not hold
 */
export async function dropPartition(
  database: Pick<Database, 'transaction'>,
  table: DailyTable,
  day: Date,
  condition: RawBuilder<boolean>,
): Promise<boolean> {
  const name = sql.table(partitionName(table, startOfDay(day)));
  return await database.transaction(async (tx) => {
    // Rather try again later than have everybody wait behind it.
    await sql`set local lock_timeout = '2s'`.execute(tx);
    await sql`lock table ${name} in access exclusive mode`.execute(tx);
    const { rows } = await sql<{ holds: boolean }>`select ${condition} as holds`.execute(tx);
    if (!rows[0]!.holds) return false;
    await sql`drop table ${name}`.execute(tx);
    return true;
  });
}

async function listPartitions({ db }: Pick<Database, 'db'>, table: DailyTable): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select child.relname as name
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = to_regclass(${table})
    order by name`.execute(db);
  return rows.map((row) => row.name);
}

async function lock(tx: Transaction<Schema>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LOCK_KEY})`.execute(tx);
}

/** Attached instead of created in place, because attaching does not lock out readers and writers. */
async function createPartition(tx: Transaction<Schema>, table: DailyTable, day: number): Promise<void> {
  const name = sql.table(partitionName(table, day));
  const [from, to] = [day, day + DAY_MS].map((at) => sql.lit(new Date(at).toISOString()));
  await sql`create table ${name} (like ${sql.table(table)} including all)`.execute(tx);
  await sql`alter table ${sql.table(table)} attach partition ${name} for values from (${from}) to (${to})`.execute(tx);
}

const startOfDay = (date: Date) => Math.floor(date.getTime() / DAY_MS) * DAY_MS;

const partitionName = (table: DailyTable, day: number) =>
  `${table}_${new Date(day).toISOString().slice(0, 10).replaceAll('-', '')}`;
