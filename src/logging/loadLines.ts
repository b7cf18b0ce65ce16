import type pg from 'pg';
import type { Database } from '../store/database.ts';
import { LINE_COLUMNS } from './copyLine.ts';
import { GuardedCopy } from './guardedCopy.ts';

/** Of the whole transaction. Others wait for their numbers meanwhile, so it is short; loading is tried again. */
const DEADLINE_MS = 20_000;
const NEWLINE = 10;
const JOURNAL_ID = /^jrn_[0-9a-z]{26}$/;

/** Where lines are: the piece of a journal; null for lines that are in none. */
export interface Place {
  readonly journalId: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Writes lines into `logs`, in one transaction, which also notes how far the journal is loaded: so each line
 * is loaded once, whoever tries how often.
 * @param lines each with its end
 * @returns where the journal was loaded up to; that is not `place.to` when somebody else has been there, and then
 * nothing was written
 */
export async function loadLines(database: Pick<Database, 'pool'>, lines: Buffer, place: Place | null): Promise<number> {
  const client = await database.pool.connect();
  let failure: Error | undefined;
  const timer = setTimeout(() => {
    // Ends the connection under the statement, whatever it waits for.
    failure = new Error('Loading log records took too long.');
    client.release(failure);
  }, DEADLINE_MS);
  try {
    const written = await write(client, lines, place);
    if (written) return place?.to ?? 0;
    await client.query('rollback');
    return await loadedBytes(client, place!);
  } catch (error) {
    if (failure === undefined) {
      await client.query('rollback').catch((rollback: Error) => {
        failure = rollback;
        client.release(rollback);
      });
    }
    throw error;
  } finally {
    clearTimeout(timer);
    if (failure === undefined) client.release();
  }
}

/**
 * The whole transaction, as one message to the server and one answer with the lines.
 * @returns false when the journal is loaded to another place than `place.from`; then it is to be rolled back
 */
async function write(client: pg.PoolClient, lines: Buffer, place: Place | null): Promise<boolean> {
  const begin = beginSql(countLines(lines), place);
  if (lines.length > 0)
    return GuardedCopy.run(client, `${begin}; copy logs (${LINE_COLUMNS}) from stdin; commit`, lines);
  const results = (await client.query(begin)) as unknown as pg.QueryResult[];
  if (results.at(-1)!.rows.length === 0) return false;
  await client.query('commit');
  return true;
}

/** Begins a transaction, sets the number of the first line and gives it, or no row. */
function beginSql(count: number, place: Place | null): string {
  if (place !== null && !JOURNAL_ID.test(place.journalId)) throw new TypeError('That is no journal.');
  const isNext = place === null ? '' : 'where exists (select from journal)';
  const journal =
    place === null
      ? ''
      : `journal as (
          insert into log_journals as known (id, loaded_bytes)
          select '${place.journalId}', ${place.to}
          where ${place.from === 0} or exists (select from log_journals where id = '${place.journalId}')
          on conflict (id) do update set loaded_bytes = excluded.loaded_bytes, updated_at = now()
          where known.loaded_bytes = ${place.from}
          returning 1
        ),`;
  // Of the simple protocol, so that it needs no parameters; what stands in it are numbers and a checked id.
  return `
    begin;
    set local statement_timeout = ${DEADLINE_MS};
    set local idle_in_transaction_session_timeout = ${DEADLINE_MS};
    with ${journal} numbers as (
      update log_sequence set next = next + ${count} ${isNext} returning next - ${count} as first
    ) select setval('log_record_numbers', first, false) from numbers`;
}

async function loadedBytes(client: pg.PoolClient, { journalId }: Place): Promise<number> {
  const { rows } = await client.query<{ loaded_bytes: number }>('select loaded_bytes from log_journals where id = $1', [
    journalId,
  ]);
  return rows[0]?.loaded_bytes ?? 0;
}

function countLines(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(NEWLINE); at !== -1; at = lines.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
