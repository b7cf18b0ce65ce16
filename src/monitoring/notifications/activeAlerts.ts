import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isVisible, type VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Schema } from '../../store/schema.ts';
import { loadMuter } from './muteQueries.ts';
import type { Mute } from './muting.ts';
import type { Labels } from './types.ts';

/** What keeps an alert from being told of, or from being told again. None of it stops its evaluation. */
interface AlertFlags {
  /** Ids of the silences that match. */
  readonly silencedBy: readonly string[];
  /** The inhibition rule that holds it back. */
  readonly inhibitedBy: string | null;
  /** Ids of the maintenance windows that are open for it. */
  readonly maintenance: readonly string[];
  readonly acknowledgement: {
    readonly author: string;
    readonly comment: string;
    readonly at: string;
    readonly until: string | null;
  } | null;
}

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

interface Row {
  readonly alert_key: string;
  readonly rule_id: string;
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly value: number | null;
  readonly condition: string;
  readonly starts_at: Date;
  readonly author: string | null;
  readonly comment: string | null;
  readonly acknowledged_at: Date | null;
  readonly until: Date | null;
}

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
  const now = new Date(options.nowMs);
  const { rows } = await sql<Row>`
    select a.alert_key, a.rule_id, a.fingerprint, a.labels, a.annotations, a.condition, a.starts_at,
           coalesce(i.value, a.value) as value, k.author, k.comment, k.acknowledged_at, k.until
    from notified_alerts a
    left join alert_instances i on i.rule_id = a.rule_id and i.fingerprint = a.fingerprint
    left join alert_acknowledgements k on k.alert_key = a.alert_key and (k.until is null or k.until > ${now})
    where a.ends_at is null and a.alert_key > ${options.after ?? ''} and ${mayBeSeen(options.visible)}
    order by a.alert_key
    limit ${options.limit}`.execute(db);
  const muter = await loadMuter(db, options.nowMs);
  return rows.map((row) => ({
    key: row.alert_key,
    ruleId: row.rule_id,
    fingerprint: row.fingerprint,
    labels: row.labels,
    annotations: row.annotations,
    value: row.value,
    condition: row.condition,
    startsAt: row.starts_at.toISOString(),
    ...flagsOf(muter.mutesOf(row.labels)),
    acknowledgement:
      row.acknowledged_at === null
        ? null
        : {
            author: row.author!,
            comment: row.comment!,
            at: row.acknowledged_at.toISOString(),
            until: row.until?.toISOString() ?? null,
          },
  }));
}

function flagsOf(mutes: readonly Mute[]): Omit<AlertFlags, 'acknowledgement'> {
  const by = (reason: Mute['reason']) => mutes.filter((mute) => mute.reason === reason).map((mute) => mute.by);
  return { silencedBy: by('silenced'), inhibitedBy: by('inhibited')[0] ?? null, maintenance: by('maintenance') };
}
