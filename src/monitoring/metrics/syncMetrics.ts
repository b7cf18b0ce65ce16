import { sql } from 'kysely';
import type { Measured } from './groupedQuery.ts';

const labels = {
  integrationId: sql<string>`i.id`,
  platform: sql<string>`i.platform`,
};

const finished = (from: Date, at: Date) => sql`
    from sync_runs r join integrations i on i.id = r.integration_id and i.status <> 'deleting'
    where r.finished_at > ${from} and r.finished_at <= ${at}`;

/** Each connected integration's finished runs of the window, with those that failed after the last that succeeded. */
const inRow = (from: Date, at: Date) => sql`
    from (
      select integration_id, count(*) as runs,
             count(*) filter (where status = 'failed' and (success_at is null or finished_at > success_at)) as failures
      from (
        select integration_id, status, finished_at,
               max(finished_at) filter (where status = 'succeeded') over (partition by integration_id) as success_at
        from sync_runs where finished_at > ${from} and finished_at <= ${at}
      ) run
      group by integration_id
    ) r join integrations i on i.id = r.integration_id and i.status not in ('deleting', 'disconnected')
    where true`;

const count = (condition: ReturnType<typeof sql>): Measured['values'] => ({
  sum: () => sql<number>`count(*) filter (where ${condition})`,
  count: () => sql<number>`count(*) filter (where ${condition})`,
  rate: (seconds) => sql<number>`count(*) filter (where ${condition}) / ${sql.lit(seconds)}::double precision`,
});

/** What the runs of syncs say. */
export const SYNC_METRICS: Readonly<Record<string, Measured>> = {
  sync_runs: {
    rows: finished,
    labels: { ...labels, status: sql<string>`r.status` },
    values: count(sql`true`),
    samples: sql<number>`count(*)`,
  },
  sync_failures: { rows: finished, labels, values: count(sql`r.status = 'failed'`), samples: sql<number>`count(*)` },
  sync_failures_in_row: {
    rows: inRow,
    labels,
    // The worst of a group of several integrations.
    values: { last: () => sql<number>`max(r.failures)` },
    samples: sql<number>`coalesce(sum(r.runs), 0)`,
  },
};
