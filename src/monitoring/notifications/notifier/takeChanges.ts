import { sql } from 'kysely';
import type { Database } from '../../../store/database.ts';
import { type AlertEvidence, type AlertReason, type AlertState, meaningOf } from '../../alerts/types.ts';
import { endingText } from '../ending.ts';
import { loadPolicies } from '../policyQueries.ts';
import type { Labels } from '../types.ts';
import { type AlertEffect, takeAlerts } from './takeAlerts.ts';

const BATCH_ROWS = 500;

interface ChangeRow {
  readonly seq: number;
  readonly rule_id: string;
  readonly fingerprint: string;
  readonly rule_name: string;
  readonly kind: string;
  readonly severity: string;
  readonly from_state: AlertState;
  readonly to_state: AlertState;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly notify: AlertEffect['notify'];
  readonly value: number | null;
  readonly reason: AlertReason;
  readonly evidence: AlertEvidence;
  readonly at: Date;
  readonly op: string | null;
  readonly threshold: string | null;
  readonly metric: string | null;
}

/**
 * Takes the next changes of alerts into their groups. One replica at a time does, and the place up to which changes
 * are known moves in the same transaction, so that each is taken once whatever dies.
 * @returns whether there may be more
 */
export async function takeChanges(database: Database, nowMs: number): Promise<boolean> {
  return await database.transaction(async (tx) => {
    const { rows: places } = await sql<{ seq: number }>`
      select seq from notification_intake for update skip locked`.execute(tx);
    const place = places[0];
    if (place === undefined) return false;
    const { rows } = await sql<ChangeRow>`
      select c.*, r.definition ->> 'op' as op, r.definition ->> 'threshold' as threshold, r.metric
      from alert_changes c left join alert_rules r on r.id = c.rule_id
      where c.seq > ${place.seq}
      order by c.seq
      limit ${BATCH_ROWS}`.execute(tx);
    const last = rows.at(-1);
    if (last === undefined) return false;
    await takeAlerts(tx, rows.flatMap(effectOf), await loadPolicies(tx), nowMs);
    await tx.updateTable('notification_intake').set({ seq: last.seq }).execute();
    return rows.length === BATCH_ROWS;
  });
}

function effectOf(row: ChangeRow): AlertEffect[] {
  const kind = meaningOf({ from: row.from_state, to: row.to_state });
  if (kind === null) return [];
  const { rule_name: alertname, severity } = row;
  const instead = kind === 'ended' ? endingText({ ...row, samples: row.evidence.samples }) : whyUnknown(row);
  const effect: AlertEffect = {
    kind,
    ruleId: row.rule_id,
    fingerprint: row.fingerprint,
    // What the rule is called and how bad it is cannot be hidden by a label of a series.
    labels: { ...row.labels, alertname, severity, kind: row.kind },
    // What the rule says of a value says nothing where there is none.
    annotations: instead === null ? row.annotations : { ...row.annotations, summary: instead },
    notify: row.notify,
    value: row.value,
    condition: row.op === null ? '' : `${row.op} ${row.threshold}`,
    reason: row.reason,
    atMs: row.at.getTime(),
  };
  return [effect];
}

function whyUnknown({ reason, evidence }: ChangeRow): string | null {
  if (reason === 'error')
    return `The rule cannot be evaluated, so nothing is known: ${evidence.error ?? 'no reason given'}`;
  return reason === 'no_data' ? 'Nothing was measured.' : null;
}
