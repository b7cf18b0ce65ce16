import { sql } from 'kysely';
import { renderAnnotations } from '../alerts/annotations.ts';
import type { AlertReason } from '../alerts/types.ts';
import type { Measure } from './measured.ts';
import type { Labels } from './types.ts';

/** Columns of `PRESENT_COLUMNS`: an alert as it was taken, with its latest value and its rule. */
export interface PresentRow {
  readonly alert_key: string;
  readonly rule_id: string;
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly condition: string;
  readonly reason: AlertReason;
  readonly starts_at: Date;
  readonly ends_at: Date | null;
  readonly value: number | null;
  /** While it is active and measured: as the evaluator stored it last. */
  readonly live_value: number | null;
  /** Null for alerts that no rule makes. */
  readonly rule: (Measure & { readonly annotations: Labels }) | null;
}

/** Of `notified_alerts a`, with `JOIN_PRESENT`. */
export const PRESENT_COLUMNS = sql`
  a.alert_key, a.rule_id, a.fingerprint, a.labels, a.annotations, a.condition, a.reason, a.starts_at, a.ends_at, a.value,
  case when a.ends_at is null and a.reason = 'value' then i.value end as live_value,
  case when r.id is not null then r.definition || jsonb_build_object('metric', r.metric) end as rule`;

export const JOIN_PRESENT = sql`
  left join alert_instances i on i.rule_id = a.rule_id and i.fingerprint = a.fingerprint
  left join alert_rules r on r.id = a.rule_id`;

/** The value of now, and texts that speak of the same value. */
export function presentOf({ labels, annotations, value, live_value, rule }: PresentRow): {
  value: number | null;
  annotations: Labels;
} {
  if (live_value === null || rule === null) return { value, annotations };
  const instance = { labels, value: live_value };
  return { value: live_value, annotations: renderAnnotations({ ...rule, labels: {} }, instance) };
}

/** What its rule measures; null where that is not what the alert was made by, or there is no rule. */
export function measureOf({ rule, reason }: PresentRow): Measure | null {
  return reason === 'rule_changed' ? null : rule;
}
