import { sql, type Transaction } from 'kysely';
import type { Schema } from '../../../store/schema.ts';
import type { AlertReason } from '../../alerts/types.ts';
import { clockAfter, dueAtMs, type GroupClock } from '../groupMachine.ts';
import { type Policy, type Route, routesOf } from '../routing.ts';
import type { Labels } from '../types.ts';

/** What became of an alert. */
export interface AlertEffect {
  readonly kind: 'began' | 'changed' | 'ended';
  readonly ruleId: string;
  /** Within the rule. */
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly notify: { readonly policyId: string | null; readonly channelIds: readonly string[] };
  readonly value: number | null;
  readonly condition: string;
  readonly reason: AlertReason;
  readonly atMs: number;
}

/** Names an alert over all rules. */
export function alertKeyOf({ ruleId, fingerprint }: { ruleId: string; fingerprint: string }): string {
  return `${ruleId}/${fingerprint}`;
}

interface StoredAlert {
  readonly alert_key: string;
  readonly rule_id: string;
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly notify: AlertEffect['notify'];
  readonly value: number | null;
  readonly condition: string;
  readonly reason: AlertReason;
  readonly starts_at: Date;
  readonly ends_at: Date | null;
}

interface StoredGroup extends GroupClock {
  readonly id: string;
  readonly policy: Policy;
  readonly level: number;
  readonly episodeAtMs: number | null;
}

/** Takes what became of alerts into the groups they belong to, in the order given. */
export async function takeAlerts(
  tx: Transaction<Schema>,
  effects: readonly AlertEffect[],
  policies: readonly Policy[],
  nowMs: number,
): Promise<void> {
  if (effects.length === 0) return;
  const keys = [...new Set(effects.map(alertKeyOf))];
  const routes = new Map<string, Route[]>();
  for (const effect of effects)
    if (effect.kind === 'began') routes.set(alertKeyOf(effect), routesOf(effect.labels, effect.notify, policies));
  await insertGroups(tx, [...routes.values()].flat());
  const groups = await lockGroups(tx, keys, [...routes.values()].flat(), policies);
  // Read behind the groups' locks: a flush takes members out only while it has them.
  const alerts = await loadAlerts(tx, keys);
  const members = await loadMembers(tx, keys);

  const putInto = (groupId: string, alert: StoredAlert): void => {
    const group = groups.get(groupId);
    if (group === undefined) return;
    groups.set(groupId, { ...group, ...clockAfter(group, alert.starts_at.getTime(), group.policy, nowMs) });
  };
  for (const effect of effects) {
    const key = alertKeyOf(effect);
    const known = alerts.get(key);
    const running = known !== undefined && known.ends_at === null;
    if (effect.kind === 'began' && !running) {
      const alert = storedAlert(effect, new Date(effect.atMs), null);
      alerts.set(key, alert);
      const own = members.get(key) ?? new Set();
      for (const { groupId } of routes.get(key) ?? []) own.add(groupId);
      members.set(key, own);
      for (const groupId of own) putInto(groupId, alert);
    } else if (running) {
      const endsAt = effect.kind === 'ended' ? new Date(effect.atMs) : null;
      const alert = storedAlert(effect, known.starts_at, endsAt);
      alerts.set(key, alert);
      if (endsAt !== null) for (const groupId of members.get(key) ?? []) putInto(groupId, alert);
    }
  }
  await writeAlerts(tx, [...alerts.values()]);
  await writeMembers(tx, members);
  await writeClocks(tx, [...groups.values()], nowMs);
  await sql`
    delete from alert_acknowledgements
    where alert_key = any(${keys}::text[])
      and alert_key in (select alert_key from notified_alerts where ends_at is not null)`.execute(tx);
}

/** Sorts every active alert anew, after policies have changed. What channels were told stays known. */
export async function rerouteAlerts(
  tx: Transaction<Schema>,
  policies: readonly Policy[],
  nowMs: number,
): Promise<void> {
  const { rows } =
    await sql<StoredAlert>`select * from notified_alerts where ends_at is null order by alert_key`.execute(tx);
  const routes = new Map(rows.map((row) => [row.alert_key, routesOf(row.labels, row.notify, policies)]));
  await insertGroups(tx, [...routes.values()].flat());
  const keys = rows.map((row) => row.alert_key);
  const groups = await lockGroups(tx, keys, [...routes.values()].flat(), policies);
  const members = await loadMembers(tx, keys);
  const wanted = new Map<string, Set<string>>();
  for (const row of rows) {
    const ids = new Set(routes.get(row.alert_key)!.map(({ groupId }) => groupId));
    wanted.set(row.alert_key, ids);
    for (const id of ids) {
      const group = groups.get(id);
      if (group === undefined || members.get(row.alert_key)?.has(id)) continue;
      groups.set(id, { ...group, ...clockAfter(group, row.starts_at.getTime(), group.policy, nowMs) });
    }
  }
  const pairs = [...wanted].flatMap(([key, ids]) => [...ids].map((id) => ({ key, id })));
  await sql`
    delete from alert_group_members m
    where m.alert_key = any(${keys}::text[]) and not exists (
      select from unnest(${pairs.map(({ key }) => key)}::text[], ${pairs.map(({ id }) => id)}::text[]) as wanted (k, g)
      where wanted.k = m.alert_key and wanted.g = m.group_id
    )`.execute(tx);
  await writeMembers(tx, wanted);
  await writeClocks(tx, [...groups.values()], nowMs);
}

