import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../../store/database.ts';

const DAY_MS = 86_400_000;
const RESOLVED_KEPT_DAYS = 1;
const CHANGES_KEPT_DAYS = 30;
const DELETED_RULES_KEPT_DAYS = 1;
const BATCH_ROWS = 5_000;

/** Forgets what was resolved, changes that everybody has read long since, and deleted rules without alerts. */
export async function deleteOldAlertRows(database: Database, now: Date, signal?: AbortSignal): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS);
  const statements: RawBuilder<unknown>[] = [
    // Where absence is watched for, a normal row is what tells that a series was there.
    sql`
      delete from alert_instances a
      using (
        select i.rule_id, i.fingerprint
        from alert_instances i join alert_rules r on r.id = i.rule_id
        where i.state = 'normal' and i.changed_at < ${daysAgo(RESOLVED_KEPT_DAYS)}
          and (r.deleted_at is not null or r.definition ->> 'noData' in ('ok', 'keep'))
        limit ${BATCH_ROWS}
      ) old
      where a.rule_id = old.rule_id and a.fingerprint = old.fingerprint`,
    sql`
      delete from alert_changes
      where seq in (
        select seq from alert_changes where at < ${daysAgo(CHANGES_KEPT_DAYS)} order by at, seq limit ${BATCH_ROWS}
      )`,
    // The row of a default rule stays: it says that the rule is not to come back.
    sql`
      delete from alert_rules
      where id in (
        select id from alert_rules r
        where deleted_at < ${daysAgo(DELETED_RULES_KEPT_DAYS)} and default_key is null
          and not exists (select from alert_instances i where i.rule_id = r.id and i.state <> 'normal')
        limit ${BATCH_ROWS}
      )`,
  ];
  for (const statement of statements) {
    let deleted: bigint;
    do {
      signal?.throwIfAborted();
      deleted = (await statement.execute(database.db)).numAffectedRows ?? 0n;
    } while (deleted === BigInt(BATCH_ROWS));
  }
}
