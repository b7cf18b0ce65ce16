import { type Kysely, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { WriteTarget } from './recordQueries.ts';
import { advance, fence } from './runFence.ts';
import type { StreamPhase } from './runQueries.ts';
import type { DueDeletions } from './stateQueries.ts';

/** Rows looked at in one statement. */
const WINDOW = 5_000;

export interface DeletionResult {
  readonly deleted: number;
  /** Where to go on in key order; null when the deletions are made. */
  readonly after: string | null;
  readonly stop: boolean;
}

/**
 * Marks records of a stream as deleted that no read from `due.readId` on has seen, among the next rows after the key
 * `after`, and stores what is still due. Undefined, and nothing done, when the claim is no longer good.
 *
 * @param phase how far the run is with the stream when this was the last of them; undefined: as it was
 */
export async function deleteUnseen(
  db: Kysely<Schema>,
  { claim, stream }: WriteTarget,
  due: DueDeletions,
  after: string | null,
  phase: StreamPhase | undefined,
): Promise<DeletionResult | undefined> {
  const { integrationId } = claim;
  const progress = JSON.stringify(phase === undefined ? {} : { [stream]: phase });
  const { rows } = await sql<DeletionResult>`
    with ${fence(claim)},
    looked_at as materialized (
      select record_key, seen_by < ${due.readId}::bigint and deleted_at is null as gone
      from records
      where integration_id = ${integrationId} and stream = ${stream} and exists (select from fence)
      ${after === null ? sql`` : sql`and record_key > ${after}`}
      order by record_key
      limit ${WINDOW}
    ), marked as (
      update records
      set deleted_at = now(), updated_at = now(), change_seq = nextval('records_change_seq')
      where integration_id = ${integrationId} and stream = ${stream}
        and record_key = any(array(select record_key from looked_at where gone))
    ), counts as (
      select 0 as added, 0 as updated,
             count(*) filter (where gone) as deleted,
             count(*) = ${WINDOW} and count(*) filter (where gone) < ${due.count}::bigint as more,
             max(record_key) as last
      from looked_at
    ), saved as (
      update sync_states
      set record_count = record_count - deleted,
          full_read_base = greatest(full_read_base - deleted, 0),
          missing_count = missing_count - deleted,
          due_deletions = case
            when more then jsonb_build_object('readId', ${due.readId}::bigint, 'count', ${due.count}::bigint - deleted)
          end,
          updated_at = now()
      from fence, counts
      where integration_id = ${integrationId} and stream = ${stream}
      returning more
    ), ${advance({ progress: sql`case when saved.more then '{}' else ${progress} end::jsonb` })}
    select deleted, stop, case when counts.more then last end as after from fence, counts, saved`.execute(db);
  return rows[0];
}

/** Where an erasure is, in key order. */
export interface ErasePosition {
  readonly stream: string;
  readonly key: string;
}

/** Erases the next `limit` records of an integration that nobody syncs any more; where to go on, null at the end. */
export async function eraseRecords(
  db: Kysely<Schema>,
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
    select stream, record_key as key from doomed order by stream desc, record_key desc limit 1`.execute(db);
  return rows[0] ?? null;
}
