import { type Kysely, sql } from 'kysely';
import { isVisible, type VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Schema } from '../../store/schema.ts';
import { type AlertRow, toInstance } from './alertQueries.ts';
import { renderAnnotations } from './annotations.ts';
import { type RuleRow, toStoredRule } from './ruleQueries.ts';
import type { AlertInstance, AlertKind, AlertState, Severity } from './types.ts';

/** An alert as it is shown, with what its rule says of it. */
export interface ListedAlert extends Omit<AlertInstance, 'labels'> {
  readonly ruleName: string;
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly metric: string;
  /** Of the series and the rule together. */
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
  const { rows } = await sql<AlertRow & { rule: Omit<RuleRow, 'created_at' | 'updated_at' | 'deleted_at'> }>`
    select a.*, to_jsonb(r) as rule
    from alert_instances a join alert_rules r on r.id = a.rule_id
    where ${sql.join(conditions, sql` and `)}
    order by a.changed_at desc, a.rule_id desc, a.fingerprint desc
    limit ${limit}`.execute(db);
  return rows.map((row) => toListed(row, row.rule as RuleRow));
}

function toListed(row: AlertRow, ruleRow: RuleRow): ListedAlert {
  const rule = toStoredRule(ruleRow);
  const instance = toInstance(row);
  return {
    ...instance,
    ruleName: rule.name,
    kind: rule.kind,
    severity: rule.severity,
    metric: rule.metric,
    labels: { ...instance.labels, ...rule.labels },
    annotations: renderAnnotations(rule, instance),
    changedAt: row.changed_at.getTime(),
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
