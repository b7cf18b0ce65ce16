import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import { groupRanges, numbersIn, rangesWith, type SeqRange } from '../words/blockQueries.ts';
import { requiredBits } from '../words/wordBits.ts';
import { LogSearchStoppedError } from './errors.ts';
import type { LogFilter } from './filter.ts';
import { LOG_COLUMNS, type LogRow } from './logRows.ts';
import type { TimeBounds } from './timeRange.ts';

/** Looked at by one statement, where a word says in which blocks to look. */
const STEP_RECORDS = 16_384;
const STEP_RANGES = 32;
/** After so many steps, when more than this is left, all of it is looked at in one go, which the database can divide. */
const MAX_STEPS = 8;
const MANY_RECORDS = 200_000;

/** What is looked for. */
export interface RowSearch {
  readonly conditions: readonly RawBuilder<boolean>[];
  readonly filter: LogFilter;
  readonly bounds: TimeBounds;
  /** Whether an index leads to the records of the conditions, so that few are looked at anyway. */
  readonly indexed: boolean;
}

/**
 * The newest rows of a search, the newest first.
 * @param before only those with a smaller `seq`; null for all
 * @param timeoutMs of all statements together
 * @throws LogSearchStoppedError
 */
export async function newestRows(
  tx: Transaction<Schema>,
  search: RowSearch,
  before: number | null,
  limit: number,
  timeoutMs: number,
): Promise<LogRow[]> {
  const bits = requiredBits(search.filter);
  const ranges = bits.length === 0 ? null : await rangesWith(tx, bits, search.bounds, before);
  if (ranges === null || (search.indexed && numbersIn(ranges) > STEP_RECORDS))
    return await select(tx, before === null ? search.conditions : [...search.conditions, below(before)], limit);
  const deadlineMs = performance.now() + timeoutMs;
  const rows: LogRow[] = [];
  const groups = groupRanges(ranges, STEP_RECORDS, STEP_RANGES);
  for (const [step, group] of groups.entries()) {
    if (performance.now() > deadlineMs) throw new LogSearchStoppedError(timeoutMs);
    const isRest = step === MAX_STEPS && numbersIn(groups.slice(step).flat()) > MANY_RECORDS;
    const where = isRest ? below(group[0]!.to + 1) : within(group);
    rows.push(...(await select(tx, [...search.conditions, where], limit - rows.length)));
    if (rows.length === limit || isRest) break;
  }
  return rows;
}

const below = (seq: number) => sql<boolean>`seq < ${seq}::bigint`;

function within(ranges: readonly SeqRange[]): RawBuilder<boolean> {
  const each = ranges.map(({ from, to }) => sql`seq between ${from}::bigint and ${to}::bigint`);
  // With the bounds of all of them, so that an index that is walked backwards for the order begins where they do:
  // it would be walked from the newest record on whenever the word is taken to be more frequent than it is.
  return sql`seq between ${ranges.at(-1)!.from}::bigint and ${ranges[0]!.to}::bigint and (${sql.join(each, sql` or `)})`;
}

async function select(
  tx: Transaction<Schema>,
  conditions: readonly RawBuilder<boolean>[],
  limit: number,
): Promise<LogRow[]> {
  const { rows } = await sql<LogRow>`
    select ${LOG_COLUMNS} from logs where ${sql.join(conditions, sql` and `)} order by seq desc limit ${limit}`.execute(
    tx,
  );
  return rows;
}
