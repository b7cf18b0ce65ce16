import { type RawBuilder, sql } from 'kysely';
import type { AttributeTest, Comparison, LogFilter, Pattern, TextField, TextTest } from './filter.ts';

const COLUMNS: Readonly<Record<TextField, string>> = {
  integrationId: 'integration_id',
  eventName: 'event_name',
  operationId: 'operation_id',
  requestId: 'request_id',
  traceId: 'trace_id',
  spanId: 'span_id',
};

/**
 * The filter as a condition on rows of `logs`, with parameters. Null counts as false in WHERE, and `is not true` makes
 * it so under NOT, so that plain comparisons stay and indexes can be used.
 */
export function filterSql(filter: LogFilter): RawBuilder<boolean> {
  switch (filter.kind) {
    case 'and':
      return filter.parts.length === 0 ? sql`true` : sql`(${sql.join(filter.parts.map(filterSql), sql` and `)})`;
    case 'or':
      return filter.parts.length === 0 ? sql`false` : sql`(${sql.join(filter.parts.map(filterSql), sql` or `)})`;
    case 'not':
      return sql`(${filterSql(filter.part)}) is not true`;
    case 'severity':
      return sql`severity ${operator(filter.is)} ${filter.value}::smallint`;
    case 'seq':
      // As numeric, because any number can be asked for.
      return Number.isSafeInteger(filter.value)
        ? sql`seq ${operator(filter.is)} ${filter.value}::bigint`
        : sql`seq ${operator(filter.is)} ${filter.value}::numeric`;
    case 'time':
      return sql`observed_at ${operator(filter.is)} ${new Date(filter.value)}::timestamptz`;
    case 'text':
      return textSql(sql.ref(COLUMNS[filter.field]), filter.test);
    case 'message':
      return messageSql(filter.contains);
    case 'attribute':
      return attributeSql(filter.name, filter.test);
  }
}

function textSql(column: RawBuilder<unknown>, test: TextTest): RawBuilder<boolean> {
  switch (test.kind) {
    case 'equals':
      return sql`${column} = ${test.text}::text`;
    case 'exists':
      return sql`${column} is not null`;
    case 'pattern':
      return sql`${column} collate "C" like ${likeOf(test.parts)}::text`;
  }
}

/** The collation "C" folds A to Z only, in every locale. */
function messageSql(contains: Pattern): RawBuilder<boolean> {
  return sql`message collate "C" ilike ${`%${likeOf(contains)}%`}::text`;
}

function attributeSql(name: string, test: AttributeTest): RawBuilder<boolean> {
  const value = name.includes('.')
    ? sql`coalesce(attributes -> ${name}::text, ${nestedSql(name.split('.'))})`
    : sql`(attributes -> ${name}::text)`;
  switch (test.kind) {
    case 'equals':
      // Also of an array that has the value as an element.
      return sql`(${sql.join(
        test.values.map((wanted) => sql`${value} @> ${JSON.stringify(wanted)}::jsonb`),
        sql` or `,
      )})`;
    case 'compares':
      // jsonb orders numbers among themselves; a cast would fail on what is no number.
      return sql`(jsonb_typeof(${value}) = 'number' and ${value} ${operator(test.is)} ${JSON.stringify(test.value)}::jsonb)`;
    case 'exists':
      return sql`${value} is not null`;
    case 'pattern':
      return sql`(jsonb_typeof(${value}) = 'string' and (${value} #>> '{}') collate "C" like ${likeOf(test.parts)}::text)`;
  }
}

/** Not `#>`, which would also take a number for the place in an array. */
function nestedSql(path: readonly string[]): RawBuilder<unknown> {
  return path.reduce<RawBuilder<unknown>>((value, key) => sql`${value} -> ${key}::text`, sql`attributes`);
}

function operator(is: Comparison): RawBuilder<unknown> {
  return sql.raw(is);
}

function likeOf(pattern: Pattern): string {
  return pattern
    .map((part) => {
      if (typeof part === 'string') return part.replace(/[\\%_]/g, '\\$&');
      return part.wildcard === 'any' ? '%' : '_';
    })
    .join('');
}
