import { type Kysely, sql } from 'kysely';
import { isVisible, type VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Schema } from '../../store/schema.ts';
import {
  ACKNOWLEDGEMENT_COLUMNS,
  type AcknowledgementRow,
  type AlertFlags,
  flagsOf,
  joinAcknowledgement,
} from '../notifications/alertFlags.ts';
import { loadMuter } from '../notifications/muteQueries.ts';
import type { Muter } from '../notifications/muting.ts';
import { type AlertRow, toInstance } from './alertQueries.ts';
import { renderAnnotations } from './annotations.ts';
import { type RuleRow, toStoredRule } from './ruleQueries.ts';
import type { AlertInstance, AlertKind, AlertState, Severity } from './types.ts';

/** An alert as it is shown, with what its rule says of it and what keeps it from being told of. */
export interface ListedAlert extends Omit<AlertInstance, 'labels'>, AlertFlags {
  readonly ruleName: string;
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly metric: string;
  /** Of the series and the rule together, with the platform of its integration. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly changedAt: number;
}

export interface AlertFilter {
  /** Default: every one but normal. */
  readonly state?: AlertState;
  readonly severity?: Severity;
  readonly kind?: AlertKind;
  readonly integrationId?: string;
  readonly ruleId?: string;
}

/** Where a page ends. */
export interface AlertPosition {
  readonly changedAt: number;
  readonly ruleId: string;
  readonly fingerprint: string;
}

/** Those that changed last come first; of integrations only those that may be seen. */
export async function listAlerts(
  db: Kysely<Schema>,
  filter: AlertFilter,
  visible: VisibleIntegrations,
  before: AlertPosition | null,
  limit: number,
  nowMs: number,
): Promise<ListedAlert[]> {
  const conditions = [
    filter.state === undefined ? sql`a.state <> 'normal'` : sql`a.state = ${filter.state}`,
    ...(filter.severity === undefined ? [] : [sql`r.severity = ${filter.severity}`]),
    ...(filter.kind === undefined ? [] : [sql`r.kind = ${filter.kind}`]),
    ...(filter.integrationId === undefined ? [] : [sql`a.integration_id = ${filter.integrationId}`]),
    ...(filter.ruleId === undefined ? [] : [sql`a.rule_id = ${filter.ruleId}`]),
    ...(visible.kind === 'all'
      ? []
      : [
          sql`(coalesce(a.integration_id, '') = '' or exists (
            select from integrations i where i.id = a.integration_id and ${isVisible(visible)}))`,
        ]),
    ...(before === null
      ? []
      : [
          sql`(a.changed_at, a.rule_id, a.fingerprint)
            < (${new Date(before.changedAt)}, ${before.ruleId}, ${before.fingerprint})`,
        ]),
  ];
  const { rows } = await sql<Row>`
    select a.*, to_jsonb(r) as rule, n.labels as told_labels, ${ACKNOWLEDGEMENT_COLUMNS},
           (select i.platform from integrations i where i.id = a.integration_id) as platform
    from alert_instances a
    join alert_rules r on r.id = a.rule_id
    left join notified_alerts n on n.alert_key = a.rule_id || '/' || a.fingerprint and n.ends_at is null
    ${joinAcknowledgement(sql`n.alert_key`, nowMs)}
    where ${sql.join(conditions, sql` and `)}
    order by a.changed_at desc, a.rule_id desc, a.fingerprint desc
    limit ${limit}`.execute(db);
  const muter = await loadMuter(db, nowMs);
  return rows.map((row) => toListed(row, muter));
}

interface Row extends AlertRow, AcknowledgementRow {
  readonly rule: RuleRow;
  readonly platform: string | null;
  /** Under which it is told of; null when it is not. */
  readonly told_labels: Record<string, string> | null;
}

function toListed(row: Row, muter: Muter): ListedAlert {
  const rule = toStoredRule(row.rule);
  const instance = toInstance(row);
  const platform: Record<string, string> = row.platform === null ? {} : { platform: row.platform };
  const labels = { ...platform, ...instance.labels, ...rule.labels };
  // What is pending shows what would keep it unheard.
  const told = row.told_labels ?? { ...labels, alertname: rule.name, severity: rule.severity, kind: rule.kind };
  return {
    ...instance,
    ruleName: rule.name,
    kind: rule.kind,
    severity: rule.severity,
    metric: rule.metric,
    labels,
    annotations: renderAnnotations(rule, instance),
    changedAt: row.changed_at.getTime(),
    ...flagsOf(muter, instance.state === 'normal' ? null : told, row),
  };
}

/** Which of these integrations somebody may see. */
export async function visibleAmong(
  db: Kysely<Schema>,
  ids: readonly string[],
  visible: VisibleIntegrations,
): Promise<ReadonlySet<string>> {
  if (visible.kind === 'all') return new Set(ids);
  const { rows } = await sql<{ id: string }>`
    select i.id from integrations i where i.id = any(${[...ids]}::text[]) and ${isVisible(visible)}`.execute(db);
  return new Set(rows.map(({ id }) => id));
}
