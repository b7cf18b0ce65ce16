import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { listedAlerts, type NamedIntegration } from './message.ts';
import type { Notice } from './types.ts';

/** What people call the integrations of the alerts that these notices list, in one query. */
export async function integrationsOf(
  db: Kysely<Schema>,
  notices: readonly Pick<Notice, 'firing' | 'resolved'>[],
): Promise<ReadonlyMap<string, NamedIntegration>> {
  const ids = new Set(
    notices.flatMap((notice) => listedAlerts(notice).flatMap(({ labels }) => labels.integrationId || [])),
  );
  if (ids.size === 0) return new Map();
  const { rows } = await sql<NamedIntegration>`
    select id, name, platform from integrations where id = any(${[...ids]}::text[])`.execute(db);
  return new Map(rows.map((row) => [row.id, row]));
}
