import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../store/schema.ts';

export interface DueSchedule {
  /** Where the locked row lies; good until the transaction ends. */
  readonly ctid: string;
  readonly integration_id: string;
  readonly frequency: string;
  readonly timezone: string;
  readonly next_due_at: Date;
  /** The time of the database. */
  readonly now: Date;
}

/** Stores a schedule; one that stays the same keeps its next time. */
export async function upsertSchedule(
  tx: Kysely<Schema>,
  schedule: { integrationId: string; frequency: string; timezone: string; nextDueAt: Date },
): Promise<void> {
  const { integrationId, frequency, timezone, nextDueAt } = schedule;
  await sql`
    insert into sync_schedules as s (integration_id, frequency, timezone, next_due_at)
    values (${integrationId}, ${frequency}, ${timezone}, ${nextDueAt})
    on conflict (integration_id) do update
    set frequency = excluded.frequency,
        timezone = excluded.timezone,
        next_due_at = case
          when (s.frequency, s.timezone) = (excluded.frequency, excluded.timezone) then s.next_due_at
          else excluded.next_due_at
        end,
        updated_at = now()`.execute(tx);
}

export async function hasSchedule(tx: Kysely<Schema>, integrationId: string): Promise<boolean> {
  const row = await tx
    .selectFrom('sync_schedules')
    .select('integration_id')
    .where('integration_id', '=', integrationId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteSchedule(tx: Kysely<Schema>, integrationId: string): Promise<void> {
  await tx.deleteFrom('sync_schedules').where('integration_id', '=', integrationId).execute();
}

/** The time of the database, which every replica shares, and when the next schedule is due. */
export async function readNextDue(db: Kysely<Schema>): Promise<{ now: Date; nextDueAt: Date | null }> {
  const { rows } = await sql<{ now: Date; next_due_at: Date | null }>`
    select clock_timestamp() as now,
           (select next_due_at from sync_schedules order by next_due_at limit 1) as next_due_at`.execute(db);
  return { now: rows[0]!.now, nextDueAt: rows[0]!.next_due_at };
}

/** Locks what is due; other replicas skip these rows until the transaction ends. */
export async function lockDueSchedules(tx: Transaction<Schema>, limit: number): Promise<DueSchedule[]> {
  const { rows } = await sql<DueSchedule>`
    select ctid::text, integration_id, frequency, timezone, next_due_at, now() as now
    from sync_schedules
    where next_due_at <= now()
    order by next_due_at
    limit ${limit}
    for update skip locked`.execute(tx);
  return rows;
}

/**
 * Moves schedules on and queues their runs. An integration that still has a run queued or running gets none, so
 * a slow sync is not followed by a pile of them. Gives the number of runs queued.
 */
export async function queueDueRuns(
  tx: Transaction<Schema>,
  runs: readonly { id: string; schedule: DueSchedule; nextDueAt: Date }[],
): Promise<number> {
  const result = await sql`
    with fired as (
      select * from unnest(
        ${runs.map((run) => run.id)}::text[],
        ${runs.map((run) => run.schedule.ctid)}::tid[],
        ${runs.map((run) => run.schedule.integration_id)}::text[],
        ${runs.map((run) => run.schedule.next_due_at)}::timestamptz[],
        ${runs.map((run) => run.nextDueAt)}::timestamptz[]
      ) as fired (id, schedule, integration_id, due_at, next_due_at)
    ), moved as (
      update sync_schedules s
      set next_due_at = fired.next_due_at
      from fired
      -- Not by integration_id: for that the planner may well read the whole table.
      where s.ctid = fired.schedule
    )
    insert into sync_runs (id, integration_id, trigger, status, due_at, queued_at)
    select id, integration_id, 'schedule', 'queued', due_at, clock_timestamp() from fired
    on conflict (integration_id) where status in ('queued', 'running') do nothing`.execute(tx);
  return Number(result.numAffectedRows ?? 0);
}
