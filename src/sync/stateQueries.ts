import { type Kysely, sql } from 'kysely';
import type { JsonValue } from '../core/json.ts';
import type { Schema } from '../store/schema.ts';
import type { KnownAnswer } from './knownAnswer.ts';
import type { WriteTarget } from './recordQueries.ts';
import { advance, fence } from './runFence.ts';
import type { RunProblem } from './runQueries.ts';

/** Deletions above the safe share; confirming makes them. */
export interface PendingDeletions {
  readonly readId: number;
  readonly count: number;
  readonly total: number;
  readonly foundAt: string;
}

/** Deletions that are right and still to be made: records that no read from `readId` on has seen. */
export interface DueDeletions {
  readonly readId: number;
  readonly count: number;
}

export interface SyncStateRow {
  stream: string;
  state: JsonValue | null;
  record_count: number;
  full_read_id: number | null;
  full_read_started_at: Date | null;
  full_read_completed_at: Date | null;
  full_read_base: number;
  full_read_seen: number;
  complete_read_id: number | null;
  missing_count: number;
  due_deletions: DueDeletions | null;
  pending_deletions: PendingDeletions | null;
  known_answer: KnownAnswer | null;
  updated_at: Date;
}

/** Whether a full read was begun that did not come to its end, or what follows from it was not decided yet. */
export function isFullReadUnderWay({ full_read_id, complete_read_id }: SyncStateRow): boolean {
  return full_read_id !== null && full_read_id !== complete_read_id;
}

export async function findState(
  db: Kysely<Schema>,
  integrationId: string,
  stream: string,
): Promise<SyncStateRow | undefined> {
  const { rows } = await sql<SyncStateRow>`
    select * from sync_states where integration_id = ${integrationId} and stream = ${stream}`.execute(db);
  return rows[0];
}

/** The state of a stream; made when there is none. */
export async function ensureState(db: Kysely<Schema>, integrationId: string, stream: string): Promise<SyncStateRow> {
  const found = await findState(db, integrationId, stream);
  if (found !== undefined) return found;
  const { rows } = await sql<SyncStateRow>`
    insert into sync_states as s (integration_id, stream) values (${integrationId}, ${stream})
    on conflict (integration_id, stream) do update set stream = s.stream
    returning *`.execute(db);
  return rows[0]!;
}

export async function listStates(db: Kysely<Schema>, integrationId: string): Promise<SyncStateRow[]> {
  const { rows } = await sql<SyncStateRow>`
    select * from sync_states where integration_id = ${integrationId} order by stream`.execute(db);
  return rows;
}

/**
 * Completes a full read: what it has not seen is missing from now on. False when the claim is no longer good. The
 * run is done with the stream unless deletions are due.
 */
export async function completeFullRead(
  db: Kysely<Schema>,
  { claim, stream }: WriteTarget,
  decision: {
    readonly due: DueDeletions | null;
    readonly pending: PendingDeletions | null;
    readonly warnings: readonly RunProblem[];
  },
): Promise<boolean> {
  const { due, pending, warnings } = decision;
  const progress = JSON.stringify({ [stream]: due === null ? 'done' : 'read' });
  const { rows } = await sql`
    with ${fence(claim)},
    counts as (
      select 0 as added, 0 as updated, 0 as deleted
    ), saved as (
      update sync_states
      set full_read_completed_at = now(),
          complete_read_id = full_read_id,
          missing_count = record_count - full_read_seen,
          due_deletions = ${due && JSON.stringify(due)}::jsonb,
          pending_deletions = ${pending && JSON.stringify(pending)}::jsonb,
          known_answer = null
      from fence
      where integration_id = ${claim.integrationId} and stream = ${stream}
      returning stream
    ), ${advance({ progress: sql`${progress}::jsonb`, warnings })}
    select from fence, saved`.execute(db);
  return rows.length > 0;
}

/**
 * Ends a read that found the answer it knew: the stream is as it was, and was read again. False when the claim is no
 * longer good. What was forgotten meanwhile stays forgotten.
 */
export async function confirmAnswer(
  db: Kysely<Schema>,
  { claim, stream }: WriteTarget,
  known: KnownAnswer,
  full: boolean,
): Promise<boolean> {
  const { rows } = await sql`
    with ${fence(claim)},
    counts as (
      select 0 as added, 0 as updated, 0 as deleted
    ), saved as (
      update sync_states
      set ${full ? sql`full_read_started_at = now(), full_read_completed_at = now(),` : sql``}
          known_answer = jsonb_set(known_answer, '{confirmed}', to_jsonb(${known.confirmed + 1}::int)),
          updated_at = now()
      from fence
      where integration_id = ${claim.integrationId} and stream = ${stream}
      returning stream
    ), ${advance({
      progress: sql`jsonb_build_object(${stream}::text, 'done')`,
      repeats: sql`jsonb_build_object(${stream}::text, 'confirmed')`,
      recordsConfirmed: known.records,
    })}
    select from fence, saved`.execute(db);
  return rows.length > 0;
}

/** Forgets what the streams of an integration, or one, know of their answers: the next reads ask for them whole. */
export async function forgetKnownAnswers(db: Kysely<Schema>, integrationId: string, stream?: string): Promise<void> {
  await db
    .updateTable('sync_states')
    .set({ known_answer: null })
    .where('integration_id', '=', integrationId)
    .where('known_answer', 'is not', null)
    .$if(stream !== undefined, (query) => query.where('stream', '=', stream!))
    .execute();
}

/** Takes pending deletions as confirmed. Undefined when there are none any more, or the claim is no longer good. */
export async function makePendingDeletionsDue(
  db: Kysely<Schema>,
  { claim, stream }: WriteTarget,
): Promise<DueDeletions | undefined> {
  const { rows } = await sql<{ due_deletions: DueDeletions }>`
    with ${fence(claim)}
    update sync_states
    set due_deletions = jsonb_build_object(
          'readId', pending_deletions -> 'readId', 'count', pending_deletions -> 'count'
        ),
        pending_deletions = null
    from fence
    where integration_id = ${claim.integrationId} and stream = ${stream} and pending_deletions is not null
    returning due_deletions`.execute(db);
  return rows[0]?.due_deletions;
}
