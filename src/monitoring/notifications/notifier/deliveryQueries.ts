import { type Kysely, sql, type Transaction } from 'kysely';
import { newId } from '../../../core/ids.ts';
import type { Schema } from '../../../store/schema.ts';
import type { DeliveryResult } from '../channels/types.ts';
import type { NotificationMessage } from '../message.ts';

/** Well above the 15 seconds that an attempt may take. */
const LEASE = '60 seconds';

export interface ClaimedNotification {
  readonly id: string;
  readonly group_id: string;
  readonly policy_id: string;
  readonly channel_id: string;
  readonly channel_name: string;
  readonly reason: string;
  readonly message: NotificationMessage;
  readonly fallback_channel_id: string | null;
  readonly fallback_of: string | null;
  readonly attempts: number;
  readonly lease_token: number;
  readonly created_at: Date;
}

/**
 * Claims notifications whose time has come, at most `perChannel` of one channel and none of the channels in `busy`.
 * About one group a channel is told in order: what is newer waits until the older one is done with.
 */
export async function claimNotifications(
  db: Kysely<Schema>,
  options: { nowMs: number; limit: number; perChannel: number; busy: readonly string[] },
): Promise<ClaimedNotification[]> {
  const { nowMs, limit, perChannel, busy } = options;
  const { rows } = await sql<ClaimedNotification>`
    with due as (
      select n.id, n.due_at, row_number() over (partition by n.channel_id order by n.due_at, n.id) as place
      from notifications n
      where n.status = 'pending' and n.due_at <= ${new Date(nowMs)}
        and (n.lease_until is null or n.lease_until < now())
        and n.channel_id <> all(${busy}::text[])
        and not exists (
          select from notifications older
          where older.group_id = n.group_id and older.channel_id = n.channel_id
            and older.status = 'pending' and older.id < n.id
        )
    ), claimed as (
      select n.id from notifications n
      where n.id = any(array(
          select id from due where place <= ${perChannel} order by due_at, id limit ${limit}
        ))
        and n.status = 'pending' and (n.lease_until is null or n.lease_until < now())
      for update skip locked
    )
    update notifications n
    set lease_token = n.lease_token + 1, lease_until = now() + ${LEASE}::interval, attempts = n.attempts + 1
    from claimed where n.id = claimed.id
    returning n.*`.execute(db);
  return rows;
}

/** What becomes of a notification after an attempt. */
export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'again'; readonly atMs: number }
  | { readonly kind: 'failed' };

/** Records an attempt and moves the notification on; false when the claim is no longer good. */
export async function settleNotification(
  tx: Transaction<Schema>,
  claimed: ClaimedNotification,
  attempt: { result: DeliveryResult; atMs: number; durationMs: number },
  verdict: Verdict,
): Promise<boolean> {
  const { result, atMs, durationMs } = attempt;
  const finished = verdict.kind === 'again' ? null : new Date(atMs + durationMs);
  const moved = await tx
    .updateTable('notifications')
    .set({
      status: verdict.kind === 'again' ? 'pending' : verdict.kind,
      lease_until: null,
      last_error: result.ok ? null : result.detail,
      finished_at: finished,
      ...(verdict.kind === 'again' ? { due_at: new Date(verdict.atMs) } : {}),
    })
    .where('id', '=', claimed.id)
    .where('lease_token', '=', claimed.lease_token)
    .where('status', '=', 'pending')
    .returning('id')
    .executeTakeFirst();
  if (moved === undefined) return false;
  await tx
    .insertInto('notification_attempts')
    .values({
      notification_id: claimed.id,
      attempt: claimed.attempts,
      at: new Date(atMs),
      duration_ms: durationMs,
      ok: result.ok,
      status: result.status,
      detail: result.detail,
    })
    .execute();
  return true;
}

/** The same message for the fallback channel; false when that channel is gone. */
export async function insertFallback(
  tx: Transaction<Schema>,
  failed: ClaimedNotification,
  nowMs: number,
): Promise<boolean> {
  const channel = await tx
    .selectFrom('notification_channels')
    .select('name')
    .where('id', '=', failed.fallback_channel_id)
    .where('active', '=', true)
    .executeTakeFirst();
  if (channel === undefined) return false;
  await tx
    .insertInto('notifications')
    .values({
      id: newId('notification', nowMs),
      group_id: failed.group_id,
      policy_id: failed.policy_id,
      channel_id: failed.fallback_channel_id!,
      channel_name: channel.name,
      reason: failed.reason,
      message: JSON.stringify(failed.message),
      fallback_of: failed.id,
      due_at: new Date(nowMs),
      created_at: new Date(nowMs),
    })
    .execute();
  return true;
}

/**
 * Forgets that the channel was told what could not be delivered, unless it was told of something since: the group's
 * next flush tells it again, as Alertmanager does, whose log has only what was sent.
 */
export async function withdrawFromLog(tx: Transaction<Schema>, failed: ClaimedNotification): Promise<void> {
  const { rows } = await sql<{ channel_id: string }>`
    select channel_id from notifications where id = ${failed.fallback_of ?? failed.id}`.execute(tx);
  const channelId = rows[0]?.channel_id ?? failed.channel_id;
  // The group's row before its log, as a flush locks them.
  await sql`select id from alert_groups where id = ${failed.group_id} for update`.execute(tx);
  await sql`
    delete from alert_group_log
    where group_id = ${failed.group_id} and channel_id = ${channelId} and not exists (
      select from notifications newer
      where newer.group_id = ${failed.group_id} and newer.channel_id = ${channelId}
        and newer.id > ${failed.fallback_of ?? failed.id}
    )`.execute(tx);
}

/** Counts for the channel whether it works. Gives whether that is news. */
export async function noteChannel(
  tx: Transaction<Schema>,
  channelId: string,
  verdict: 'delivered' | 'failed',
  detail: string,
  nowMs: number,
): Promise<'fails' | 'works' | null> {
  const now = new Date(nowMs);
  if (verdict === 'delivered') {
    const { rows } = await sql<{ failing: boolean }>`
      with old as (select id, failing_since is not null as failing from notification_channels where id = ${channelId} for no key update)
      update notification_channels c
      set failures = 0, failing_since = null, last_error = null, last_delivered_at = ${now}
      from old where c.id = old.id
      returning old.failing`.execute(tx);
    return rows[0]?.failing === true ? 'works' : null;
  }
  const { rows } = await sql<{ failures: number }>`
    update notification_channels
    set failures = failures + 1, failing_since = coalesce(failing_since, ${now}), last_error = ${detail}
    where id = ${channelId}
    returning failures`.execute(tx);
  return rows[0]?.failures === 1 ? 'fails' : null;
}
