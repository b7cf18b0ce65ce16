import fc from 'fast-check';
import { type RawBuilder, sql } from 'kysely';
import { expect, test } from 'vitest';
import { filterSql } from '../../../src/logging/search/filterSql.ts';
import { filterPredicate } from '../../../src/logging/search/matches.ts';
import { parseLogQuery } from '../../../src/logging/search/parseQuery.ts';
import type { IntegrationLog } from '../../../src/logging/types.ts';
import { useTestDatabase } from '../../support/database.ts';
import { anyLog, anyQuery, nowMs } from './arbitraries.ts';

const database = useTestDatabase();

/** The records as rows of a table like `logs`, with their place in the list. */
function rowsOf(logs: readonly IntegrationLog[]): RawBuilder<unknown> {
  const rows = logs.map((log, index) => ({ index, ...log }));
  return sql`(
    select index, seq, "observedTimestamp" as observed_at, "integrationId" as integration_id,
      "severityNumber" as severity, message, "eventName" as event_name, "operationId" as operation_id,
      "requestId" as request_id, "traceId" as trace_id, "spanId" as span_id, attributes
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (
      index int, seq bigint, "observedTimestamp" timestamptz, "integrationId" text, "severityNumber" smallint,
      message text, "eventName" text, "operationId" text, "requestId" text, "traceId" text, "spanId" text, attributes jsonb
    )
  ) as logs`;
}

test('a search finds the same records in the database and in memory', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyLog, { minLength: 1, maxLength: 30 }),
      fc.array(anyQuery, { minLength: 1, maxLength: 10 }),
      async (logs, queries) => {
        const filters = queries.map((query) => parseLogQuery(query, nowMs));
        const { rows } = await sql<{ index: number; matched: boolean[] }>`
          select index, array[${sql.join(filters.map((filter) => sql`(${filterSql(filter)}) is true`))}] as matched
          from ${rowsOf(logs)} order by index`.execute(database.current.db);
        for (const [at, query] of queries.entries()) {
          const inMemory = logs.map(filterPredicate(filters[at]!));
          expect(inMemory, query).toEqual(rows.map(({ matched }) => matched[at]));
        }
      },
    ),
    { numRuns: 100 },
  );
});
