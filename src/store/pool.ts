import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { errorMessage, UnavailableError } from '../core/errors.ts';

const INT8_OID = 20;

/** Answers of the driver when the server cannot be reached or went away. */
const CONNECTION_ERRORS =
  /Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Query read timeout/;
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '53300', // too_many_connections
]);

export interface PoolOptions {
  readonly url: string;
  readonly max: number;
  readonly log: (line: string) => void;
  /** A backstop against a silent network; statements that may take longer say so themselves. Default 60,000. */
  readonly queryTimeoutMs?: number;
}

/** A bounded pool whose connections read bigint as number (ours stay below 2^53), and survive a dying server. */
export function createPool({ url, max, log, queryTimeoutMs = 60_000 }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: 'integration-services',
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    // Idle connections alone do not keep a program running.
    allowExitOnIdle: true,
    types: { getTypeParser: typeParser },
  });
  pool.on('error', (error) => {
    if (!pool.ending) log(`database: an idle connection was lost: ${error.message}`);
  });
  // While a connection is checked out the pool does not listen, and an unheard 'error' would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

function typeParser(oid: number, format?: 'text' | 'binary'): unknown {
  if (oid === INT8_OID && format !== 'binary') return Number;
  return pg.types.getTypeParser(oid, format as 'text');
}

/** Whether the server is gone or out of reach, as opposed to having refused a statement. */
export function isConnectionFailure(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && (CONNECTION_CODES.has(code) || code.startsWith('08'))) return true;
  return error instanceof Error && CONNECTION_ERRORS.test(error.message);
}

/** The error a caller sees: `UnavailableError` for a lost server, the driver's own error for anything else. */
export function translateError(error: unknown): unknown {
  if (error instanceof UnavailableError || !isConnectionFailure(error)) return error;
  return new UnavailableError(
    `The database cannot be reached (${errorMessage(error)}). It is tried again with the next request.`,
    { cause: error },
  );
}

/** The pool as Kysely uses it: errors translated, and a connection that failed is closed instead of reused. */
export function kyselyPool(pool: pg.Pool): PostgresPool {
  const wrapped = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw translateError(error);
      });
      let wrapper = wrapped.get(client);
      if (!wrapper) {
        wrapper = wrapClient(client);
        wrapped.set(client, wrapper);
      }
      return wrapper;
    },
  };
}

function wrapClient(client: pg.PoolClient): PostgresPoolClient {
  let failure: unknown;
  const query = async (statement: string, parameters: readonly unknown[]) => {
    // It may still be busy with what timed out; a ROLLBACK would wait behind that.
    if (failure) throw failure;
    try {
      return await client.query(statement, parameters as unknown[]);
    } catch (error) {
      const translated = translateError(error);
      if (translated instanceof UnavailableError) failure = translated;
      throw translated;
    }
  };
  return {
    // The server's process id, which cancelling a query needs.
    processID: (client as { processID?: number }).processID,
    // A cursor is submitted, not awaited.
    query: (statement: unknown, parameters: readonly unknown[]) =>
      typeof statement === 'string' ? query(statement, parameters) : client.query(statement as never),
    release: (discard?: boolean) => client.release(failure !== undefined || discard === true),
  } as unknown as PostgresPoolClient;
}
