import pg from 'pg';

/** The PostgreSQL server of the machine that suites run on a second time. */
export const SERVER_URL = process.env.TEST_DATABASE_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres';

/** Whether it answers. With REQUIRE_SERVICES set its absence is an error. */
export async function findServer(): Promise<boolean> {
  const client = new pg.Client({ connectionString: SERVER_URL, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (cause) {
    if (!process.env.REQUIRE_SERVICES && !process.env.TEST_DATABASE_URL) return false;
    throw new Error('The PostgreSQL server for the tests does not answer; set TEST_DATABASE_URL.', { cause });
  } finally {
    await client.end().catch(() => {});
  }
}
