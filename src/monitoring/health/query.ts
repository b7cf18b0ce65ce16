import type { Database } from '../../store/database.ts';

const DEADLINE_MS = 1_000;

/** With its own deadline: a connection that hangs is given up and not used again. */
export function query<Row extends object>(database: Database, text: string) {
  return database.pool.query<Row>({ text, query_timeout: DEADLINE_MS } as { text: string });
}
