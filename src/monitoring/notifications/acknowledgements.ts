import { type Kysely, sql, type Transaction } from 'kysely';
import { z } from 'zod';
import type { AuditTrail } from '../../audit/types.ts';
import type { Clock } from '../../core/clock.ts';
import { newId } from '../../core/ids.ts';
import { invalidInput, parseInput } from '../../core/input.ts';
import type { VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Database } from '../../store/database.ts';
import type { Schema } from '../../store/schema.ts';
import { mayBeSeen } from './activeAlerts.ts';
import { author, changeOf, toJson } from './auditing.ts';
import { AlertNotActiveError } from './errors.ts';
import { type AlertFacts, makeMessage } from './message.ts';
import { integrationsOf } from './namedIntegrations.ts';
import { alertKeyOf } from './notifier/takeAlerts.ts';
import { JOIN_PRESENT, measureOf, PRESENT_COLUMNS, type PresentRow, presentOf } from './presentAlerts.ts';
import { commentText } from './silenceService.ts';
import type { Labels } from './types.ts';

const MAX_ALERTS = 100;
const MAX_UNTIL_MS = 30 * 24 * 3_600_000;

const alertName = z.strictObject({ ruleId: z.string().min(1).max(100), fingerprint: z.string().min(1).max(100) });

const alertNames = z.array(alertName).min(1).max(MAX_ALERTS);

export const acknowledgeSchema = z.strictObject({
  alerts: alertNames,
  comment: commentText.describe('What is being done.'),
  until: z.iso.datetime({ offset: true }).optional().describe('Default: until they are resolved.'),
});
export type AcknowledgeInput = z.input<typeof acknowledgeSchema>;

export const unacknowledgeSchema = z.strictObject({ alerts: alertNames });
export type UnacknowledgeInput = z.input<typeof unacknowledgeSchema>;

/**
 * Somebody takes care of alerts: escalation and repeats stop, until the alert is resolved or the time is over. Other
 * notifications of the group, and the end, are told all the same.
 */
export class Acknowledgements {
  readonly #database: Database;
  readonly #audit: AuditTrail;
  readonly #clock: Clock;
  readonly #publicUrl: string;
  readonly #wake: () => void;

  constructor(options: { database: Database; audit: AuditTrail; clock: Clock; publicUrl: string; wake: () => void }) {
    this.#database = options.database;
    this.#audit = options.audit;
    this.#clock = options.clock;
    this.#publicUrl = options.publicUrl;
    this.#wake = options.wake;
  }

  /** All of them or none; of integrations that `visible` leaves out none. @throws InvalidInputError, AlertNotActiveError */
  async acknowledge(input: AcknowledgeInput, visible?: VisibleIntegrations): Promise<void> {
    const { alerts, comment, until } = parseInput(acknowledgeSchema, input, 'The acknowledgement');
    const nowMs = this.#clock.now();
    const untilMs = until === undefined ? null : Date.parse(until);
    if (untilMs !== null && (untilMs <= nowMs || untilMs > nowMs + MAX_UNTIL_MS)) {
      const detail = 'has to come, within 30 days.';
      throw invalidInput('The acknowledgement', [{ pointer: '/until', detail }]);
    }
    await this.#database.transaction(async (tx) => {
      const keys = await lockActive(tx, alerts, visible);
      const by = author();
      for (const alert_key of keys) {
        const row = {
          author: by,
          comment,
          acknowledged_at: new Date(nowMs),
          until: untilMs === null ? null : new Date(untilMs),
        };
        await tx
          .insertInto('alert_acknowledgements')
          .values({ alert_key, ...row })
          .onConflict((conflict) => conflict.column('alert_key').doUpdateSet(row))
          .execute();
        await this.#audit.record(tx, {
          ...changeOf('alert', alert_key, 'alert.acknowledged'),
          after: toJson({ comment, until }),
        });
      }
      await this.#tellPagerDuty(tx, keys, by, nowMs);
    });
    this.#wake();
  }

  /** Escalation goes on where it would be by now. @throws InvalidInputError, AlertNotActiveError */
  async unacknowledge(input: UnacknowledgeInput, visible?: VisibleIntegrations): Promise<void> {
    const { alerts } = parseInput(unacknowledgeSchema, input, 'The acknowledgement');
    await this.#database.transaction(async (tx) => {
      const keys = await lockActive(tx, alerts, visible);
      for (const alert_key of keys) {
        const deleted = await tx
          .deleteFrom('alert_acknowledgements')
          .where('alert_key', '=', alert_key)
          .returning(['author', 'comment'])
          .executeTakeFirst();
        if (deleted === undefined) continue;
        await this.#audit.record(tx, {
          ...changeOf('alert', alert_key, 'alert.unacknowledged'),
          before: toJson(deleted),
        });
      }
      await sql`
        update alert_groups set due_at = least(due_at, ${new Date(this.#clock.now())})
        where due_at is not null
          and id in (select group_id from alert_group_members where alert_key = any(${keys}::text[]))`.execute(tx);
    });
    this.#wake();
  }

  /**
   * An incident at PagerDuty is acknowledged with the last alert of its group. The other channels are not told: they
   * hear of what begins, repeats and ends.
   */
  async #tellPagerDuty(tx: Transaction<Schema>, keys: readonly string[], by: string, nowMs: number): Promise<void> {
    for (const target of await findIncidents(tx, keys, nowMs)) {
      const members = await readFiring(tx, target.group_id);
      const facts = new Map(members.map((row) => [row.alert_key, row.facts]));
      const notice = { reason: 'acknowledged', firing: members.map((row) => row.alert), resolved: [] } as const;
      const message = makeMessage(
        notice,
        { id: target.group_id, labels: target.labels, policy: target.policy, acknowledgedBy: by },
        (key) => facts.get(key)!,
        { publicUrl: this.#publicUrl, atMs: nowMs, integrations: await integrationsOf(tx, [notice]) },
      );
      await tx
        .insertInto('notifications')
        .values({
          id: newId('notification', nowMs),
          group_id: target.group_id,
          policy_id: target.policy_id,
          channel_id: target.channel_id,
          channel_name: target.channel_name,
          reason: 'acknowledged',
          message: JSON.stringify(message),
          due_at: new Date(nowMs),
          created_at: new Date(nowMs),
        })
        .execute();
    }
  }
}

