import { type Kysely, sql } from 'kysely';
import { InvalidInputError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';
import type { Schema } from '../store/schema.ts';
import type { ChangesOptions, RecordChange, RecordPage } from './types.ts';

/** A page ends early when its records, as stored, reach this; it has at least one. */
const PAGE_BYTES = 4 * 1024 * 1024;

interface ChangeRow {
  stream: string;
  record_key: string;
  change_seq: number;
  created_seq: number;
  data: JsonObject;
  updated_at: Date;
  deleted_at: Date | null;
  available: number;
}

/**
 * Records in the order of their last change, from a cursor on. One writer at a time changes an integration's
 * records, so a change that becomes visible later always has a higher number: whoever goes on from `nextCursor`
 * misses nothing, also while a sync is writing.
 *
 * @throws InvalidInputError for a cursor or limit that is none
 */
export async function readChanges(
  db: Kysely<Schema>,
  integrationId: string,
  { stream, cursor, limit = LIMITS.pageSizeDefault }: ChangesOptions,
): Promise<RecordPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMITS.recordsPageSizeMax) throw invalidLimit(limit);
  const since = parseCursor(cursor);
  const rows = await selectChanges(db, integrationId, stream, since, limit);
  return {
    records: rows.map((row) => toChange(row, since)),
    nextCursor: formatCursor(rows.at(-1)?.change_seq ?? since),
    hasMore: rows.length > 0 && rows[0]!.available > rows.length,
  };
}

/**
 * The index leads with the stream, so each stream's next changes are taken from it and merged. Data is fetched
 * only for the rows of the page. Ids of integrations hold no slash.
 */
async function selectChanges(
  db: Kysely<Schema>,
  integrationId: string,
  stream: string | undefined,
  since: number,
  limit: number,
): Promise<ChangeRow[]> {
  const streams =
    stream === undefined
      ? sql`select stream from sync_states where integration_id = ${integrationId}`
      : sql`select ${stream}::text as stream`;
  const { rows } = await sql<ChangeRow>`
    with next as materialized (
      select changes.*
      from (${streams}) streams
      cross join lateral (
        select stream, record_key, change_seq
        from records
        where integration_id || '/' || stream = ${`${integrationId}/`}::text || streams.stream and change_seq > ${since}
        order by change_seq
        limit ${limit + 1}
      ) changes
      order by change_seq
      limit ${limit + 1}
    ), page as (
      select next.record_key, r.*,
             row_number() over (order by next.change_seq) as position,
             sum(r.stored_bytes) over (order by next.change_seq) - r.stored_bytes as bytes_before,
             count(*) over ()::int as available
      from next
      cross join lateral (
        select stream, change_seq, created_seq, data, updated_at, deleted_at, pg_column_size(data) as stored_bytes
        from records
        where integration_id = ${integrationId} and stream = next.stream and record_key = next.record_key
        offset 0
      ) r
    )
    select stream, record_key, change_seq, created_seq, data, updated_at, deleted_at, available
    from page
    where position <= ${limit} and bytes_before < ${PAGE_BYTES}
    order by change_seq`.execute(db);
  return rows;
}

function toChange(row: ChangeRow, since: number): RecordChange {
  const change = row.deleted_at !== null ? 'deleted' : row.created_seq > since ? 'added' : 'updated';
  return {
    stream: row.stream,
    key: row.record_key,
    change,
    data: row.data,
    changedAt: row.updated_at.toISOString(),
    deletedAt: row.deleted_at?.toISOString() ?? null,
  };
}

const formatCursor = (since: number) => `chg_${since.toString(36)}`;

function parseCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const since = /^chg_[0-9a-z]{1,10}$/.test(cursor) ? Number.parseInt(cursor.slice(4), 36) : Number.NaN;
  if (Number.isSafeInteger(since)) return since;
  const detail = 'is not a cursor of the change feed; pass the nextCursor of an earlier answer, or none to start.';
  throw new InvalidInputError(`The cursor ${detail}`, [{ pointer: '/cursor', detail }]);
}

function invalidLimit(limit: number): InvalidInputError {
  const detail = `takes a whole number from 1 to ${LIMITS.recordsPageSizeMax}, not ${limit}.`;
  return new InvalidInputError(`The limit ${detail}`, [{ pointer: '/limit', detail }]);
}
