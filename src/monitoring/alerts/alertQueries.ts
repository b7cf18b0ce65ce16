import { type Kysely, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { renderAnnotations } from './annotations.ts';
import type { StagedAlert } from './evaluateRule.ts';
import { raiseCounter } from './ruleQueries.ts';
import type { AlertEvidence, AlertInstance, AlertReason, AlertState } from './types.ts';

/** Rows written by one statement. */
const BATCH_ROWS = 2_000;

export interface AlertRow {
  rule_id: string;
  fingerprint: string;
  query_version: number;
  labels: Record<string, string>;
  integration_id: string | null;
  state: AlertState;
  reason: AlertReason;
  value: number | null;
  active_since: Date | null;
  fired_at: Date | null;
  recovered_since: Date | null;
  resolved_at: Date | null;
  changed_at: Date;
  evaluated_at: Date;
  evidence: AlertEvidence;
}

export function toInstance(row: AlertRow): AlertInstance {
  return {
    ruleId: row.rule_id,
    fingerprint: row.fingerprint,
    labels: row.labels,
    state: row.state,
    reason: row.reason,
    value: row.value,
    activeSince: row.active_since?.getTime() ?? null,
    firedAt: row.fired_at?.getTime() ?? null,
    recoveredSince: row.recovered_since?.getTime() ?? null,
    resolvedAt: row.resolved_at?.getTime() ?? null,
    lastEvaluatedAt: row.evaluated_at.getTime(),
    evidence: row.evidence,
  };
}

/** The alerts of these shards that the next evaluation has to know. */
export async function readTracked(db: Kysely<Schema>, shards: readonly number[]): Promise<AlertRow[]> {
  const { rows } = await sql<AlertRow>`
    select i.* from alert_rules r join alert_instances i on i.rule_id = r.id
    where r.shard = any(${[...shards]}::smallint[])
      and (i.state <> 'normal' or r.definition ->> 'noData' in ('no_data', 'alerting'))`.execute(db);
  return rows;
}

/** Stores alerts as they are now, and forgets those that nothing has to be known of. */
export async function storeAlerts(tx: Transaction<Schema>, staged: readonly StagedAlert[]): Promise<void> {
  // What was only pending leaves no trace but its changes.
  const isForgotten = ({ instance, tracked }: StagedAlert) => !tracked && instance.resolvedAt === null;
  const forgotten = staged.filter(isForgotten);
  for (const batch of batches(forgotten))
    await sql`
      delete from alert_instances i
      using unnest(${batch.map(({ instance }) => instance.ruleId)}::text[],
                   ${batch.map(({ instance }) => instance.fingerprint)}::text[]) as gone (rule_id, fingerprint)
      where i.rule_id = gone.rule_id and i.fingerprint = gone.fingerprint`.execute(tx);
  for (const batch of batches(staged.filter((one) => !isForgotten(one)))) {
    const column = <T>(of: (instance: AlertInstance) => T) => batch.map(({ instance }) => of(instance));
    await sql`
      insert into alert_instances as a (rule_id, fingerprint, query_version, labels, integration_id, state, reason,
        value, active_since, fired_at, recovered_since, resolved_at, changed_at, evaluated_at, evidence)
      select rule_id, fingerprint, query_version, labels, labels ->> 'integrationId', state, reason,
        value, active_since, fired_at, recovered_since, resolved_at, evaluated_at, evaluated_at, evidence
      from unnest(
        ${column((one) => one.ruleId)}::text[],
        ${column((one) => one.fingerprint)}::text[],
        ${batch.map(({ compiled }) => compiled.queryVersion)}::integer[],
        ${column((one) => JSON.stringify(one.labels))}::jsonb[],
        ${column((one) => one.state)}::text[],
        ${column((one) => one.reason)}::text[],
        ${column((one) => one.value)}::double precision[],
        ${column((one) => toDate(one.activeSince))}::timestamptz[],
        ${column((one) => toDate(one.firedAt))}::timestamptz[],
        ${column((one) => toDate(one.recoveredSince))}::timestamptz[],
        ${column((one) => toDate(one.resolvedAt))}::timestamptz[],
        ${column((one) => toDate(one.lastEvaluatedAt))}::timestamptz[],
        ${column((one) => JSON.stringify(one.evidence))}::jsonb[]
      ) as new (rule_id, fingerprint, query_version, labels, state, reason, value, active_since, fired_at,
                recovered_since, resolved_at, evaluated_at, evidence)
      -- A rule may have been erased meanwhile.
      where exists (select from alert_rules r where r.id = new.rule_id)
      on conflict (rule_id, fingerprint) do update
      set query_version = excluded.query_version,
          state = excluded.state,
          reason = excluded.reason,
          value = excluded.value,
          active_since = excluded.active_since,
          fired_at = excluded.fired_at,
          recovered_since = excluded.recovered_since,
          resolved_at = excluded.resolved_at,
          changed_at = case when a.state = excluded.state then a.changed_at else excluded.changed_at end,
          evaluated_at = excluded.evaluated_at,
          evidence = excluded.evidence`.execute(tx);
  }
}

/** Writes what happened, numbered in the order of commits: nobody else can number until this transaction has ended. */
export async function recordChanges(tx: Transaction<Schema>, staged: readonly StagedAlert[]): Promise<void> {
  const changed = staged.filter(({ transition }) => transition !== null);
  if (changed.length === 0) return;
  let seq = (await raiseCounter(tx, 'changes', changed.length)) - changed.length;
  for (const batch of batches(changed)) {
    const column = <T>(of: (one: StagedAlert) => T) => batch.map(of);
    await sql`
      insert into alert_changes (seq, rule_id, fingerprint, rule_name, kind, severity, from_state, to_state, reason,
        labels, annotations, notify, integration_id, value, evidence, at)
      select ${seq}::bigint + number, rule_id, fingerprint, rule_name, kind, severity, from_state, to_state, reason,
        -- Silences, policies and inhibitions speak of platforms, whatever rules group by.
        case when i.id is null then labels else jsonb_build_object('platform', i.platform) || labels end,
        annotations, notify, integration_id, value, evidence, at
      from unnest(
        ${column(({ instance }) => instance.ruleId)}::text[],
        ${column(({ instance }) => instance.fingerprint)}::text[],
        ${column(({ compiled }) => compiled.rule.name)}::text[],
        ${column(({ compiled }) => compiled.rule.kind)}::text[],
        ${column(({ compiled }) => compiled.rule.severity)}::text[],
        ${column(({ transition }) => transition!.from)}::text[],
        ${column(({ transition }) => transition!.to)}::text[],
        ${column(({ instance }) => instance.reason)}::text[],
        ${column(({ compiled, instance }) => JSON.stringify({ ...instance.labels, ...compiled.rule.labels }))}::jsonb[],
        ${column(({ compiled, instance }) => JSON.stringify(renderAnnotations(compiled.rule, instance)))}::jsonb[],
        ${column(({ compiled }) => JSON.stringify(compiled.rule.notify))}::jsonb[],
        ${column(({ instance }) => instance.labels.integrationId ?? null)}::text[],
        ${column(({ instance }) => instance.value)}::double precision[],
        ${column(({ instance }) => JSON.stringify(instance.evidence))}::jsonb[],
        ${column(({ instance }) => toDate(instance.lastEvaluatedAt))}::timestamptz[]
      ) with ordinality as new (rule_id, fingerprint, rule_name, kind, severity, from_state, to_state, reason,
        labels, annotations, notify, integration_id, value, evidence, at, number)
      left join integrations i on i.id = new.integration_id`.execute(tx);
    seq += batch.length;
  }
}

/** Why rules could not be evaluated as they say; null: they can again. */
export async function storeFailures(
  tx: Transaction<Schema>,
  failures: ReadonlyMap<string, string | null>,
): Promise<void> {
  const all = [...failures];
  const over = all.filter(([, error]) => error === null).map(([id]) => id);
  if (over.length > 0) await sql`delete from alert_rule_failures where rule_id = any(${over}::text[])`.execute(tx);
  const failing = all.filter(([, error]) => error !== null);
  if (failing.length === 0) return;
  await sql`
    insert into alert_rule_failures (rule_id, error, since)
    select rule_id, error, now()
    from unnest(${failing.map(([id]) => id)}::text[], ${failing.map(([, error]) => error)}::text[]) as new (rule_id, error)
    where exists (select from alert_rules r where r.id = new.rule_id)
    on conflict (rule_id) do update set error = excluded.error`.execute(tx);
}

export async function readFailures(db: Kysely<Schema>, shards: readonly number[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ rule_id: string; error: string }>`
    select f.rule_id, f.error from alert_rule_failures f join alert_rules r on r.id = f.rule_id
    where r.shard = any(${[...shards]}::smallint[])`.execute(db);
  return new Map(rows.map(({ rule_id, error }) => [rule_id, error]));
}

function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

function* batches<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += BATCH_ROWS) yield rows.slice(from, from + BATCH_ROWS);
}
