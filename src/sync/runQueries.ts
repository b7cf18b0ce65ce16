import { type Kysely, sql } from 'kysely';
import type { Schema } from '../store/schema.ts';
import type { SyncRun, SyncStatus } from './types.ts';

/** How long a worker owns a run without a sign of life. A killed worker's run is taken over soon after. */
export const LEASE_MS = 8_000;
/** For SQL. */
export const LEASE = sql.lit(`${LEASE_MS} milliseconds`);

/** How far a run is with a stream: some pages written, all pages written, deletions done as well. */
export type StreamPhase = 'reading' | 'read' | 'done';
export type RunProblem = { readonly code: string; readonly message: string; readonly stream?: string };

export interface SyncRunRow {
  id: string;
  integration_id: string;
  trigger: 'schedule' | 'manual';
  full_refresh: boolean;
  streams: string[] | null;
  status: SyncStatus;
  lease_token: number;
  stop_requested_at: Date | null;
  progress: Record<string, StreamPhase>;
  due_at: Date;
  queued_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  pages: number;
  records_read: number;
  records_added: number;
  records_updated: number;
  records_deleted: number;
  records_unchanged: number;
  error: RunProblem | null;
  warnings: RunProblem[];
  trace_parent: string | null;
  /** Stream → how its read was like the one before. */
  repeats: Record<string, 'confirmed' | 'same'>;
  records_confirmed: number;
}

/** Names a run together with the claim under which a worker may write it. */
export interface RunClaim {
  readonly id: string;
  readonly integrationId: string;
  readonly leaseToken: number;
}

export function toSyncRun(row: SyncRunRow): SyncRun {
  return {
    id: row.id,
    integrationId: row.integration_id,
    trigger: row.trigger,
    fullRefresh: row.full_refresh,
    status: row.status,
    dueAt: row.due_at.toISOString(),
    queuedAt: row.queued_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    pages: row.pages,
    recordsRead: row.records_read,
    recordsAdded: row.records_added,
    recordsUpdated: row.records_updated,
    recordsDeleted: row.records_deleted,
    recordsUnchanged: row.records_unchanged,
    recordsConfirmed: row.records_confirmed,
    streamsConfirmed: confirmedStreams(row),
    error: row.error,
    warnings: row.warnings,
  };
}

/** Whose answers were still the ones that were known. */
export function confirmedStreams({ repeats }: SyncRunRow): string[] {
  return Object.keys(repeats).filter((stream) => repeats[stream] === 'confirmed');
}

/**
 * Queues a run unless the integration has an active one. One that still waits takes over what is asked: a full
 * refresh, more streams. Gives undefined when the active run has begun already.
 */
export async function insertRun(
  db: Kysely<Schema>,
  run: {
    id: string;
    integrationId: string;
    trigger: 'schedule' | 'manual';
    fullRefresh: boolean;
    streams: readonly string[] | null;
    /** The W3C traceparent of what asks for it. */
    traceParent: string | null;
  },
): Promise<SyncRunRow | undefined> {
  const { rows } = await sql<SyncRunRow>`
    insert into sync_runs as r (id, integration_id, trigger, full_refresh, streams, status, trace_parent)
    values (${run.id}, ${run.integrationId}, ${run.trigger}, ${run.fullRefresh}, ${run.streams}::text[], 'queued',
            ${run.traceParent})
    on conflict (integration_id) where status in ('queued', 'running') do update
    set full_refresh = r.full_refresh or excluded.full_refresh,
        streams = case
          when r.streams is null or excluded.streams is null then null
          else array(select distinct unnest(r.streams || excluded.streams))
        end
    where r.status = 'queued' and r.started_at is null
    returning *`.execute(db);
  return rows[0];
}

export async function findActiveRun(db: Kysely<Schema>, integrationId: string): Promise<SyncRunRow | undefined> {
  const { rows } = await sql<SyncRunRow>`
    select * from sync_runs
    where integration_id = ${integrationId} and status in ('queued', 'running')`.execute(db);
  return rows[0];
}

export async function findRun(db: Kysely<Schema>, id: string): Promise<SyncRunRow | undefined> {
  const { rows } = await sql<SyncRunRow>`select * from sync_runs where id = ${id}`.execute(db);
  return rows[0];
}

/** Newest first; `before` is the last id of the page before. */
export async function listRuns(
  db: Kysely<Schema>,
  integrationId: string,
  options: { limit: number; before?: string; finished?: boolean },
): Promise<SyncRunRow[]> {
  const { rows } = await sql<SyncRunRow>`
    select * from sync_runs
    where integration_id = ${integrationId}
    ${options.before === undefined ? sql`` : sql`and id < ${options.before}`}
    ${options.finished === true ? sql`and finished_at is not null` : sql``}
    order by id desc
    limit ${options.limit}`.execute(db);
  return rows;
}

/**
 * Claims up to `limit` runs: first those whose worker gave no sign of life for the length of a lease, then the
 * queue in its order. Each claim raises the token, which takes the right to write from any earlier owner.
 */
