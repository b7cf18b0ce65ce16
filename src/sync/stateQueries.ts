import { type Kysely, sql, type Transaction } from 'kysely';
import type { JsonValue } from '../core/json.ts';
import type { Schema } from '../store/schema.ts';
import { recordsLock, type WriteCounts } from './recordQueries.ts';
import { LEASE_MS, type RunClaim, type RunProblem, type StreamPhase } from './runQueries.ts';

/** Deletions above the safe share; confirming applies them. */
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
  updated_at: Date;
}

/** A worker that is gone in the middle of a transaction must not keep its locks longer than its lease. */
const IDLE_TIMEOUT = String(LEASE_MS);

/**
 * The fence that every transaction of a run starts with: looks whether the claim is still good, and locks the
 * integration's records. Undefined when another worker has the run or it has ended: the caller must roll back.
 * The run's row is not locked, so that the run can be told to stop meanwhile; `advanceRun` looks again.
 */
export async function fence(tx: Transaction<Schema>, claim: RunClaim): Promise<{ stop: boolean } | undefined> {
  const { rows } = await sql<{ stop: boolean }>`
    select stop_requested_at is not null as stop,
           set_config('idle_in_transaction_session_timeout', ${IDLE_TIMEOUT}, true),
           ${recordsLock(claim.integrationId)}
    from sync_runs
    where id = ${claim.id} and lease_token = ${claim.leaseToken} and status = 'running'`.execute(tx);
  return rows[0];
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

export async function listStates(db: Kysely<Schema>, integrationId: string): Promise<SyncStateRow[]> {
  const { rows } = await sql<SyncStateRow>`
    select * from sync_states where integration_id = ${integrationId} order by stream`.execute(db);
  return rows;
}

/** Starts a full read: from here on, what has a lower seen_by than the id it gives was not seen. */
export async function beginFullRead(tx: Transaction<Schema>, integrationId: string, stream: string): Promise<number> {
  const { rows } = await sql<{ full_read_id: number }>`
    insert into sync_states as s (integration_id, stream, full_read_id, full_read_started_at)
    values (${integrationId}, ${stream}, nextval('records_change_seq'), now())
    on conflict (integration_id, stream) do update
    set full_read_id = excluded.full_read_id,
        full_read_started_at = excluded.full_read_started_at,
        full_read_base = s.record_count,
        full_read_seen = 0
    returning full_read_id`.execute(tx);
  return rows[0]!.full_read_id;
}

/** Stores where a stream's read is and what its records became; gives the row after that. */
export async function saveState(
  tx: Transaction<Schema>,
  target: { integrationId: string; stream: string },
  state: JsonValue,
  counts: WriteCounts,
): Promise<SyncStateRow> {
  const grown = counts.added - counts.deleted;
  const { rows } = await sql<SyncStateRow>`
    insert into sync_states as s (integration_id, stream, state, record_count, full_read_seen)
    values (${target.integrationId}, ${target.stream}, ${JSON.stringify(state)}::jsonb, ${grown}, ${counts.seen})
    on conflict (integration_id, stream) do update
    set state = excluded.state,
        record_count = s.record_count + excluded.record_count,
        full_read_seen = s.full_read_seen + excluded.full_read_seen,
        full_read_base = greatest(s.full_read_base - ${counts.deleted}::bigint, 0),
        missing_count = s.missing_count - ${counts.found}::bigint,
        updated_at = now()
    returning *`.execute(tx);
  return rows[0]!;
}

/** A full read has come to its end: what it has not seen is missing from now on. */
export async function completeFullRead(
  tx: Transaction<Schema>,
  target: { integrationId: string; stream: string },
  { due, pending }: { due: DueDeletions | null; pending: PendingDeletions | null },
): Promise<void> {
  await sql`
    update sync_states
    set full_read_completed_at = now(),
        complete_read_id = full_read_id,
        missing_count = record_count - full_read_seen,
        due_deletions = ${due && JSON.stringify(due)}::jsonb,
        pending_deletions = ${pending && JSON.stringify(pending)}::jsonb
    where integration_id = ${target.integrationId} and stream = ${target.stream}`.execute(tx);
}

export async function saveDueDeletions(
  tx: Transaction<Schema>,
  target: { integrationId: string; stream: string },
  due: DueDeletions | null,
): Promise<void> {
  await sql`
    update sync_states set due_deletions = ${due && JSON.stringify(due)}::jsonb
    where integration_id = ${target.integrationId} and stream = ${target.stream}`.execute(tx);
}

export async function savePendingDeletions(
  tx: Transaction<Schema>,
  target: { integrationId: string; stream: string },
  pending: PendingDeletions | null,
): Promise<void> {
  await sql`
    update sync_states set pending_deletions = ${pending && JSON.stringify(pending)}::jsonb
    where integration_id = ${target.integrationId} and stream = ${target.stream}`.execute(tx);
}

/** Takes records that no read since the last complete full one has seen, and just marked as deleted, out of the counts. */
export async function countDeletions(
  tx: Transaction<Schema>,
  target: { integrationId: string; stream: string },
  deleted: number,
): Promise<void> {
  await sql`
    update sync_states
    set record_count = record_count - ${deleted}::bigint,
        full_read_base = greatest(full_read_base - ${deleted}::bigint, 0),
        missing_count = missing_count - ${deleted}::bigint,
        updated_at = now()
    where integration_id = ${target.integrationId} and stream = ${target.stream}`.execute(tx);
}

export interface RunAdvance {
  readonly stream: string;
  /** How far the run is with the stream now; left out, as it was. */
  readonly phase?: StreamPhase;
  readonly pages?: number;
  readonly recordsRead?: number;
  readonly counts?: Pick<WriteCounts, 'added' | 'updated' | 'deleted'>;
  readonly warnings?: readonly RunProblem[];
}

/**
 * Adds to a run's counts and renews its lease; the last statement of every transaction of a run. From here on
 * nobody else can claim or end it. False when the claim is no longer good: the caller must roll back.
 */
export async function advanceRun(tx: Transaction<Schema>, claim: RunClaim, advance: RunAdvance): Promise<boolean> {
  const { added, updated, deleted } = advance.counts ?? { added: 0, updated: 0, deleted: 0 };
  const read = advance.recordsRead ?? 0;
  const progress = advance.phase === undefined ? {} : { [advance.stream]: advance.phase };
  const result = await sql`
    update sync_runs
    set pages = pages + ${advance.pages ?? 0}::bigint,
        records_read = records_read + ${read}::bigint,
        records_added = records_added + ${added}::bigint,
        records_updated = records_updated + ${updated}::bigint,
        records_deleted = records_deleted + ${deleted}::bigint,
        records_unchanged = records_unchanged + ${read > 0 ? read - added - updated - deleted : 0}::bigint,
        progress = progress || ${JSON.stringify(progress)}::jsonb,
        warnings = warnings || ${JSON.stringify(advance.warnings ?? [])}::jsonb,
        lease_until = now() + ${sql.lit(`${LEASE_MS} milliseconds`)}::interval
    where id = ${claim.id} and lease_token = ${claim.leaseToken} and status = 'running'`.execute(tx);
  return result.numAffectedRows === 1n;
}
