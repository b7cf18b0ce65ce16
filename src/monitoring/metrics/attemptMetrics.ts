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
const samples = sql<number>`count(*)`;

const percentile = (share: number) => () =>
  sql<number>`percentile_disc(${sql.lit(share)}) within group (order by a.wait_ms)`;

/** What only the list of outgoing attempts says. Refused credentials are found also where performance is not monitored. */
export const ATTEMPT_METRICS: Readonly<Record<string, Measured>> = {
  wait_ms: {
    rows,
    labels,
    samples,
    values: {
      avg: () => sql<number>`avg(a.wait_ms)`,
      min: () => sql<number>`min(a.wait_ms)`,
      max: () => sql<number>`max(a.wait_ms)`,
      p50: percentile(0.5),
      p95: percentile(0.95),
      p99: percentile(0.99),
      count: () => samples,
    },
  },
  credential_errors: {
    rows: (from, at) => sql`${rows(from, at)} and a.outcome in ('wrong_credentials', 'missing_scope')`,
    labels,
    samples,
    values: {
      sum: () => samples,
      count: () => samples,
      rate: (seconds) => sql<number>`count(*) / ${sql.lit(seconds)}::double precision`,
    },
  },
};
