import type { QueryConfig } from 'pg';
import type { Database } from '../../store/database.ts';
import { translateError } from '../../store/pool.ts';
import { bucketStart } from '../types.ts';
import { encodePhases } from './seriesBytes.ts';
import type { SeriesCell } from './seriesCell.ts';

const QUERY_TIMEOUT_MS = 10_000;

/** Rows and marks in one statement: an hour whose minutes changed is merged again, whatever happens in between. */
const WRITE = `
  with given as (
    select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
                         $7::double precision[], $8::bigint[], $9::bytea[])
      as one (bucket, integration_id, operation, outcome, part, calls, total_ms, response_bytes, phases)
  ), marked as (
    insert into metric_rollups_due (resolution, bucket, integration_id)
    select distinct 'hour', one.bucket, one.integration_id
    from unnest($10::timestamptz[], $11::text[]) as one (bucket, integration_id)
    order by 3, 2
    on conflict (integration_id, resolution, bucket) do update set marks = metric_rollups_due.marks + 1
  )
  insert into metric_minutes (bucket, integration_id, operation, outcome, part, calls, total_ms, response_bytes, phases)
  select * from given
  on conflict (integration_id, bucket, operation, outcome, part) do update
    set calls = excluded.calls, total_ms = excluded.total_ms, response_bytes = excluded.response_bytes,
        phases = excluded.phases`;

/**
 * Writes the cells as they are when it is called. Writing the same state twice is as good as once.
 * @param isMarked whether the cell's hour is known to be due to be merged
 * @throws UnavailableError
 */
export async function writeCells(
  database: Pick<Database, 'pool'>,
  cells: readonly SeriesCell[],
  isMarked: (cell: SeriesCell) => boolean,
): Promise<void> {
  if (cells.length === 0) return;
  const unmarked = cells.filter((cell) => !isMarked(cell));
  const statement: QueryConfig & { query_timeout: number } = {
    text: WRITE,
    values: [
      cells.map((cell) => new Date(cell.bucketMs)),
      cells.map((cell) => cell.key.integrationId),
      cells.map((cell) => cell.key.operation),
      cells.map((cell) => cell.key.outcome),
      cells.map((cell) => cell.part),
      cells.map((cell) => cell.calls),
      cells.map((cell) => cell.totalMs),
      cells.map((cell) => cell.responseBytes),
      cells.map((cell) => encodePhases(cell.phases)),
      unmarked.map((cell) => new Date(bucketStart(cell.bucketMs, 'hour'))),
      unmarked.map((cell) => cell.key.integrationId),
    ],
    query_timeout: QUERY_TIMEOUT_MS,
  };
  await database.pool.query(statement).catch((error: unknown) => {
    throw translateError(error);
  });
}