export async function claimRuns(db: Kysely<Schema>, limit: number): Promise<SyncRunRow[]> {
  const { rows } = await sql<SyncRunRow>`
    with abandoned as (
      select id from sync_runs
      where status = 'running' and lease_until < now()
      order by lease_until
      limit ${limit}
      for update skip locked
    ), queued as (
      select id from sync_runs
      where status = 'queued'
      order by queued_at
      limit greatest(${limit} - (select count(*) from abandoned), 0)
      for update skip locked
    )
    update sync_runs
    set status = 'running',
        lease_token = lease_token + 1,
        lease_until = now() + ${LEASE}::interval,
        started_at = coalesce(started_at, now())
    where id = any(array(select id from abandoned union all select id from queued))
    returning *`.execute(db);
  return rows;
}

/**
 * Begins a run that only makes deletions which were found before: the worker that would take it over finds the
 * stream done. Undefined when the integration has an active run or is being deleted.
 */
export async function claimForDeletions(
  db: Kysely<Schema>,
  id: string,
  integrationId: string,
  stream: string,
): Promise<RunClaim | undefined> {
  const { rows } = await sql<{ lease_token: number }>`
    insert into sync_runs (id, integration_id, trigger, streams, status, lease_token, lease_until, started_at, progress)
    select ${id}, id, 'manual', array[${stream}::text], 'running', 1, now() + ${LEASE}::interval, now(),
           jsonb_build_object(${stream}::text, 'done')
    from integrations
    where id = ${integrationId} and status <> 'deleting'
    on conflict (integration_id) where status in ('queued', 'running') do nothing
    returning lease_token`.execute(db);
  return rows[0] && { id, integrationId, leaseToken: rows[0].lease_token };
}

/**
 * A sign of life for runs of this process. Gives the runs that are still its own, and whether each shall stop.
 * A row that is locked is being written by its own worker, which renews the lease as well: it is not waited for.
 */
export async function renewLeases(
  db: Kysely<Schema>,
  claims: readonly RunClaim[],
): Promise<{ id: string; stop: boolean }[]> {
  const { rows } = await sql<{ id: string; stop: boolean }>`
    with mine as (
      select * from unnest(
        ${claims.map((claim) => claim.id)}::text[],
        ${claims.map((claim) => claim.leaseToken)}::bigint[]
      ) as mine (id, lease_token)
    ), free as (
      select r.id from sync_runs r
      where r.id = any(array(select id from mine)) and r.status = 'running'
        and exists (select from mine where mine.id = r.id and mine.lease_token = r.lease_token)
      for update of r skip locked
    ), renewed as (
      update sync_runs set lease_until = now() + ${LEASE}::interval
      where id = any(array(select id from free))
    )
    select r.id, r.stop_requested_at is not null as stop
    from sync_runs r
    where r.id = any(array(select id from mine)) and r.status = 'running'
      and exists (select from mine where mine.id = r.id and mine.lease_token = r.lease_token)`.execute(db);
  return rows;
}

/** Ends a run; undefined when the claim is no longer good. */
export async function finishRun(
  db: Kysely<Schema>,
  claim: RunClaim,
  status: 'succeeded' | 'failed' | 'stopped',
  error: RunProblem | null,
): Promise<SyncRunRow | undefined> {
  const { rows } = await sql<SyncRunRow>`
    update sync_runs
    set status = ${status}, finished_at = now(), lease_until = null, error = ${error && JSON.stringify(error)}::jsonb
    where id = ${claim.id} and lease_token = ${claim.leaseToken} and status = 'running'
    returning *`.execute(db);
  return rows[0];
}

/** Puts a run back into the queue for another process; it goes on from its last written page. */
export async function releaseRun(db: Kysely<Schema>, claim: RunClaim): Promise<void> {
  await sql`
    update sync_runs
    set status = 'queued', lease_until = null
    where id = ${claim.id} and lease_token = ${claim.leaseToken} and status = 'running'`.execute(db);
}

/**
 * Asks the active run of an integration, or only the one named, to stop. One that nobody works on (queued, or its worker gave no sign of
 * life for a lease) is ended at once. Gives the run as it is now; undefined when none is active.
 */
export async function requestStop(
  db: Kysely<Schema>,
  integrationId: string,
  runId?: string,
): Promise<SyncRunRow | undefined> {
  const { rows } = await sql<SyncRunRow>`
    update sync_runs
    set stop_requested_at = coalesce(stop_requested_at, now()),
        status = case when status = 'queued' or lease_until < now() then 'stopped' else status end,
        finished_at = case when status = 'queued' or lease_until < now() then now() end
    where integration_id = ${integrationId} and status in ('queued', 'running')
    ${runId === undefined ? sql`` : sql`and id = ${runId}`}
    returning *`.execute(db);
  return rows[0];
}

export async function addWarning(db: Kysely<Schema>, claim: RunClaim, warning: RunProblem): Promise<void> {
  const json = JSON.stringify([warning]);
  await sql`
    update sync_runs set warnings = warnings || ${json}::jsonb
    where id = ${claim.id} and lease_token = ${claim.leaseToken} and status = 'running'
      and not warnings @> ${json}::jsonb`.execute(db);
}
