import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { JsonValue } from '../core/json.ts';
import type { Schema } from '../store/schema.ts';
import type { KnownAnswer } from './knownAnswer.ts';
import type { RecordPortion } from './recordBatch.ts';
import { advance, fence } from './runFence.ts';
import type { RunClaim, RunProblem } from './runQueries.ts';
import type { SyncStateRow } from './stateQueries.ts';

/** A stream, and the claim of the run that writes it. */
export interface WriteTarget {
  readonly claim: RunClaim;
  readonly stream: string;
}

/** How records are marked as seen. */
export interface ReadMark {
  /** Null: this write begins a full read, which gets an id of its own. */
  readonly readId: number | null;
  /** The last full read that was complete. */
  readonly completeReadId: number;
}

/** What writes did. */
export interface WriteCounts {
  readonly added: number;
  readonly updated: number;
  readonly deleted: number;
  /** By how much the live records that the full read has seen grew. */
  readonly seen: number;
  /** Records that were live, and that no read since the start of the last complete full read had seen. */
  readonly found: number;
}

export interface Progress {
  /** Where to go on. */
  readonly state: JsonValue;
  /** What the write ends: a full read, one of changes, or none. */
  readonly ends: 'full' | 'incremental' | null;
  /** Whether this write begins a full read. */
  readonly begins: boolean;
  readonly pages: number;
  readonly recordsRead: number;
  readonly warnings: readonly RunProblem[];
  /** The answer that was the whole read, and whether it has the validators of the one before. */
  readonly answer?: { readonly known: KnownAnswer; readonly isSame: boolean };
}

/** The stream after a write, and whether the run was asked to stop. */
export type WriteResult = SyncStateRow & { readonly stop: boolean };

/**
 * Stores records, the stream's position and the run's counts: all of it, or nothing when the claim is no longer
 * good (undefined then). New and changed records get a change number, equal ones are only marked as seen. A full
 * read that has seen every live record is complete with it; one that has not waits for `completeFullRead`.
 *
 * One statement, because the answer of each waits for an event loop that is busy with the next pages. What it
 * compares cannot change meanwhile: only the one active run of an integration writes its records, and its row is
 * locked first. So change numbers of an integration also become visible in their order.
 *
 * @param earlier what portions of the same batch did before, in the same transaction
 */
export async function writeRecords(
  db: Kysely<Schema>,
  target: WriteTarget,
  records: RecordPortion,
  mark: ReadMark,
  progress: Progress,
  earlier: WriteCounts = NOTHING,
): Promise<WriteResult | undefined> {
  const { claim, stream } = target;
  const { state, ends, begins, pages, recordsRead, warnings, answer } = progress;
  const seenBefore = begins ? sql`0` : sql`s.full_read_seen`;
  const complete = ends === 'full' ? sql`(s.record_count + added - deleted = ${seenBefore} + seen)` : sql`false`;
  const settled =
    ends === 'full'
      ? complete
      : sql`(s.missing_count - found = 0 and s.pending_deletions is null
             and s.full_read_id is not distinct from s.complete_read_id)`;
  const known =
    answer === undefined || ends === null
      ? sql`null`
      : sql`case when ${settled} and s.due_deletions is null then ${JSON.stringify(answer.known)}::jsonb end`;
  const phase =
    ends === 'full'
      ? sql`case when saved.complete then 'done' else 'read' end`
      : sql`${ends === null ? 'reading' : 'done'}::text`;
  const { rows } = await sql<WriteResult>`
    with ${fence(claim)},
    ${storeRecords(target, records, mark, earlier)},
    saved as (
      update sync_states s
      set state = ${JSON.stringify(state)}::jsonb,
          record_count = s.record_count + added - deleted,
          ${begins ? sql`full_read_id = mark.id, full_read_started_at = now(),` : sql``}
          full_read_base = greatest(${begins ? sql`s.record_count` : sql`s.full_read_base`} - deleted, 0),
          full_read_seen = ${seenBefore} + seen,
          full_read_completed_at = case when ${complete} then now() else s.full_read_completed_at end,
          complete_read_id = case when ${complete} then mark.id else s.complete_read_id end,
          missing_count = case when ${complete} then 0 else s.missing_count - found end,
          pending_deletions = case when ${complete} then null else s.pending_deletions end,
          known_answer = ${known},
          updated_at = now()
      from mark, counts
      where s.integration_id = ${claim.integrationId} and s.stream = ${stream}
      returning s.*, ${complete} as complete
    ), ${advance({
      pages,
      recordsRead,
      warnings,
      progress: sql`jsonb_build_object(${stream}::text, ${phase})`,
      repeats: answer?.isSame
        ? sql`case when saved.known_answer is not null and added + updated + deleted = 0
                   then jsonb_build_object(${stream}::text, 'same') else '{}' end`
        : undefined,
    })}
    select saved.*, fence.stop from fence, saved`.execute(db);
  return rows[0];
}

