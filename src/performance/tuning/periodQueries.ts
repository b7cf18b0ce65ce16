import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { MOST_RUNS } from './experimentLimits.ts';

/** One run that has ended by itself. */
export interface EndedRun {
  readonly status: 'succeeded' | 'failed';
  readonly started_at: Date;
  readonly seconds: number;
  /** Read, or confirmed to be as they were. */
  readonly records: number;
  readonly pages: number;
  /** The streams that it read, and those whose read a validator would have spared. */
  readonly read: readonly string[];
  readonly same: readonly string[];
  /** What was asked for: runs with different answers cannot be compared. */
  readonly kind: string;
  /** It was taken over from a worker that died, so that its length says nothing. */
  readonly taken_over: boolean;
}

/** The newest runs of a period, oldest first. */
export async function readEndedRuns(
  db: Kysely<Schema>,
  integrationId: string,
  from: Date,
  until: Date,
): Promise<EndedRun[]> {
  const { rows } = await sql<EndedRun>`
    select status, started_at, records_read + records_confirmed as records, pages, lease_token > 1 as taken_over,
           array(select jsonb_object_keys(progress)) as read,
           -- A full refresh reads everything, whatever is known.
           array(select key from jsonb_each_text(repeats) where value = 'same' and not full_refresh) as same,
           extract(epoch from finished_at - started_at)::float8 as seconds,
           jsonb_build_array(full_refresh, streams)::text as kind
    from sync_runs
    where integration_id = ${integrationId} and status in ('succeeded', 'failed')
      and started_at >= ${from} and finished_at <= ${until}
    order by id desc
    limit ${MOST_RUNS}`.execute(db);
  return rows.toReversed();
}

export interface AttemptCounts {
  readonly calls: number;
  readonly failed: number;
}

/** Attempts of syncs; those that were cut off from here are no failures. */
export async function countAttempts(
  db: Kysely<Schema>,
  integrationId: string,
  from: Date,
  until: Date,
): Promise<AttemptCounts> {
  const { rows } = await sql<AttemptCounts>`
    select count(*) as calls, count(*) filter (where outcome <> 'success') as failed
    from outgoing_attempts
    where integration_id = ${integrationId} and operation = 'sync' and outcome <> 'aborted'
      and started_at >= ${from} and started_at < ${until}`.execute(db);
  return rows[0]!;
}
