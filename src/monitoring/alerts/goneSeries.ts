import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { AlertInstance, AlertRule } from './types.ts';

/** A process that has not looked at itself for so long is not there any more. */
const PROCESS_GONE = sql.lit('10 minutes');

/**
 * Tells of alerts whether what they are about is gone: an integration that was deleted; and where no data keeps the
 * state, so that nothing else would ever end them, also one that was disconnected, and a process that has ended.
 */
export async function readGone(
  db: Kysely<Schema>,
  alerts: Iterable<AlertInstance>,
): Promise<((instance: AlertInstance, rule: AlertRule) => boolean) | null> {
  const integrations = new Set<string>();
  const processes = new Set<string>();
  for (const { labels } of alerts) {
    if (labels.integrationId) integrations.add(labels.integrationId);
    if (labels.process) processes.add(labels.process);
  }
  if (integrations.size + processes.size === 0) return null;
  const { rows } = await sql<{ id: string; status: string | null }>`
    select known.id, i.status
    from unnest(${[...integrations]}::text[]) as known (id) left join integrations i on i.id = known.id
    where i.id is null or i.status in ('deleting', 'disconnected')`.execute(db);
  const ended = await sql<{ process: string }>`
    select process from unnest(${[...processes]}::text[]) as known (process)
    where not exists (
      select from system_minutes s
      where s.metric = 'process_cpu' and s.bucket > now() - ${PROCESS_GONE}::interval and s.process = known.process
    )`.execute(db);
  if (rows.length + ended.rows.length === 0) return null;
  const deleted = new Set(rows.filter(({ status }) => status !== 'disconnected').map(({ id }) => id));
  const silent = new Set([...rows.map(({ id }) => id), ...ended.rows.map(({ process }) => process)]);
  return ({ labels: { integrationId = '', process = '' } }, { noData }) =>
    deleted.has(integrationId) || (noData === 'keep' && (silent.has(integrationId) || silent.has(process)));
}
