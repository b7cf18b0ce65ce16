import { sql, type Transaction } from 'kysely';
import type { Schema } from '../../store/schema.ts';
import type { TimeBounds } from '../search/timeRange.ts';

/** Numbers from `from` to `to`, both included. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Where records may be that hold all of these bits in their messages, the newest first: blocks that have them, and what
 * is in no block yet. Ranges do not overlap.
 * @param before only numbers below it; null for all
 */
export async function rangesWith(
  tx: Transaction<Schema>,
  bits: readonly number[],
  { fromMs, toMs }: TimeBounds,
  before: number | null,
): Promise<SeqRange[]> {
  const has = bits.map((bit) => sql<boolean>`get_bit(words, ${bit}::int) = 1`);
  // One statement, so that a block that is made meanwhile is not seen twice, or not at all.
  const { rows } = await sql<SeqRange>`
    select upto + 1 as "from", next - 1 as "to" from log_block_progress cross join log_sequence
    union all
    select first_seq, last_seq from log_blocks
    where last_seq <= (select upto from log_block_progress)
      and to_at >= ${new Date(fromMs)}::timestamptz and from_at < ${new Date(toMs)}::timestamptz
      and (words is null or (${sql.join(has, sql` and `)}))
    order by 1 desc`.execute(tx);
  const below = (before ?? Number.MAX_SAFE_INTEGER) - 1;
  const ranges: SeqRange[] = [];
  for (const range of rows) {
    const [from, to] = [range.from, Math.min(range.to, below)];
    if (from > to) continue;
    const newer = ranges.at(-1);
    if (newer?.from === to + 1) ranges[ranges.length - 1] = { from, to: newer.to };
    else ranges.push({ from, to });
  }
  return ranges;
}

/** The ranges in the same order, in groups that each hold at most so many numbers and ranges. */
export function groupRanges(ranges: readonly SeqRange[], maxNumbers: number, maxRanges: number): SeqRange[][] {
  const groups: SeqRange[][] = [];
  let group: SeqRange[] = [];
  let room = maxNumbers;
  for (const { from, to } of ranges) {
    for (let end = to; end >= from; ) {
      const start = Math.max(from, end - room + 1);
      group.push({ from: start, to: end });
      room -= end - start + 1;
      end = start - 1;
      if (room > 0 && group.length < maxRanges) continue;
      groups.push(group);
      group = [];
      room = maxNumbers;
    }
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

export function numbersIn(ranges: readonly SeqRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/**
 * Records with old numbers have come: what their blocks hold is not known any more. Keeps whoever makes blocks out until
 * the transaction ends.
 */
export async function forgetBlocks(
  tx: Transaction<Schema>,
  records: readonly { readonly seq: number; readonly observed_at: string }[],
): Promise<void> {
  await sql`select from log_block_progress for update`.execute(tx);
  // With the numbers of a block as they are made, whether there was one or not.
  await sql`
    insert into log_blocks as known (first_seq, last_seq, from_at, to_at)
    select first_seq, first_seq + 511, min(observed_at), max(observed_at)
    from jsonb_to_recordset(${JSON.stringify(records.map(({ seq, observed_at }) => ({ seq, observed_at })))}::jsonb)
      as t (seq bigint, observed_at timestamptz)
    cross join lateral (select (seq - 1) / 512 * 512 + 1 as first_seq) block
    group by first_seq
    on conflict (first_seq) do update set words = null,
      from_at = least(known.from_at, excluded.from_at), to_at = greatest(known.to_at, excluded.to_at)`.execute(tx);
}

/** Blocks of days that are gone. */
export async function dropBlocksBefore(db: Pick<Transaction<Schema>, 'deleteFrom'>, before: Date): Promise<void> {
  await db.deleteFrom('log_blocks').where('to_at', '<', before).execute();
}
