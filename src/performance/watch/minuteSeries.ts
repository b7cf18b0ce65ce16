import { sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { Histogram } from '../histogram.ts';
import { decodePhases } from '../store/seriesBytes.ts';

/** Rows read of one integration at a time: an hour of one that does much. The rest comes with the next turn. */
const MOST_ROWS = 600;

/** One minute of an integration, over all its operations and outcomes. */
export interface Minute {
  readonly startMs: number;
  calls: number;
  failed: number;
  readonly total: Histogram;
}

export interface NewMinutes {
  /** In order of time; only minutes with calls. */
  readonly minutes: readonly Minute[];
  /** Everything before this is among them, epoch milliseconds. */
  readonly untilMs: number;
}

interface Row {
  readonly integration_id: string;
  readonly bucket: Date;
  readonly outcome: string;
  readonly calls: number;
  readonly phases: Buffer;
}

/** For each integration, the minutes from its `fromMs` on that end before `untilMs`; perhaps not all of them. */
export async function readNewMinutes(
  tx: Transaction<Schema>,
  asked: readonly { readonly integrationId: string; readonly fromMs: number }[],
  untilMs: number,
): Promise<Map<string, NewMinutes>> {
  const { rows } = await sql<Row>`
    select part.integration_id, part.bucket, part.outcome, part.calls, part.phases
    from unnest(${asked.map((one) => one.integrationId)}::text[],
                ${asked.map((one) => new Date(one.fromMs))}::timestamptz[]) as asked (integration_id, from_time)
    cross join lateral (
      select * from metric_minutes m
      where m.integration_id = asked.integration_id
        and m.bucket >= asked.from_time and m.bucket < ${new Date(untilMs)}
      order by m.bucket limit ${MOST_ROWS}
    ) part`.execute(tx);
  const byIntegration = Map.groupBy(rows, (row) => row.integration_id);
  return new Map(
    asked.map(({ integrationId }) => [integrationId, minutesOf(byIntegration.get(integrationId) ?? [], untilMs)]),
  );
}

function minutesOf(rows: readonly Row[], untilMs: number): NewMinutes {
  const minutes = new Map<number, Minute>();
  for (const { bucket, outcome, calls, phases } of rows) {
    const startMs = bucket.getTime();
    let minute = minutes.get(startMs);
    if (minute === undefined) {
      minute = { startMs, calls: 0, failed: 0, total: new Histogram() };
      minutes.set(startMs, minute);
    }
    minute.calls += calls;
    if (outcome !== 'success') minute.failed += calls;
    const total = decodePhases(phases, 'total').get('total');
    if (total !== undefined) minute.total.merge(total);
  }
  const sorted = [...minutes.values()].toSorted((a, b) => a.startMs - b.startMs);
  // The last minute may have been cut off; a single one with so many rows is taken as it is.
  const isCut = rows.length === MOST_ROWS && sorted.length > 1;
  const end = isCut ? sorted.pop()!.startMs : untilMs;
  return { minutes: sorted.filter(({ calls }) => calls > 0), untilMs: end };
}
