import { type Kysely, sql } from 'kysely';
import { isVisible, type VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Schema } from '../../store/schema.ts';
import type { AlertChange, AlertKind, AlertReason, AlertState, Severity } from './types.ts';

/** Everything given has to hold. */
export interface AlertHistoryFilter {
  readonly ruleId?: string;
  /** Of one alert, together with `ruleId`. */
  readonly fingerprint?: string;
  readonly integrationId?: string;
  readonly kind?: AlertKind;
  readonly severity?: Severity;
  /** Which the alert came to. */
  readonly state?: AlertState;
  /** Not before this time. */
  readonly since?: Date;
  /** Before this time. */
  readonly until?: Date;
}

/** A change of an alert as it was told at the time, whatever became of its rule. */
export interface PastChange extends Omit<AlertChange, 'notify' | 'evidence'> {
  readonly integrationId: string | null;
}

/** Where a page ends. */
export interface ChangePosition {
  readonly atMs: number;
  readonly seq: number;
}

/** Newest first; of integrations only what may be seen. Changes are kept for 30 days. */
export async function listAlertHistory(
  db: Kysely<Schema>,
  filter: AlertHistoryFilter,
  visible: VisibleIntegrations,
  before: ChangePosition | null,
  limit: number,
): Promise<PastChange[]> {
  const { ruleId, fingerprint, integrationId, kind, severity, state, since, until } = filter;
  const conditions = [
    ...(ruleId === undefined ? [] : [sql`c.rule_id = ${ruleId}`]),
    ...(fingerprint === undefined ? [] : [sql`c.fingerprint = ${fingerprint}`]),
    ...(integrationId === undefined ? [] : [sql`c.integration_id = ${integrationId}`]),
    ...(kind === undefined ? [] : [sql`c.kind = ${kind}`]),
    ...(severity === undefined ? [] : [sql`c.severity = ${severity}`]),
    ...(state === undefined ? [] : [sql`c.to_state = ${state}`]),
    ...(since === undefined ? [] : [sql`c.at >= ${since}`]),
    ...(until === undefined ? [] : [sql`c.at < ${until}`]),
    ...(visible.kind === 'all'
      ? []
      : [
          sql`(coalesce(c.integration_id, '') = '' or exists (
            select from integrations i where i.id = c.integration_id and ${isVisible(visible)}))`,
        ]),
    ...(before === null ? [] : [sql`(c.at, c.seq) < (${new Date(before.atMs)}, ${before.seq})`]),
  ];
  const { rows } = await sql<Row>`
    select c.* from alert_changes c
    ${conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`}
    order by c.at desc, c.seq desc
    limit ${limit}`.execute(db);
  return rows.map((row) => ({
    seq: row.seq,
    ruleId: row.rule_id,
    fingerprint: row.fingerprint,
    ruleName: row.rule_name,
    kind: row.kind,
    severity: row.severity,
    from: row.from_state,
    to: row.to_state,
    reason: row.reason,
    labels: row.labels,
    annotations: row.annotations,
    integrationId: row.integration_id,
    value: row.value,
    at: row.at.getTime(),
  }));
}

interface Row {
  readonly seq: number;
  readonly rule_id: string;
  readonly fingerprint: string;
  readonly rule_name: string;
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly from_state: AlertState;
  readonly to_state: AlertState;
  readonly reason: AlertReason;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly integration_id: string | null;
  readonly value: number | null;
  readonly at: Date;
}
