import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { nextDue, parseFrequency } from '../../sync/frequency.ts';
import { passes, seriesKey } from '../alerts/compiledRule.ts';
import type { MetricQuery, MetricSample } from '../alerts/types.ts';

interface AgeRow {
  readonly id: string;
  readonly platform: string;
  readonly frequency: string;
  readonly timezone: string;
  readonly age: number;
}

/**
 * How long ago a sync of each scheduled integration succeeded (or the integration was made), in seconds or in
 * intervals of its schedule. Of a group of several the longest.
 */
export async function querySyncAge(
  db: Kysely<Schema>,
  { metric, filter, groupBy }: MetricQuery,
  atMs: number,
): Promise<MetricSample[]> {
  const at = new Date(atMs);
  const { rows } = await sql<AgeRow>`
    select i.id, i.platform, s.frequency, s.timezone,
           extract(epoch from ${at}::timestamptz - coalesce(last.finished_at, i.created_at))::double precision as age
    from sync_schedules s
    join integrations i on i.id = s.integration_id and i.status in ('connected', 'error')
    left join lateral (
      select finished_at from sync_runs r
      where r.integration_id = i.id and r.status = 'succeeded' and r.finished_at <= ${at}
      order by r.id desc limit 1
    ) last on true`.execute(db);
  const groups = new Map<string, { labels: Record<string, string>; value: number; samples: number }>();
  for (const row of rows) {
    const all: Record<string, string> = { integrationId: row.id, platform: row.platform };
    if (!passes(all, filter)) continue;
    const unitSeconds = metric === 'seconds_since_last_success' ? 1 : intervalSeconds(row, atMs);
    if (unitSeconds === null) continue;
    const labels = Object.fromEntries(groupBy.map((label) => [label, all[label] ?? '']));
    const key = seriesKey(labels, groupBy);
    const value = Math.max(0, row.age) / unitSeconds;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { labels, value, samples: 1 });
    else {
      group.value = Math.max(group.value, value);
      group.samples++;
    }
  }
  return [...groups.values()];
}

/** Between the next two times; null when there are none, or the schedule cannot be read. */
function intervalSeconds({ id, frequency, timezone }: AgeRow, atMs: number): number | null {
  try {
    const parsed = parseFrequency(frequency, timezone);
    if (parsed.kind === 'interval') return parsed.everyMs / 1_000;
    const next = nextDue(parsed, id, atMs);
    const afterNext = next === null ? null : nextDue(parsed, id, next);
    return next === null || afterNext === null ? null : (afterNext - next) / 1_000;
  } catch {
    return null;
  }
}
