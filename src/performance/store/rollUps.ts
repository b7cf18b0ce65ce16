import { sql, type Transaction } from 'kysely';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { bucketStart, RESOLUTION_MS } from '../types.ts';
import { decodePhases, encodePhases, mergePhases, type PhaseHistograms } from './seriesBytes.ts';

/** Integration-hours (-days) merged in one transaction. */
const BATCH_BUCKETS = 100;
/** A bucket is merged this long after its end; what comes later has it merged again. */
const GRACE_MS = 60_000;

type Target = 'hour' | 'day';

/** Where the parts of a bucket are, and where it goes. */
const TABLES = {
  hour: { from: 'metric_minutes', to: 'metric_hours' },
  day: { from: 'metric_hours', to: 'metric_days' },
} as const;

interface Bucket {
  readonly bucket: Date;
  readonly integration_id: string;
}

interface Part extends Bucket {
  readonly operation: string;
  readonly outcome: string;
  readonly calls: number;
  readonly total_ms: number;
  readonly response_bytes: number;
  readonly phases: Buffer;
}

interface Merged extends Bucket {
  readonly operation: string;
  readonly outcome: string;
  calls: number;
  totalMs: number;
  responseBytes: number;
  readonly phases: PhaseHistograms;
}

/**
 * Merges minutes into hours and hours into days where they are over and have changed. A bucket is made anew from all
 * its parts, so it may be interrupted anywhere and run again; several processes share the work.
 */
export async function rollUp(database: Database, nowMs: number, signal?: AbortSignal): Promise<void> {
  for (const target of ['hour', 'day'] as const) {
    do signal?.throwIfAborted();
    while ((await rollUpBatch(database, target, nowMs)) === BATCH_BUCKETS);
  }
}

async function rollUpBatch(database: Database, target: Target, nowMs: number): Promise<number> {
  const endedBefore = new Date(nowMs - GRACE_MS - RESOLUTION_MS[target]);
  return await database.transaction(async (tx) => {
    const { rows: due } = await sql<Bucket>`
      delete from metric_rollups_due
      where (integration_id, resolution, bucket) in (
        select integration_id, resolution, bucket from metric_rollups_due
        where resolution = ${target} and bucket <= ${endedBefore}
        order by bucket limit ${BATCH_BUCKETS} for update skip locked
      )
      returning bucket, integration_id`.execute(tx);
    if (due.length === 0) return 0;
    await write(tx, target, merge(await readParts(tx, target, due), target));
    if (target === 'hour') await markDays(tx, due);
    return due.length;
  });
}

async function readParts(tx: Transaction<Schema>, target: Target, due: readonly Bucket[]): Promise<Part[]> {
  const { rows } = await sql<Part>`
    select part.bucket, part.integration_id, operation, outcome, calls, total_ms, response_bytes, phases
    from unnest(${due.map((one) => one.integration_id)}::text[], ${due.map((one) => one.bucket)}::timestamptz[])
      as due (integration_id, bucket)
    cross join lateral (
      select * from ${sql.table(TABLES[target].from)} as part
      where part.integration_id = due.integration_id
        and part.bucket >= due.bucket and part.bucket < due.bucket + ${`1 ${target}`}::interval
    ) part`.execute(tx);
  return rows;
}

function merge(parts: readonly Part[], target: Target): Merged[] {
  const merged = new Map<string, Merged>();
  for (const part of parts) {
    const { integration_id, operation, outcome } = part;
    const startMs = bucketStart(part.bucket.getTime(), target);
    const key = JSON.stringify([integration_id, startMs, operation, outcome]);
    let into = merged.get(key);
    if (into === undefined) {
      const bucket = new Date(startMs);
      into = { bucket, integration_id, operation, outcome, calls: 0, totalMs: 0, responseBytes: 0, phases: new Map() };
      merged.set(key, into);
    }
    into.calls += part.calls;
    into.totalMs += part.total_ms;
    into.responseBytes += part.response_bytes;
    mergePhases(into.phases, decodePhases(part.phases));
  }
  return [...merged.values()];
}

async function write(tx: Transaction<Schema>, target: Target, rows: readonly Merged[]): Promise<void> {
  await sql`
    insert into ${sql.table(TABLES[target].to)}
      (bucket, integration_id, operation, outcome, calls, total_ms, response_bytes, phases)
    select * from unnest(
      ${rows.map((one) => one.bucket)}::timestamptz[], ${rows.map((one) => one.integration_id)}::text[],
      ${rows.map((one) => one.operation)}::text[], ${rows.map((one) => one.outcome)}::text[],
      ${rows.map((one) => one.calls)}::bigint[], ${rows.map((one) => one.totalMs)}::double precision[],
      ${rows.map((one) => one.responseBytes)}::bigint[], ${rows.map((one) => encodePhases(one.phases))}::bytea[])
    on conflict (integration_id, bucket, operation, outcome) do update
      set calls = excluded.calls, total_ms = excluded.total_ms, response_bytes = excluded.response_bytes,
          phases = excluded.phases`.execute(tx);
}

async function markDays(tx: Transaction<Schema>, hours: readonly Bucket[]): Promise<void> {
  const days = hours.map((one) => new Date(bucketStart(one.bucket.getTime(), 'day')));
  await sql`
    insert into metric_rollups_due (resolution, bucket, integration_id)
    select distinct 'day', one.bucket, one.integration_id
    from unnest(${days}::timestamptz[], ${hours.map((one) => one.integration_id)}::text[]) as one (bucket, integration_id)
    order by 3, 2
    on conflict (integration_id, resolution, bucket) do update set marks = metric_rollups_due.marks + 1`.execute(tx);
}
