import { sql, type Transaction } from 'kysely';
import type { Log } from '../../core/log.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { type AnomalyDetector, createAnomalyDetector } from '../anomaly/anomalyDetector.ts';
import { bucketStart } from '../types.ts';
import { type AnomalyRow, type AnomalySeries, insertAnomalies } from './anomalyQueries.ts';
import { type Minute, readNewMinutes } from './minuteSeries.ts';

/** Integrations whose minutes are judged in one transaction. */
const BATCH = 100;
/** A minute is judged so long after its end: another replica may write it late. What comes later still is not judged. */
const GRACE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Minutes are kept no longer. */
const LOOK_BACK_MS = 48 * HOUR_MS;
const ALARM = 0.5;

/** The order in which their snapshots are kept. */
const SERIES: readonly AnomalySeries[] = ['p95_response_time', 'error_rate'];

interface Watched {
  readonly integration_id: string;
  readonly fed_until: Date;
  readonly points: number;
  readonly detectors: Buffer | null;
}

/**
 * Gives the new minutes of every integration with calls to its detectors. A minute is given once: how far they are,
 * what they know and what they found change in one transaction. Several processes share the work.
 */
export async function watchForAnomalies(
  database: Database,
  log: Log,
  nowMs: number,
  signal?: AbortSignal,
): Promise<void> {
  await markActive(database, nowMs);
  const untilMs = bucketStart(nowMs - GRACE_MS, 'minute');
  do signal?.throwIfAborted();
  while ((await watchBatch(database, log, untilMs)) > 0);
}

/** Hours that are to be merged tell who had calls lately, without looking at any minute. */
async function markActive({ db }: Database, nowMs: number): Promise<void> {
  await sql`
    insert into performance_watch (integration_id, active_until, summarize_at)
    select integration_id, max(bucket) + interval '70 minutes', ${new Date(nowMs)}
    from metric_rollups_due
    where resolution = 'hour' and bucket >= ${new Date(nowMs - LOOK_BACK_MS)}
    group by integration_id order by integration_id
    on conflict (integration_id) do update
      set active_until = excluded.active_until,
          summarize_at = least(performance_watch.summarize_at, excluded.summarize_at)
      where performance_watch.active_until < excluded.active_until`.execute(db);
}

async function watchBatch(database: Database, log: Log, untilMs: number): Promise<number> {
  return database.transaction(async (tx) => {
    const { rows } = await sql<Watched>`
      select integration_id, fed_until, points, detectors from performance_watch
      where active_until > fed_until and fed_until < ${new Date(untilMs)} and active_until > ${new Date(untilMs - LOOK_BACK_MS)}
      limit ${BATCH} for update skip locked`.execute(tx);
    if (rows.length === 0) return 0;
    const asked = rows.map((row) => ({
      integrationId: row.integration_id,
      fromMs: Math.max(row.fed_until.getTime(), untilMs - LOOK_BACK_MS),
    }));
    const found = await readNewMinutes(tx, asked, untilMs);
    const fed = rows.map((row) => {
      const { minutes, untilMs: fedUntilMs } = found.get(row.integration_id)!;
      return { row, fedUntilMs, minutes, ...judge(row, minutes, log) };
    });
    await insertAnomalies(
      tx,
      fed.flatMap((one) => one.anomalies),
    );
    await save(tx, fed);
    return rows.length;
  });
}

function judge(row: Watched, minutes: readonly Minute[], log: Log): { state: Buffer | null; anomalies: AnomalyRow[] } {
  if (minutes.length === 0) return { state: row.detectors, anomalies: [] };
  const detectors = restore(row, log);
  const anomalies: AnomalyRow[] = [];
  for (const minute of minutes) {
    for (const [at, series] of SERIES.entries()) {
      const value = seriesValue(minute, series);
      const detector = detectors[at]!;
      const score = detector(minute.startMs, value);
      const evidence = detector.explain();
      if (score < ALARM || evidence === null) continue;
      const { expected, surprise, signal } = evidence;
      const { startMs: bucketMs, calls } = minute;
      const integrationId = row.integration_id;
      anomalies.push({ integrationId, bucketMs, series, value, expected, score, surprise, signal, calls });
    }
  }
  return { state: encodeStates(detectors.map((one) => one.snapshot())), anomalies };
}

function seriesValue({ total, calls, failed }: Minute, series: AnomalySeries): number {
  return series === 'error_rate' ? (100 * failed) / calls : (total.quantile(0.95) ?? Number.NaN);
}

/** A snapshot of an earlier version, which nothing can read any more, has the series learnt anew. */
function restore({ integration_id, detectors }: Watched, log: Log): AnomalyDetector[] {
  if (detectors !== null) {
    try {
      return decodeStates(detectors).map((snapshot) => createAnomalyDetector({ snapshot }));
    } catch {
      log.warn('What the anomaly detectors knew cannot be read; they learn anew', { integrationId: integration_id });
    }
  }
  return SERIES.map(() => createAnomalyDetector());
}

/** For each series the length of its snapshot (four bytes, little-endian) and the snapshot. */
function encodeStates(snapshots: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    snapshots.flatMap((snapshot) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(snapshot.length);
      return [length, snapshot];
    }),
  );
}

function decodeStates(bytes: Buffer): Buffer[] {
  let at = 0;
  return SERIES.map(() => {
    const start = at + 4;
    at = start + bytes.readUInt32LE(at);
    return bytes.subarray(start, at);
  });
}

async function save(
  tx: Transaction<Schema>,
  fed: readonly { row: Watched; fedUntilMs: number; minutes: readonly Minute[]; state: Buffer | null }[],
): Promise<void> {
  await sql`
    update performance_watch w
    set fed_until = fed.fed_until, points = w.points + fed.points, detectors = coalesce(fed.detectors, w.detectors)
    from unnest(${fed.map((one) => one.row.integration_id)}::text[],
                ${fed.map((one) => new Date(one.fedUntilMs))}::timestamptz[],
                ${fed.map((one) => one.minutes.length)}::bigint[],
                ${fed.map((one) => (one.minutes.length === 0 ? null : one.state))}::bytea[])
      as fed (integration_id, fed_until, points, detectors)
    where w.integration_id = fed.integration_id`.execute(tx);
}
