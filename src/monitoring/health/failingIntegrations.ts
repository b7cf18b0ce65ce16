import { type Kysely, sql } from 'kysely';
import { isVisible, type VisibleIntegrations } from '../../integrations/visibleIntegrations.ts';
import type { Schema } from '../../store/schema.ts';
import { isOutage, type ProviderDown } from './providersDown.ts';

const MAX_LISTED = 100;

export interface FailingIntegration {
  readonly integrationId: string;
  readonly name: string;
  readonly platform: string;
  /** How the probe, or most of the failed calls, ended. */
  readonly outcome: string | null;
  readonly detail: string | null;
  readonly source: 'traffic' | 'probe' | 'none';
  /** ISO 8601: since when it fails. */
  readonly since: string;
  readonly checkedAt: string | null;
  /** The provider itself is down, so there is nothing to do about this integration. */
  readonly becauseOfProvider: boolean;
}

/** How many integrations are in which state, and those that fail: first what is not their provider's outage. */
export async function listFailing(db: Kysely<Schema>, visible: VisibleIntegrations, down: readonly ProviderDown[]) {
  const from = sql`
    from integration_health h join integrations i on i.id = h.integration_id where ${isVisible(visible)}`;
  const counts = await sql<{ state: 'pass' | 'warn' | 'fail' | 'unknown'; count: number }>`
    select h.state, count(*)::int as count ${from} group by 1`.execute(db);
  const platforms = down.map(({ platform }) => platform);
  const { rows } = await sql<Row>`
    select h.integration_id, i.name, i.platform, h.outcome, h.detail, h.source, h.changed_at, h.checked_at
    ${from} and h.state = 'fail'
    order by i.platform = any(${platforms}::text[]), h.changed_at desc, h.integration_id limit ${MAX_LISTED}`.execute(
    db,
  );
  const states = { pass: 0, warn: 0, fail: 0, unknown: 0 };
  for (const { state, count } of counts.rows) states[state] = count;
  return {
    states,
    failing: rows.map(
      (row): FailingIntegration => ({
        integrationId: row.integration_id,
        name: row.name,
        platform: row.platform,
        outcome: row.outcome,
        detail: row.detail,
        source: row.source,
        since: row.changed_at.toISOString(),
        checkedAt: row.checked_at?.toISOString() ?? null,
        becauseOfProvider: platforms.includes(row.platform) && isOutage(row.outcome),
      }),
    ),
  };
}

interface Row {
  readonly integration_id: string;
  readonly name: string;
  readonly platform: string;
  readonly outcome: string | null;
  readonly detail: string | null;
  readonly source: 'traffic' | 'probe' | 'none';
  readonly changed_at: Date;
  readonly checked_at: Date | null;
}
