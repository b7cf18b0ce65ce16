import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { MetricQuery, MetricSample } from '../alerts/types.ts';
import type { Measured } from './groupedQuery.ts';

/**
 * How many one entry stands for: denials of a minute are one entry with their number. `encode` takes any bytes, so that
 * a forged entry cannot keep the others from being counted.
 */
const times = sql<number>`coalesce(
  substring(encode(e.event, 'escape') from '"(?:repeated|denials)":(\\d{1,9})')::bigint, 1)`;

const entries = (action: string): Measured => ({
  rows: (from, at) => sql`
    from audit_entries e left join integrations i on i.id = e.integration_id and i.status <> 'deleting'
    where e.action = ${action} and e.occurred_at > ${from} and e.occurred_at <= ${at}`,
  labels: {
    actor: sql<string>`e.actor_id`,
    actorKind: sql<string>`e.actor_kind`,
    // Also what does not exist is asked for; as a series it could only be taken for deleted.
    integrationId: sql<string>`coalesce(i.id, '')`,
  },
  values: {
    sum: () => sql<number>`coalesce(sum(${times}), 0)`,
    count: () => sql<number>`coalesce(sum(${times}), 0)`,
    rate: (seconds) => sql<number>`coalesce(sum(${times}), 0) / ${sql.lit(seconds)}::double precision`,
  },
  samples: sql<number>`count(*)`,
});

/** What the audit log says. Entries get there moments after the event. */
export const AUDIT_METRICS: Readonly<Record<string, Measured>> = {
  denied_access: entries('access.denied'),
  failed_logins: entries('login.failed'),
};

/**
 * 1 while the log does not verify, 0 while it does; nothing when nobody has verified it within the window. Only what is
 * so now is known.
 */
export async function queryAuditTamper(
  db: Kysely<Schema>,
  { windowMs }: MetricQuery,
  atMs: number,
): Promise<MetricSample[]> {
  const { rows } = await sql<{ changed: boolean }>`
    select bool_or(finding is not null) as changed from audit_checks
    having max(checked_at) > ${new Date(atMs - windowMs)}`.execute(db);
  return rows.map(({ changed }) => ({ labels: {}, value: changed ? 1 : 0, samples: 1 }));
}
