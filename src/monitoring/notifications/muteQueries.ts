import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { FiringAlert, InhibitionRule } from './inhibition.ts';
import type { Matcher } from './labelMatchers.ts';
import type { WindowTimes } from './maintenanceTimes.ts';
import { Muter } from './muting.ts';
import type { Labels } from './types.ts';

/** More sources than these are not looked at: they would be an inhibition that matches about everything. */
const MAX_SOURCES = 20_000;

/** Judges alerts by what counts at this moment. */
export async function loadMuter(db: Kysely<Schema>, nowMs: number): Promise<Muter> {
  const now = new Date(nowMs);
  const silences = await db
    .selectFrom('silences')
    .select(['id', 'matchers', 'starts_at', 'ends_at'])
    .where('starts_at', '<=', now)
    .where('ends_at', '>', now)
    .execute();
  const windows = await db.selectFrom('maintenance_windows').selectAll().execute();
  const rules = await db.selectFrom('inhibition_rules').selectAll().execute();
  const inhibitions = rules.map((rule) => ({
    id: rule.id,
    sourceMatchers: rule.source_matchers as Matcher[],
    targetMatchers: rule.target_matchers as Matcher[],
    equal: rule.equal_labels,
    lingerMs: rule.linger_ms,
  }));
  return new Muter(
    {
      silences: silences.map((row) => ({
        id: row.id,
        matchers: row.matchers as Matcher[],
        startsAtMs: row.starts_at.getTime(),
        endsAtMs: row.ends_at.getTime(),
      })),
      maintenance: windows.map((row) => ({ id: row.id, matchers: row.matchers as Matcher[], times: timesOf(row) })),
      inhibitions,
    },
    await loadSources(db, inhibitions, nowMs),
    nowMs,
  );
}

export function timesOf(row: {
  starts_at: Date | null;
  ends_at: Date | null;
  cron: string | null;
  timezone: string | null;
  duration_ms: number | null;
}): WindowTimes {
  if (row.cron !== null) return { cron: row.cron, timezone: row.timezone!, durationMs: row.duration_ms! };
  return { startsAtMs: row.starts_at!.getTime(), endsAtMs: row.ends_at!.getTime() };
}

/** Alerts that may be the source of an inhibition: those that fire, and those that ended so lately that they linger. */
async function loadSources(
  db: Kysely<Schema>,
  rules: readonly InhibitionRule[],
  nowMs: number,
): Promise<FiringAlert[]> {
  if (rules.length === 0) return [];
  const wanted = rules.map(({ sourceMatchers }) => {
    const equal = sourceMatchers.filter(({ op, value }) => op === '=' && value !== '');
    return JSON.stringify(Object.fromEntries(equal.map(({ label, value }) => [label, value])));
  });
  const since = new Date(nowMs - Math.max(...rules.map(({ lingerMs }) => lingerMs)));
  const { rows } = await sql<{ alert_key: string; labels: Labels; ends_at: Date | null }>`
    select alert_key, labels, ends_at from notified_alerts
    where ends_at is null and labels @> any(${wanted}::jsonb[])
    union all
    select alert_key, labels, ends_at from notified_alerts
    where ends_at > ${since} and labels @> any(${wanted}::jsonb[])
    limit ${MAX_SOURCES}`.execute(db);
  return rows.map((row) => ({
    key: row.alert_key,
    labels: row.labels,
    endsAtMs: row.ends_at?.getTime() ?? null,
  }));
}
