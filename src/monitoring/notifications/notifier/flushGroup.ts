import { sql, type Transaction } from 'kysely';
import { newId } from '../../../core/ids.ts';
import type { Database } from '../../../store/database.ts';
import type { Schema } from '../../../store/schema.ts';
import { dueAtMs, flush } from '../groupMachine.ts';
import { type AlertFacts, makeMessage } from '../message.ts';
import type { Muter } from '../muting.ts';
import { integrationsOf } from '../namedIntegrations.ts';
import { JOIN_PRESENT, measureOf, PRESENT_COLUMNS, type PresentRow, presentOf } from '../presentAlerts.ts';
import type { Policy } from '../routing.ts';
import type { ChannelLog, GroupAlert, GroupState, Labels } from '../types.ts';

/** What is the same for all groups of one round. */
export interface FlushRound {
  readonly nowMs: number;
  readonly muter: Muter;
  readonly policies: readonly Policy[];
  readonly publicUrl: string;
}

export interface FlushOutcome {
  readonly notifications: number;
  /** Alerts fire and nobody is told, because there is no channel to tell. */
  readonly unheard: boolean;
}

interface GroupRow {
  readonly id: string;
  readonly policy_id: string;
  readonly labels: Labels;
  readonly channels: string[] | null;
  readonly next_flush_at: Date | null;
  readonly has_flushed: boolean;
  readonly episode_at: Date | null;
  readonly level: number;
}

interface MemberRow extends PresentRow {
  readonly acknowledged: boolean;
}

/**
 * Looks at the group that has been due longest: what is to be told becomes rows of `notifications` in the same
 * transaction in which the group remembers that it was told. The group's row is locked meanwhile, so one replica has it.
 * @returns null when no group is due
 */
export async function flushDueGroup(database: Database, round: FlushRound): Promise<FlushOutcome | null> {
  return await database.transaction(async (tx) => {
    const { rows } = await sql<GroupRow>`
      select * from alert_groups where due_at <= ${new Date(round.nowMs)}
      order by due_at limit 1 for update skip locked`.execute(tx);
    return rows[0] === undefined ? null : await flushGroup(tx, rows[0], round);
  });
}

async function flushGroup(tx: Transaction<Schema>, group: GroupRow, round: FlushRound): Promise<FlushOutcome> {
  const { nowMs, muter } = round;
  const policy = round.policies.find(({ id }) => id === group.policy_id);
  if (policy === undefined) {
    // Deleted, or made, since the round began: the next one knows.
    await tx
      .updateTable('alert_groups')
      .set({ due_at: new Date(nowMs + 1_000) })
      .where('id', '=', group.id)
      .execute();
    return { notifications: 0, unheard: false };
  }
  const members = await loadMembers(tx, group.id, nowMs);
  const channels = await loadChannels(tx);
  const log = await loadLog(tx, group.id);
  const state: GroupState = {
    alerts: new Map(members.map((row) => [row.alert_key, toAlert(row)])),
    nextFlushAtMs: group.next_flush_at?.getTime() ?? null,
    hasFlushed: group.has_flushed,
    episodeAtMs: group.episode_at?.getTime() ?? null,
    level: group.level,
    log,
  };
  const known = (ids: readonly string[]) => ids.filter((id) => channels.get(id)?.active);
  const steps = policy.steps.map(({ afterMs, channels: ids }) => ({ afterMs, channels: known(ids) }));
  const acknowledged = new Set(members.filter((row) => row.acknowledged).map((row) => row.alert_key));
  const told = receiversOf(group.channels, policy, channels);
  const { state: next, notices } = flush(state, {
    nowMs,
    timing: policy,
    channels: told,
    steps,
    muteReason: ({ labels, endsAtMs }) => muter.reasonOf(labels, endsAtMs !== null),
    isAcknowledged: (key) => acknowledged.has(key),
    wantsResolved: (id) => channels.get(id)!.sendResolved,
  });

  await storeGroup(tx, group.id, next, dueAtMs(next, steps, nowMs));
  await storeLog(tx, group.id, log, next.log);
  await dropEnded(
    tx,
    group.id,
    [...state.alerts.keys()].filter((key) => !next.alerts.has(key)),
  );
  const facts = new Map(members.map((row) => [row.alert_key, factsOf(row)]));
  const named = { id: group.id, labels: group.labels, policy: policy.name };
  const said = { publicUrl: round.publicUrl, atMs: nowMs, integrations: await integrationsOf(tx, notices) };
  for (const notice of notices) {
    const message = makeMessage(notice, named, (key) => facts.get(key)!, said);
    const fallback = policy.fallbackChannel === notice.channel ? null : policy.fallbackChannel;
    await tx
      .insertInto('notifications')
      .values({
        id: newId('notification', nowMs),
        group_id: group.id,
        policy_id: policy.id,
        channel_id: notice.channel,
        channel_name: channels.get(notice.channel)!.name,
        reason: notice.reason,
        message: JSON.stringify(message),
        fallback_channel_id: fallback !== null && channels.get(fallback)?.active ? fallback : null,
        due_at: new Date(nowMs),
        created_at: new Date(nowMs),
      })
      .execute();
  }
  const firing = members.some((row) => row.ends_at === null && muter.reasonOf(row.labels) === null);
  return { notifications: notices.length, unheard: firing && told.length === 0 };
}

