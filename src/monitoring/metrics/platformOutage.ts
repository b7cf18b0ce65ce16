import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { passes } from '../alerts/compiledRule.ts';
import type { MetricQuery, MetricSample } from '../alerts/types.ts';
import { FAIL_SHARE, MIN_CALLS } from '../health/judgeIntegration.ts';
import { LOOKS_SECONDS } from '../health/probeQueries.ts';
import { OUTAGES, outagePercent } from '../health/providersDown.ts';

/**
 * How many of a platform's integrations fail for the provider, as `providersDown` judges it: by their calls of the
 * window where there are enough, which tell within minutes, else by how they were seen when last looked at. The past
 * can be asked for as far as calls tell it.
 */
export async function queryPlatformOutage(
  db: Kysely<Schema>,
  { filter, groupBy, windowMs }: MetricQuery,
  atMs: number,
): Promise<MetricSample[]> {
  const at = new Date(atMs);
  const outages = [...OUTAGES];
  const { rows } = await sql<{ platform: string; looked: number; failing: number }>`
    with traffic as (
      select integration_id,
             sum(calls) filter (where outcome = any(${outages}::text[])) >= ${FAIL_SHARE}::double precision * sum(calls) as failing
      from metric_minutes
      where bucket > ${new Date(atMs - windowMs)} and bucket <= ${at}
        and operation not in ('check', 'token', 'revoke') and calls > 0
      group by 1 having sum(calls) >= ${MIN_CALLS}
    )
    select platform, count(*)::int as looked, count(*) filter (where failing)::int as failing
    from (
      select i.platform,
             case when t.integration_id is null then h.state = 'fail' and h.outcome = any(${outages}::text[])
                  else t.failing end as failing
      from integrations i
      left join traffic t on t.integration_id = i.id
      left join integration_health h
        on h.integration_id = i.id and h.state <> 'unknown'
        and h.checked_at >= ${at}::timestamptz - make_interval(secs => ${LOOKS_SECONDS})
      where i.status in ('connected', 'error') and (t.integration_id is not null or h.integration_id is not null)
    ) looks
    group by 1`.execute(db);
  const samples = rows
    .filter(({ platform }) => passes({ platform }, filter))
    .map(({ platform, looked, failing }) => ({
      labels: { platform },
      value: outagePercent(failing, looked),
      samples: looked,
    }));
  if (groupBy.includes('platform')) return samples;
  // Of all platforms the one that is worst off.
  return samples.length === 0 ? [] : [{ ...samples.toSorted((a, b) => b.value - a.value)[0]!, labels: {} }];
}
