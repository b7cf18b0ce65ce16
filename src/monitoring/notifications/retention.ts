import { sql } from 'kysely';
import type { Database } from '../../store/database.ts';

const DAY_MS = 86_400_000;
const NOTIFICATIONS_KEPT_DAYS = 90;
const SILENCES_KEPT_DAYS = 90;
/** What channels were told of a group that is empty: Alertmanager keeps it as long (`--data.retention`, 120 h). */
const GROUPS_KEPT_DAYS = 5;
const BATCH_ROWS = 5_000;

/** Deletes what is past its time, in small transactions; may be interrupted anywhere and run again. */
export async function deleteOldNotifications({ db }: Database, now: Date, signal?: AbortSignal): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS);
  const statements = [
    sql`delete from notifications where id in (
      select id from notifications where finished_at < ${daysAgo(NOTIFICATIONS_KEPT_DAYS)} limit ${BATCH_ROWS})`,
    sql`delete from silences where id in (
      select id from silences where ends_at < ${daysAgo(SILENCES_KEPT_DAYS)} limit ${BATCH_ROWS})`,
    sql`delete from alert_groups where id in (
      select id from alert_groups g
      where due_at is null and updated_at < ${daysAgo(GROUPS_KEPT_DAYS)}
        and not exists (select from notifications n where n.group_id = g.id and n.status = 'pending')
      limit ${BATCH_ROWS} for update skip locked)`,
    // What ended may hold other alerts back for some hours more.
    sql`delete from notified_alerts where alert_key in (
      select alert_key from notified_alerts a
      where ends_at < ${daysAgo(1)} and not exists (select from alert_group_members m where m.alert_key = a.alert_key)
      limit ${BATCH_ROWS})`,
  ];
  for (const statement of statements) {
    for (let deleted = BATCH_ROWS; deleted === BATCH_ROWS; ) {
      signal?.throwIfAborted();
      deleted = Number((await statement.execute(db)).numAffectedRows);
    }
  }
}
