import { sql, type Transaction } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { RecordPortion } from './recordBatch.ts';

/** What a write did. */
export interface WriteCounts {
  added: number;
  updated: number;
  deleted: number;
  /** By how much the live records that the full read has seen grew. */
  seen: number;
  /** Records that were live, and that no read since the start of the last complete full read had seen. */
  found: number;
}

/**
 * Stores records: new and changed ones get a change number, equal ones are only marked as seen by `readId`.
 *
 * The caller's transaction holds recordsLock, so nobody else changes what is compared here, and change numbers of
 * an integration become visible in their order. One statement, all lookups by primary key.
 */
export async function writeRecords(
  tx: Transaction<Schema>,
  target: { integrationId: string; stream: string; readId: number; completeReadId: number },
  records: RecordPortion,
): Promise<WriteCounts> {
  const { integrationId, stream, readId, completeReadId } = target;
  const { rows } = await sql<WriteCounts>`
    with compared as materialized (
      select i.record_key, i.data, i.content_hash,
             i.fate = 1 as gone,
             r.live is true as live,
             r.live is true and r.content_hash = i.content_hash as same,
             r.live is true and r.seen_by >= ${readId}::bigint as seen,
             r.live is true and r.seen_by < ${completeReadId}::bigint as found
      from unnest(
        ${records.keys.toParameter()}::text[],
        ${records.data.toParameter()}::jsonb[],
        ${records.contentHashes.toParameter()}::bytea[],
        ${records.fates.toParameter()}::int2[]
      ) as i (record_key, data, content_hash, fate)
      left join lateral (
        select content_hash, seen_by, deleted_at is null as live
        from records
        where integration_id = ${integrationId} and stream = ${stream} and record_key = i.record_key
        offset 0
      ) r on true
      where i.fate < 2
    ), written as (
      insert into records as r
        (integration_id, stream, record_key, data, content_hash, change_seq, created_seq, seen_by)
      select ${integrationId}, ${stream}, record_key, data, content_hash, seq, seq, ${readId}::bigint
      from (select *, nextval('records_change_seq') as seq from compared where not gone and not same) changed
      on conflict (integration_id, stream, record_key) do update
      set data = excluded.data,
          content_hash = excluded.content_hash,
          change_seq = excluded.change_seq,
          -- A record that comes back counts as made anew.
          created_seq = case when r.deleted_at is null then r.created_seq else excluded.created_seq end,
          seen_by = excluded.seen_by,
          deleted_at = null,
          updated_at = now()
    ), marked as (
      update records set seen_by = ${readId}::bigint
      where integration_id = ${integrationId} and stream = ${stream}
        and record_key = any(array(select record_key from compared where same and not seen and not gone))
    ), deleted as (
      update records
      set deleted_at = now(), updated_at = now(), change_seq = nextval('records_change_seq')
      where integration_id = ${integrationId} and stream = ${stream}
        and record_key = any(array(select record_key from compared where gone and live))
    )
    select count(*) filter (where not gone and not live)::int as added,
           count(*) filter (where not gone and live and not same)::int as updated,
           count(*) filter (where gone and live)::int as deleted,
           (count(*) filter (where not gone and not seen) - count(*) filter (where gone and seen))::int as seen,
           count(*) filter (where found)::int as found
    from compared`.execute(tx);
  return rows[0]!;
}

/** One writer at a time for an integration's records, until the transaction ends. */
export const recordsLock = (integrationId: string) =>
  sql`pg_advisory_xact_lock(hashtextextended(${integrationId}, 7204118310))`;

/** Rows looked at in one statement when a full read's deletions are made. */
const DELETION_WINDOW = 5_000;

/**
 * Marks records of a stream as deleted that no read from `readId` on has seen, within the next rows after the key
 * `after` in key order. `last` is where to go on; null at the end.
 */
export async function deleteUnseen(
  tx: Transaction<Schema>,
  target: { integrationId: string; stream: string; readId: number },
  after: string | null,
  window = DELETION_WINDOW,
): Promise<{ deleted: number; last: string | null }> {
  const { integrationId, stream, readId } = target;
  const { rows } = await sql<{ deleted: number; scanned: number; last: string | null }>`
    with looked_at as materialized (
      select record_key, seen_by < ${readId} and deleted_at is null as gone
      from records
      where integration_id = ${integrationId} and stream = ${stream}
      ${after === null ? sql`` : sql`and record_key > ${after}`}
      order by record_key
      limit ${window}
    ), deleted as (
      update records
      set deleted_at = now(), updated_at = now(), change_seq = nextval('records_change_seq')
      where integration_id = ${integrationId} and stream = ${stream}
        and record_key = any(array(select record_key from looked_at where gone))
    )
    select count(*) filter (where gone)::int as deleted,
           count(*)::int as scanned,
           max(record_key) as last
    from looked_at`.execute(tx);
  const { deleted, scanned, last } = rows[0]!;
  return { deleted, last: scanned < window ? null : last };
}

/** Where an erasure is, in key order. */
export interface ErasePosition {
  readonly stream: string;
  readonly key: string;
}

/** Erases the next `limit` records of an integration; where to go on, null at the end. The caller has recordsLock. */
export async function eraseRecords(
  tx: Transaction<Schema>,
  integrationId: string,
  after: ErasePosition | null,
  limit: number,
): Promise<ErasePosition | null> {
  const { rows } = await sql<ErasePosition>`
    with doomed as materialized (
      select ctid, stream, record_key
      from records
      where integration_id = ${integrationId}
      ${after === null ? sql`` : sql`and (stream, record_key) > (${after.stream}, ${after.key})`}
      order by stream, record_key
      limit ${limit}
    ), erased as (
      delete from records where ctid = any(array(select ctid from doomed))
    )
    select stream, record_key as key from doomed order by stream desc, record_key desc limit 1`.execute(tx);
  return rows[0] ?? null;
}
