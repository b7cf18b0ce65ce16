import { sql } from 'kysely';
import type { Database } from '../../store/database.ts';
import { THROTTLE_WINDOW_SECONDS } from './throttle.ts';

const BATCH_ROWS = 5_000;

/** Deletes what is past its time: sessions, links, invitations and forgotten failures. May be run at any time, by anybody. */
export async function deleteExpiredAccountRows(database: Database, signal?: AbortSignal): Promise<void> {
  // Reset links stay a while longer: they tell when the last e-mail was sent.
  const expired = [
    sql`delete from sessions where id in (select id from sessions where expires_at < now() limit ${BATCH_ROWS})`,
    sql`delete from one_time_tokens where id in (
      select id from one_time_tokens where expires_at < now() - interval '1 hour' limit ${BATCH_ROWS})`,
    sql`delete from invitations where id in (select id from invitations where expires_at < now() limit ${BATCH_ROWS})`,
    sql`delete from login_throttles where subject in (
      select subject from login_throttles
      where last_failed_at < now() - make_interval(secs => ${THROTTLE_WINDOW_SECONDS})
        and (blocked_until is null or blocked_until < now())
      limit ${BATCH_ROWS})`,
  ];
  for (const statement of expired) {
    do signal?.throwIfAborted();
    while (Number((await statement.execute(database.db)).numAffectedRows) === BATCH_ROWS);
  }
}