/**
 * Stores a portion of a page that is larger than a statement should be; `writeRecords` stores its last one, in the
 * same transaction. The run's row is not locked, so that the run can be told to stop meanwhile: `writeRecords`
 * finds out whether the claim stayed good. Undefined when it is not good now.
 */
export async function writePortion(
  tx: Transaction<Schema>,
  target: WriteTarget,
  records: RecordPortion,
  mark: ReadMark,
  earlier: WriteCounts,
): Promise<WriteCounts | undefined> {
  const { rows } = await sql<WriteCounts>`
    with ${fence(target.claim, { lock: false })},
    ${storeRecords(target, records, mark, earlier)}
    select counts.* from fence, counts`.execute(tx);
  return rows[0];
}

export const NOTHING: WriteCounts = { added: 0, updated: 0, deleted: 0, seen: 0, found: 0 };

/**
 * The expressions that store records, and `counts` of what they did. Records are looked up by primary key, and then
 * reached by where they lie. New ones are known to be new, so they are inserted without ON CONFLICT, which would cost
 * a fifth more.
 */
function storeRecords(
  { claim: { integrationId }, stream }: WriteTarget,
  records: RecordPortion,
  { readId, completeReadId }: ReadMark,
  earlier: WriteCounts,
): RawBuilder<unknown> {
  return sql`
    mark as materialized (
      select ${readId === null ? sql`nextval('records_change_seq')` : sql`${readId}::bigint`} as id from fence
    ), compared as materialized (
      select i.record_key, i.data, i.content_hash,
             i.fate = 1 as gone,
             r.place,
             r.live is true as live,
             r.live is true and r.content_hash = i.content_hash as same,
             r.live is true and r.seen_by >= mark.id as seen,
             r.live is true and r.seen_by < ${completeReadId}::bigint as found
      from mark
      cross join unnest(
        ${records.keys.toParameter()}::text[],
        ${records.data.toParameter()}::jsonb[],
        ${records.contentHashes.toParameter()}::bytea[],
        ${records.fates.toParameter()}::int2[]
      ) as i (record_key, data, content_hash, fate)
      left join lateral (
        select ctid as place, content_hash, seen_by, deleted_at is null as live
        from records
        where integration_id = ${integrationId} and stream = ${stream} and record_key = i.record_key
        offset 0
      ) r on true
      where i.fate < 2
    ), inserted as (
      insert into records (integration_id, stream, record_key, data, content_hash, change_seq, created_seq, seen_by)
      select ${integrationId}, ${stream}, record_key, data, content_hash, seq, seq, (select id from mark)
      from (select *, nextval('records_change_seq') as seq from compared where place is null and not gone) new
    ), changed as (
      update records r
      set data = c.data,
          content_hash = c.content_hash,
          change_seq = c.seq,
          -- A record that comes back counts as made anew.
          created_seq = case when r.deleted_at is null then r.created_seq else c.seq end,
          seen_by = (select id from mark),
          deleted_at = null,
          updated_at = now()
      from (
        select *, nextval('records_change_seq') as seq from compared where place is not null and not gone and not same
      ) c
      where r.ctid = c.place
    ), marked as (
      update records set seen_by = (select id from mark)
      where ctid = any(array(select place from compared where same and not seen and not gone))
    ), removed as (
      update records
      set deleted_at = now(), updated_at = now(), change_seq = nextval('records_change_seq')
      where ctid = any(array(select place from compared where gone and live))
    ), counts as (
      select count(*) filter (where not gone and not live) + ${earlier.added}::bigint as added,
             count(*) filter (where not gone and live and not same) + ${earlier.updated}::bigint as updated,
             count(*) filter (where gone and live) + ${earlier.deleted}::bigint as deleted,
             count(*) filter (where not gone and not seen) - count(*) filter (where gone and seen)
               + ${earlier.seen}::bigint as seen,
             count(*) filter (where found) + ${earlier.found}::bigint as found
      from compared
    )`;
}