/** The keys of the alerts, whose groups are locked as a flush locks them. @throws AlertNotActiveError */
async function lockActive(
  tx: Transaction<Schema>,
  alerts: readonly { ruleId: string; fingerprint: string }[],
  visible: VisibleIntegrations | undefined,
): Promise<string[]> {
  const keys = [...new Set(alerts.map(alertKeyOf))];
  await sql`
    select id from alert_groups
    where id in (select group_id from alert_group_members where alert_key = any(${keys}::text[]))
    order by id for update`.execute(tx);
  const { rows } = await sql<{ alert_key: string }>`
    select a.alert_key from notified_alerts a
    where a.alert_key = any(${keys}::text[]) and a.ends_at is null and ${mayBeSeen(visible)}`.execute(tx);
  const active = new Set(rows.map((row) => row.alert_key));
  const missing = keys.filter((key) => !active.has(key));
  if (missing.length > 0) throw new AlertNotActiveError(missing);
  return keys;
}

interface Incident {
  readonly group_id: string;
  readonly policy_id: string;
  readonly policy: string;
  readonly labels: Labels;
  readonly channel_id: string;
  readonly channel_name: string;
}

/** Groups of these alerts that PagerDuty was told of and in which now everything that fires is acknowledged. */
async function findIncidents(tx: Transaction<Schema>, keys: readonly string[], nowMs: number): Promise<Incident[]> {
  const { rows } = await sql<Incident>`
    select g.id as group_id, g.policy_id, p.name as policy, g.labels, c.id as channel_id, c.name as channel_name
    from alert_groups g
    join notification_policies p on p.id = g.policy_id
    join alert_group_log l on l.group_id = g.id and cardinality(l.firing) > 0
    join notification_channels c on c.id = l.channel_id and c.kind = 'pagerduty' and c.active
    where g.id in (select group_id from alert_group_members where alert_key = any(${keys}::text[]))
      and not exists (
        select from alert_group_members m
        join notified_alerts a on a.alert_key = m.alert_key and a.ends_at is null
        left join alert_acknowledgements k
          on k.alert_key = a.alert_key and (k.until is null or k.until > ${new Date(nowMs)})
        where m.group_id = g.id and k.alert_key is null
      )
    order by g.id, c.id`.execute(tx);
  return rows;
}

async function readFiring(db: Kysely<Schema>, groupId: string) {
  const { rows } = await sql<PresentRow>`
    select ${PRESENT_COLUMNS}
    from alert_group_members m join notified_alerts a on a.alert_key = m.alert_key
    ${JOIN_PRESENT}
    where m.group_id = ${groupId} and a.ends_at is null
    order by a.alert_key`.execute(db);
  return rows.map((row) => ({
    alert_key: row.alert_key,
    facts: {
      ruleId: row.rule_id,
      fingerprint: row.fingerprint,
      condition: row.condition,
      reason: row.reason,
      measure: measureOf(row),
    } satisfies AlertFacts,
    alert: {
      fingerprint: row.alert_key,
      labels: row.labels,
      ...presentOf(row),
      startsAtMs: row.starts_at.getTime(),
      endsAtMs: null,
    },
  }));
}
