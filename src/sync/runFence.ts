import { type RawBuilder, sql } from 'kysely';
import { LEASE, type RunClaim, type RunProblem } from './runQueries.ts';

/**
 * What every statement of a run that writes starts with: the run's row as the common table expression `fence`, if
 * the claim is still good; no row when another worker has the run or it has ended. Everything else in the statement
 * takes its rows from it. Locked (the default), nobody can claim or end the run before the statement is through.
 */
export const fence = (claim: RunClaim, { lock = true } = {}) => sql`
    fence as materialized (
      select id, stop_requested_at is not null as stop
      from sync_runs
      where id = ${claim.id} and lease_token = ${claim.leaseToken} and status = 'running'
      ${lock ? sql`for update` : sql``}
    )`;

interface RunAdvance {
  readonly pages?: number;
  readonly recordsRead?: number;
  /** JSON: how far the run is with which stream. */
  readonly progress: RawBuilder<unknown>;
  /** JSON: which stream's read was like the one before, and how. */
  readonly repeats?: RawBuilder<unknown>;
  readonly recordsConfirmed?: number;
  readonly warnings?: readonly RunProblem[];
}

/** Goes with `fence`: adds what the expressions `counts` and `saved` say to the run, and renews its lease. */
export const advance = ({
  pages = 0,
  recordsRead = 0,
  progress,
  repeats,
  recordsConfirmed = 0,
  warnings = [],
}: RunAdvance) => sql`
    advanced as (
      update sync_runs r
      set pages = pages + ${pages}::bigint,
          records_read = records_read + ${recordsRead}::bigint,
          records_added = records_added + added,
          records_updated = records_updated + updated,
          records_deleted = records_deleted + deleted,
          records_unchanged = records_unchanged + greatest(${recordsRead}::bigint - added - updated - deleted, 0),
          progress = progress || ${progress},
          ${repeats === undefined ? sql`` : sql`repeats = repeats || ${repeats}, records_confirmed = records_confirmed + ${recordsConfirmed}::bigint,`}
          warnings = warnings || ${JSON.stringify(warnings)}::jsonb,
          lease_until = now() + ${LEASE}::interval
      from fence, counts, saved
      where r.id = fence.id
    )`;
