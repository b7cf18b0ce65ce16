import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { LOG_COLUMNS, type LogRow } from '../search/logRows.ts';
import { toIntegrationLog } from '../storedLogs.ts';
import type { IntegrationLog } from '../types.ts';

const DAY_MS = 86_400_000;
/** Read at a time where the tail begins, and how often at most. */
const FIRST_PAGE_ROWS = 1_000;
const FIRST_PAGES = 50;

/** The number of the last record that is committed: batches hold the row until they are. */
export async function lastSeq(db: Kysely<Schema>): Promise<number> {
  const { next } = await db.selectFrom('log_sequence').select('next').executeTakeFirstOrThrow();
  return Number(next) - 1;
}

/** The number before the first of the newest records, up to `last`, that were observed from `since` on; null: none. */
export async function newestSince(db: Kysely<Schema>, last: number, since: Date): Promise<number | null> {
  let position: number | null = null;
  for (let page = 0; page < FIRST_PAGES; page++) {
    const { rows } = await sql<{ seq: number; recent: boolean }>`
      select seq, observed_at >= ${since}::timestamptz as recent from logs
      where observed_at >= ${dayBefore(since.getTime())}::timestamptz and seq <= ${position ?? last}::bigint
      order by seq desc limit ${FIRST_PAGE_ROWS}`.execute(db);
    const oldest = rows.findLast(({ recent }) => recent);
    if (oldest === undefined) return position;
    position = oldest.seq - 1;
  }
  return position;
}

/** Up to `limit` records after `position` and not after `last`, and how far they reach. */
export async function readAfter(
  db: Kysely<Schema>,
  position: number,
  last: number,
  limit: number,
  nowMs: number,
): Promise<LogStretch> {
  // Only the newest partitions, as a rule; what had to wait for the database was observed earlier.
  const recent = sql<boolean>`observed_at >= ${dayBefore(nowMs)}::timestamptz`;
  const stretch = await readStretch(db, position, last, limit, recent);
  const { logs, toSeq } = stretch;
  return logs.length === toSeq - position ? stretch : await readStretch(db, position, last, limit, sql`true`);
}

export interface LogStretch {
  /** In the order of `seq`. */
  readonly logs: IntegrationLog[];
  readonly toSeq: number;
}

/** The records of a stretch of numbers that a condition holds for. */
export async function readStretch(
  db: Kysely<Schema>,
  position: number,
  last: number,
  limit: number,
  condition: RawBuilder<boolean>,
): Promise<LogStretch> {
  const { rows } = await sql<LogRow>`
    select ${LOG_COLUMNS} from logs
    where seq > ${position}::bigint and seq <= ${last}::bigint and ${condition}
    order by seq limit ${limit}`.execute(db);
  return { logs: rows.map(toIntegrationLog), toSeq: rows.length === limit ? rows.at(-1)!.seq : last };
}

function dayBefore(ms: number): Date {
  return new Date(ms - DAY_MS);
}