async function loadMembers(tx: Transaction<Schema>, groupId: string, nowMs: number): Promise<MemberRow[]> {
  const { rows } = await sql<MemberRow>`
    select ${PRESENT_COLUMNS}, k.alert_key is not null as acknowledged
    from alert_group_members m
    join notified_alerts a on a.alert_key = m.alert_key
    ${JOIN_PRESENT}
    left join alert_acknowledgements k
      on k.alert_key = a.alert_key and (k.until is null or k.until > ${new Date(nowMs)})
    where m.group_id = ${groupId}
    order by a.alert_key`.execute(tx);
  return rows;
}

interface ChannelRow {
  readonly name: string;
  readonly sendResolved: boolean;
  readonly active: boolean;
}

async function loadChannels(tx: Transaction<Schema>): Promise<Map<string, ChannelRow>> {
  const rows = await tx
    .selectFrom('notification_channels')
    .select(['id', 'name', 'send_resolved', 'active'])
    .orderBy('id')
    .execute();
  return new Map(rows.map((row) => [row.id, { name: row.name, sendResolved: row.send_resolved, active: row.active }]));
}

/**
 * Who is told: the channels that the rule names, unless all of them were deleted; else the policy's. Where none of them
 * is active, the fallback channel is, so that one that was switched off does not leave alerts unheard.
 */
function receiversOf(
  named: readonly string[] | null,
  policy: Pick<Policy, 'channels' | 'fallbackChannel'>,
  channels: ReadonlyMap<string, { readonly active: boolean }>,
): string[] {
  const own = named?.some((id) => channels.has(id)) ? named : (policy.channels ?? [...channels.keys()]);
  const active = own.filter((id) => channels.get(id)?.active);
  if (active.length > 0 || policy.fallbackChannel === null) return active;
  return channels.get(policy.fallbackChannel)?.active ? [policy.fallbackChannel] : [];
}

async function loadLog(tx: Transaction<Schema>, groupId: string): Promise<Map<string, ChannelLog>> {
  const rows = await tx.selectFrom('alert_group_log').selectAll().where('group_id', '=', groupId).execute();
  return new Map(
    rows.map(({ channel_id, firing, resolved, at }) => [channel_id, { firing, resolved, atMs: at.getTime() }]),
  );
}

async function storeGroup(tx: Transaction<Schema>, id: string, state: GroupState, dueMs: number | null): Promise<void> {
  const dateOf = (ms: number | null) => (ms === null ? null : new Date(ms));
  await tx
    .updateTable('alert_groups')
    .set({
      next_flush_at: dateOf(state.nextFlushAtMs),
      has_flushed: state.hasFlushed,
      episode_at: dateOf(state.episodeAtMs),
      level: state.level,
      due_at: dateOf(dueMs),
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .execute();
}

async function storeLog(
  tx: Transaction<Schema>,
  groupId: string,
  before: ReadonlyMap<string, ChannelLog>,
  after: ReadonlyMap<string, ChannelLog>,
): Promise<void> {
  for (const [channelId, entry] of after) {
    if (before.get(channelId) === entry) continue;
    const row = { firing: [...entry.firing], resolved: [...entry.resolved], at: new Date(entry.atMs) };
    await tx
      .insertInto('alert_group_log')
      .values({ group_id: groupId, channel_id: channelId, ...row })
      .onConflict((conflict) => conflict.columns(['group_id', 'channel_id']).doUpdateSet(row))
      .execute();
  }
}

/** The group lets go of alerts that ended. Their rows stay for what they hold back a while longer. */
async function dropEnded(tx: Transaction<Schema>, groupId: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await sql`
    delete from alert_group_members where group_id = ${groupId} and alert_key = any(${keys}::text[])`.execute(tx);
}

function toAlert(row: MemberRow): GroupAlert {
  return {
    fingerprint: row.alert_key,
    labels: row.labels,
    ...presentOf(row),
    startsAtMs: row.starts_at.getTime(),
    endsAtMs: row.ends_at?.getTime() ?? null,
  };
}

function factsOf(row: MemberRow): AlertFacts {
  const { rule_id: ruleId, fingerprint, condition, reason } = row;
  return { ruleId, fingerprint, condition, reason, measure: measureOf(row) };
}
