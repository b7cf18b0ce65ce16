import { sql } from 'kysely';
import type { Measured } from './groupedQuery.ts';

/** Attempts of integrations that there are. */
const rows = (from: Date, at: Date) => sql`
    from outgoing_attempts a join integrations i on i.id = a.integration_id and i.status <> 'deleting'
    where a.started_at > ${from} and a.started_at <= ${at}`;

const labels = {
  integrationId: sql<string>`a.integration_id`,
  platform: sql<string>`i.platform`,
  operation: sql<string>`a.operation`,
  outcome: sql<string>`a.outcome`,
};
const all = sql<number>`count(*)`;
const of = (rowsOf: Measured['rows'], values: Measured['values']): Measured => ({
  rows: rowsOf,
  labels,
  values,
  samples: all,
});

/** Exact: percentiles of every attempt, as `percentile_disc` gives them. */
function distribution(column: 'duration_ms' | 'wait_ms' | 'response_bytes'): Measured['values'] {
  const measure = sql.ref<number>(`a.${column}`);
  const percentile = (share: number) => () =>
    sql<number>`percentile_disc(${sql.lit(share)}) within group (order by ${measure})`;
  return {
    avg: () => sql<number>`avg(${measure})`,
    min: () => sql<number>`min(${measure})`,
    max: () => sql<number>`max(${measure})`,
    p50: percentile(0.5),
    p95: percentile(0.95),
    p99: percentile(0.99),
    count: () => all,
    sum: () => sql<number>`sum(${measure})`,
    rate: (seconds) => sql<number>`sum(${measure}) / ${sql.lit(seconds)}::double precision`,
  };
}

const events: Measured['values'] = {
  sum: () => all,
  count: () => all,
  rate: (seconds) => sql<number>`count(*) / ${sql.lit(seconds)}::double precision`,
};

const share = (condition: ReturnType<typeof sql>): Measured['values'] => ({
  avg: () => sql<number>`100.0 * count(*) filter (where ${condition}) / nullif(count(*), 0)`,
});

/** What outgoing attempts say: every call for an integration is one, or several when it was tried again. */
export const CALL_METRICS: Readonly<Record<string, Measured>> = {
  response_time_ms: of(rows, distribution('duration_ms')),
  wait_ms: of(rows, distribution('wait_ms')),
  response_bytes: of(rows, distribution('response_bytes')),
  calls: of(rows, events),
  throughput: of(rows, { avg: events.rate! }),
  error_rate: of(rows, share(sql`a.outcome <> 'success'`)),
  success_rate: of(rows, share(sql`a.outcome = 'success'`)),
  credential_errors: of(
    (from, at) => sql`${rows(from, at)} and a.outcome in ('wrong_credentials', 'missing_scope')`,
    events,
  ),
};
