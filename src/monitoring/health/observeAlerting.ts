import type { Database } from '../../store/database.ts';
import type { HealthObservation } from './healthProbe.ts';
import { query } from './query.ts';

/** How long after their third missed time rules count as not evaluated, and changes and notifications as not told. */
const LATE_S = 120;

/**
 * Whether rules are evaluated and what they find is told, here or in another process: who is asleep relies on it, and
 * it cannot be told by an alert.
 */
export async function observeAlerting(database: Database, watchingSinceMs: number): Promise<HealthObservation> {
  const { rows } = await query<{ rules_s: number | null; changes_s: number | null; deliveries_s: number | null }>(
    database,
    `select
       (select max(extract(epoch from now() - s.evaluated_at) - 3 * (r.definition ->> 'intervalMs')::float8 / 1000)
        from alert_shards s join alert_rules r on r.shard = s.shard and r.enabled and r.deleted_at is null
        where s.evaluated_at < now() - interval '${LATE_S} seconds')::float8 as rules_s,
       (select extract(epoch from now() - c.at) from notification_intake i
        cross join lateral (select at from alert_changes where seq > i.seq order by seq limit 1) c)::float8 as changes_s,
       (select extract(epoch from now() - min(n.due_at)) from notifications n
        where n.status = 'pending' and not exists (
          select from notifications older
          where older.group_id = n.group_id and older.channel_id = n.channel_id
            and older.status = 'pending' and older.id < n.id
        ))::float8 as deliveries_s`,
  );
  // What was due while everything was down waits for this process only since it is there.
  const watchedS = (performance.now() - watchingSinceMs) / 1000;
  const late = (seconds: number | null) => Math.round(Math.min(watchedS, Math.max(0, seconds ?? 0)));
  const { rules_s, changes_s, deliveries_s } = rows[0]!;
  const [rules, changes, deliveries] = [late(rules_s), late(changes_s), late(deliveries_s)];
  const worst = Math.max(rules, changes, deliveries);
  const observed = { observedValue: worst, observedUnit: 's', threshold: LATE_S };
  if (worst < LATE_S) return { status: 'pass', ...observed };
  const output =
    rules === worst
      ? 'Alert rules are not evaluated in time: no process does it, or it fails.'
      : changes === worst
        ? 'What alert rules found is not taken in, so nobody is told of it.'
        : 'Notifications wait and nobody sends them.';
  return { status: 'warn', ...observed, output };
}
