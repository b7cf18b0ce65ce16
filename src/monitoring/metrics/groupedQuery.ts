import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { Aggregation, MetricQuery, MetricSample } from '../alerts/types.ts';

/** More groups than any rule takes; what is beyond is told as too many, not left out in silence. */
const MAX_GROUPS = 200_001;

/** How a table answers for a metric: pieces of one grouped query. */
export interface Measured {
  /** What is measured within the window (after `from`, up to `at`). */
  rows(from: Date, at: Date): RawBuilder<unknown>;
  /** Texts, never null. */
  readonly labels: Readonly<Record<string, RawBuilder<string>>>;
  readonly values: Readonly<Partial<Record<Aggregation, (windowSeconds: number) => RawBuilder<number | null>>>>;
  readonly samples: RawBuilder<number>;
}

/** A `from … where …` that answers a metric, for every group at once. */
export async function groupedQuery(
  db: Kysely<Schema>,
  { rows, labels, values, samples }: Measured,
  { metric, filter, aggregation, windowMs, groupBy }: MetricQuery,
  atMs: number,
): Promise<MetricSample[]> {
  const value = values[aggregation];
  if (value === undefined) throw new TypeError(`${metric} has no ${aggregation}.`);
  const expression = (label: string): RawBuilder<string> => {
    const known = labels[label];
    if (known === undefined) throw new TypeError(`${metric} has no label ${label}.`);
    return known;
  };
  const conditions = filter.map(({ label, op, values: listed }) =>
    op === 'in'
      ? sql`${expression(label)} = any(${[...listed]}::text[])`
      : sql`${expression(label)} <> all(${[...listed]}::text[])`,
  );
  const keys = groupBy.map(expression);
  const result = await sql<{ keys: string[]; value: number | null; samples: number }>`
    select array[${sql.join(keys)}]::text[] as keys,
           (${value(windowMs / 1_000)})::double precision as value,
           (${samples})::double precision as samples
    ${rows(new Date(atMs - windowMs), new Date(atMs))}
    ${conditions.length === 0 ? sql`` : sql`and ${sql.join(conditions, sql` and `)}`}
    ${keys.length === 0 ? sql`` : sql`group by ${sql.join(keys)}`}
    limit ${MAX_GROUPS}`.execute(db);
  return result.rows.map(({ keys: group, value: found, samples: count }) => ({
    labels: Object.fromEntries(groupBy.map((label, index) => [label, group[index]!])),
    value: found,
    samples: count,
  }));
}
