import type { Selectable } from 'kysely';
import { type RawBuilder, sql } from 'kysely';
import type { Log } from '../core/log.ts';
import type { Database } from '../store/database.ts';
import { dropPartition, listDays } from '../store/partitions.ts';
import type { LogsTable } from '../store/tables/logs.ts';
import type { LogArchive } from './archive/logArchive.ts';
import { addPiece } from './archive/manifest.ts';
import { type Expiry, expiryOf } from './expiry.ts';
import type { Retention } from './logSettings.ts';
import { toIntegrationLog } from './storedLogs.ts';
import { dropBlocksBefore } from './words/blockQueries.ts';

const DAY_MS = 86_400_000;
/** Of one piece of an archive. */
const PIECE_RECORDS = 50_000;
const DELETE_BATCH = 10_000;
const FINISHED_JOURNALS_KEPT_DAYS = 30;

interface Parts {
  readonly database: Database;
  readonly log: Log;
  /** Where records go before they are deleted; null: nowhere. */
  readonly archive: LogArchive | null;
}

/**
 * Takes out what is past its time, archiving it first, and then the oldest days until the rest fits. May be ended
 * anywhere and run again: nothing is deleted before it was read back from the archive.
 * @throws LogArchiveError and what the archive's store throws; then nothing more is deleted
 */
export async function applyRetention(
  parts: Parts,
  retention: Retention,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  const kept = await importedDays(parts.database, now);
  const days = (await listDays(parts.database, 'logs')).filter(
    (day) => day.getTime() < today && !kept.has(isoDay(day)),
  );
  const left: Date[] = [];
  for (const day of days) {
    signal.throwIfAborted();
    const ageDays = Math.floor((today - day.getTime()) / DAY_MS) - 1;
    const expiry = expiryOf(ageDays, retention.rules, retention.defaults);
    if (expiry.whole) await removeDay(parts, day, signal);
    else {
      await removeSome(parts, day, expiry, signal);
      left.push(day);
    }
  }
  for (const day of left) {
    if (retention.maxBytes === null || (await sizeOfLogs(parts.database)) <= retention.maxBytes) break;
    await removeDay(parts, day, signal);
  }
  const [oldest] = await listDays(parts.database, 'logs');
  if (oldest !== undefined) await dropBlocksBefore(parts.database.db, oldest);
  await sql`
    delete from log_journals
    where loaded_bytes >= ${2 ** 52}::bigint and updated_at < ${new Date(now.getTime() - FINISHED_JOURNALS_KEPT_DAYS * DAY_MS)}
  `.execute(parts.database.db);
}

/** How much room the records of all days take, indexes included. */
async function sizeOfLogs({ db }: Database): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint as bytes
    from pg_inherits where inhparent = 'logs'::regclass`.execute(db);
  return rows[0]!.bytes;
}

async function removeDay(parts: Parts, day: Date, signal: AbortSignal): Promise<void> {
  let records = 0;
  let lastSeq = 0;
  if (parts.archive !== null) {
    for (;;) {
      signal.throwIfAborted();
      const piece = await archivePiece(parts, day, sql<boolean>`true`, lastSeq);
      if (piece === null) break;
      records += piece.records;
      lastSeq = piece.lastSeq;
    }
  }
  // What came meanwhile, from a journal that had waited, keeps the day until the next round.
  const isArchived =
    parts.archive === null
      ? sql<boolean>`true`
      : sql<boolean>`not exists (select from logs where ${inDay(day)} and seq > ${lastSeq})`;
  if (!(await dropPartition(parts.database, 'logs', day, isArchived))) return;
  say(parts, day, records);
}

async function removeSome(parts: Parts, day: Date, expiry: Expiry, signal: AbortSignal): Promise<void> {
  const condition = expiredCondition(expiry);
  if (condition === null) return;
  let records = 0;
  for (let deleted = 1; deleted > 0; records += deleted) {
    signal.throwIfAborted();
    deleted =
      parts.archive === null ? await deleteBatch(parts, day, condition) : await archiveBatch(parts, day, condition);
    if (deleted === 0) break;
  }
  if (records > 0) say(parts, day, records);
}

async function archiveBatch(parts: Parts, day: Date, condition: RawBuilder<boolean>): Promise<number> {
  const piece = await archivePiece(parts, day, condition, 0);
  if (piece === null) return 0;
  const result = await sql`
    delete from logs where ${inDay(day)} and ${condition} and seq between ${piece.firstSeq} and ${piece.lastSeq}
  `.execute(parts.database.db);
  return Number(result.numAffectedRows);
}

async function archivePiece({ database, archive }: Parts, day: Date, condition: RawBuilder<boolean>, afterSeq: number) {
  const { rows } = await sql<Selectable<LogsTable>>`
    select * from logs where ${inDay(day)} and ${condition} and seq > ${afterSeq}
    order by seq limit ${PIECE_RECORDS}`.execute(database.db);
  if (rows.length === 0) return null;
  const lines = rows.map((row) => JSON.stringify(toIntegrationLog(row)));
  return addPiece(archive!, isoDay(day), lines, { firstSeq: rows[0]!.seq, lastSeq: rows.at(-1)!.seq });
}

async function deleteBatch({ database }: Parts, day: Date, condition: RawBuilder<boolean>): Promise<number> {
  const result = await sql`
    delete from logs where ${inDay(day)} and seq in (
      select seq from logs where ${inDay(day)} and ${condition} limit ${DELETE_BATCH}
    )`.execute(database.db);
  return Number(result.numAffectedRows);
}

function inDay(day: Date): RawBuilder<boolean> {
  return sql`observed_at >= ${day}::timestamptz and observed_at < ${new Date(day.getTime() + DAY_MS)}::timestamptz`;
}

function expiredCondition({ severities, scopes }: Expiry): RawBuilder<boolean> | null {
  if (severities.length === 0 && scopes.every((one) => one.severities.length === 0)) return null;
  const named = scopes.map(({ scope }) => scope);
  const pairs = scopes.flatMap((one) => one.severities.map((severity) => ({ scope: one.scope, severity })));
  return sql`(
    (severity = any(${[...severities]}::smallint[]) and integration_id <> all(${named}::text[]))
    or (integration_id, severity) in (
      select * from unnest(${pairs.map(({ scope }) => scope)}::text[], ${pairs.map(({ severity }) => severity)}::smallint[])
    )
  )`;
}

async function importedDays({ db }: Database, now: Date): Promise<Set<string>> {
  await db.deleteFrom('log_imports').where('kept_until', '<=', now).execute();
  const { rows } = await sql<{ day: string }>`select day::text as day from log_imports`.execute(db);
  return new Set(rows.map(({ day }) => day));
}

function say({ log, archive }: Parts, day: Date, records: number): void {
  const fields = { eventName: 'log.expired', day: isoDay(day), archived: archive !== null };
  log.info('Log records were removed, past their time or for room', archive === null ? fields : { ...fields, records });
}

function isoDay(day: Date): string {
  return day.toISOString().slice(0, 10);
}
