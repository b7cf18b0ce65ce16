import type { Kysely } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { Matcher } from './labelMatchers.ts';
import type { Policy } from './routing.ts';
import type { EscalationStep } from './types.ts';

export interface StoredPolicy extends Policy {
  readonly isDefault: boolean;
  readonly position: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** In the order in which they are looked at; the default policy is the last. */
export async function loadPolicies(db: Kysely<Schema>): Promise<StoredPolicy[]> {
  const rows = await db.selectFrom('notification_policies').selectAll().orderBy('position').orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    isDefault: row.is_default,
    position: row.position,
    matchers: row.matchers as Matcher[],
    groupBy: row.group_by,
    goOn: row.go_on,
    channels: row.channels,
    fallbackChannel: row.fallback_channel,
    steps: row.steps as EscalationStep[],
    groupWaitMs: row.group_wait_ms,
    groupIntervalMs: row.group_interval_ms,
    repeatIntervalMs: row.repeat_interval_ms,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }));
}
