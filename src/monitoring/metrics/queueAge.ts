import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { passes } from '../alerts/compiledRule.ts';
import type { MetricQuery, MetricSample } from '../alerts/types.ts';

/** Nobody takes these. */
const DEAD_LETTERS = 'dead_letters';

/**
 * How long the oldest job of each queue, and the oldest sync run, have been waiting past their time. Only what waits
 * now is known, so the past cannot be asked for.
 */
export async function queryQueueAge(
  db: Kysely<Schema>,
  { filter, groupBy }: MetricQuery,
  atMs: number,
): Promise<MetricSample[]> {
  const at = new Date(atMs);
  const { rows } = await sql<{ queue: string; age: number; jobs: number }>`
    select name as queue, extract(epoch from ${at}::timestamptz - min(start_after))::double precision as age,
           count(*)::double precision as jobs
    from pgboss.job
    where state < 'active' and start_after <= ${at} and name <> ${DEAD_LETTERS}
    group by name
    union all
    select 'sync_runs', extract(epoch from ${at}::timestamptz - min(queued_at))::double precision,
           count(*)::double precision
    from sync_runs
    where status = 'queued' and queued_at <= ${at}
    having count(*) > 0`.execute(db);
  const waiting = rows.filter(({ queue }) => passes({ queue }, filter));
  if (groupBy.includes('queue'))
    return waiting.map(({ queue, age, jobs }) => ({ labels: { queue }, value: age, samples: jobs }));
  const oldest = waiting.reduce((age, row) => Math.max(age, row.age), 0);
  return [{ labels: {}, value: oldest, samples: Math.max(1, waiting.length) }];
}