function storedAlert(effect: AlertEffect, startsAt: Date, endsAt: Date | null): StoredAlert {
  return {
    alert_key: alertKeyOf(effect),
    rule_id: effect.ruleId,
    fingerprint: effect.fingerprint,
    labels: effect.labels,
    annotations: effect.annotations,
    notify: effect.notify,
    value: effect.value,
    condition: effect.condition,
    reason: effect.reason,
    starts_at: startsAt,
    ends_at: endsAt,
  };
}

async function insertGroups(tx: Transaction<Schema>, routes: readonly Route[]): Promise<void> {
  const byId = new Map(routes.map((route) => [route.groupId, route]));
  // In one order everywhere, so that no two transactions wait for each other.
  const rows = [...byId.values()]
    .sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
    .map(({ groupId, policyId, groupLabels, channels }) => ({ id: groupId, policyId, labels: groupLabels, channels }));
  await sql`
    insert into alert_groups (id, policy_id, labels, channels)
    select g.id, g."policyId", g.labels, g.channels
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as g (id text, "policyId" text, labels jsonb, channels text[])
    on conflict (id) do nothing`.execute(tx);
}

async function lockGroups(
  tx: Transaction<Schema>,
  keys: readonly string[],
  routes: readonly Route[],
  policies: readonly Policy[],
): Promise<Map<string, StoredGroup>> {
  const { rows } = await sql<{
    id: string;
    policy_id: string;
    next_flush_at: Date | null;
    has_flushed: boolean;
    level: number;
    episode_at: Date | null;
  }>`
    select id, policy_id, next_flush_at, has_flushed, level, episode_at from alert_groups
    where id = any(${routes.map(({ groupId }) => groupId)}::text[])
       or id in (select group_id from alert_group_members where alert_key = any(${keys}::text[]))
    order by id
    for update`.execute(tx);
  const policyOf = new Map(policies.map((policy) => [policy.id, policy]));
  return new Map(
    rows.flatMap((row) => {
      const policy = policyOf.get(row.policy_id);
      if (policy === undefined) return [];
      const group: StoredGroup = {
        id: row.id,
        policy,
        nextFlushAtMs: row.next_flush_at?.getTime() ?? null,
        hasFlushed: row.has_flushed,
        level: row.level,
        episodeAtMs: row.episode_at?.getTime() ?? null,
      };
      return [[row.id, group] as const];
    }),
  );
}

async function loadAlerts(tx: Transaction<Schema>, keys: readonly string[]): Promise<Map<string, StoredAlert>> {
  const { rows } = await sql<StoredAlert>`select * from notified_alerts where alert_key = any(${keys}::text[])`.execute(
    tx,
  );
  return new Map(rows.map((row) => [row.alert_key, row]));
}

async function loadMembers(tx: Transaction<Schema>, keys: readonly string[]): Promise<Map<string, Set<string>>> {
  const { rows } = await sql<{ group_id: string; alert_key: string }>`
    select group_id, alert_key from alert_group_members where alert_key = any(${keys}::text[])`.execute(tx);
  const members = new Map<string, Set<string>>();
  for (const { group_id, alert_key } of rows)
    members.set(alert_key, (members.get(alert_key) ?? new Set()).add(group_id));
  return members;
}

async function writeAlerts(tx: Transaction<Schema>, alerts: readonly StoredAlert[]): Promise<void> {
  await sql`
    insert into notified_alerts
    select * from jsonb_populate_recordset(null::notified_alerts, ${JSON.stringify(alerts)}::jsonb)
    on conflict (alert_key) do update
    set labels = excluded.labels, annotations = excluded.annotations, notify = excluded.notify,
        value = excluded.value, condition = excluded.condition, reason = excluded.reason,
        starts_at = excluded.starts_at, ends_at = excluded.ends_at`.execute(tx);
}

async function writeMembers(tx: Transaction<Schema>, members: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
  const pairs = [...members].flatMap(([key, ids]) => [...ids].map((id) => ({ key, id })));
  await sql`
    insert into alert_group_members (group_id, alert_key)
    select * from unnest(${pairs.map(({ id }) => id)}::text[], ${pairs.map(({ key }) => key)}::text[])
    on conflict do nothing`.execute(tx);
}

async function writeClocks(tx: Transaction<Schema>, groups: readonly StoredGroup[], nowMs: number): Promise<void> {
  const rows = groups.map((group) => ({
    id: group.id,
    next: dateOf(group.nextFlushAtMs),
    flushed: group.hasFlushed,
    due: dateOf(dueAtMs(group, group.policy.steps, nowMs)),
  }));
  await sql`
    update alert_groups g
    set next_flush_at = t.next, has_flushed = t.flushed, due_at = t.due, updated_at = ${new Date(nowMs)}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as t (id text, next timestamptz, flushed boolean, due timestamptz)
    where g.id = t.id`.execute(tx);
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
