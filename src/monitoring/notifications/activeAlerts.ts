import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isVisible, type VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Schema } from '../../store/schema.ts';
import {
  ACKNOWLEDGEMENT_COLUMNS,
  type AcknowledgementRow,
  type AlertFlags,
  flagsOf,
  joinAcknowledgement,
} from './alertFlags.ts';
import { loadMuter } from './muteQueries.ts';
import { JOIN_PRESENT, PRESENT_COLUMNS, type PresentRow, presentOf } from './presentAlerts.ts';
import type { Labels } from './types.ts';

/** An alert that is active, with whether it is told of. Times are ISO 8601. */
export interface ActiveAlert extends AlertFlags {
  /** Names it in lists: rule and fingerprint. */
  readonly key: string;
  readonly ruleId: string;
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly value: number | null;
  readonly condition: string;
  readonly startsAt: string;
}

interface Row extends PresentRow, AcknowledgementRow {}

/** Whether somebody may see the alert `a`: those of integrations only where they may see the integration. */
export function mayBeSeen(visible: VisibleIntegrations = { kind: 'all' }): RawBuilder<boolean> {
  if (visible.kind === 'all') return sql<boolean>`true`;
  return sql<boolean>`(coalesce(a.labels ->> 'integrationId', '') = '' or exists (
    select from integrations i where i.id = a.labels ->> 'integrationId' and ${isVisible(visible)}))`;
}

/** In the order of their keys, after `after`. */
export async function listActiveAlerts(
  db: Kysely<Schema>,
  options: { nowMs: number; limit: number; after?: string; visible?: VisibleIntegrations },
): Promise<ActiveAlert[]> {
  const { rows } = await sql<Row>`
    select ${PRESENT_COLUMNS}, ${ACKNOWLEDGEMENT_COLUMNS}
    from notified_alerts a
    ${JOIN_PRESENT}
    ${joinAcknowledgement(sql`a.alert_key`, options.nowMs)}
    where a.ends_at is null and a.alert_key > ${options.after ?? ''} and ${mayBeSeen(options.visible)}
    order by a.alert_key
    limit ${options.limit}`.execute(db);
  const muter = await loadMuter(db, options.nowMs);
  return rows.map((row) => ({
    key: row.alert_key,
    ruleId: row.rule_id,
    fingerprint: row.fingerprint,
    labels: row.labels,
    ...presentOf(row),
    condition: row.condition,
    startsAt: row.starts_at.toISOString(),
    ...flagsOf(muter, row.labels, row),
  }));
}
