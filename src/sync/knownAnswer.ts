import type { AnswerValidators } from '../connectors/validators.ts';
import type { RecordBatch } from './recordBatch.ts';
import { isFullReadUnderWay, type SyncStateRow } from './stateQueries.ts';

/**
 * The one answer that was the whole last read of a stream, as long as nothing else has been written to the stream. A
 * read that gets to hear that the answer is still the same has then nothing to do.
 */
export interface KnownAnswer extends AnswerValidators {
  /** Records in it. */
  readonly records: number;
  /** When it came, in epoch milliseconds. */
  readonly readAtMs: number;
  /** How often it was confirmed since. */
  readonly confirmed: number;
}

/** A provider whose validators do not change with its data hides changes for this long, or this many reads, at most. */
export const MOST_CONFIRMATIONS = 20;
export const OLDEST_KNOWN_MS = 24 * 3_600_000;

/** What a read may ask to be confirmed; undefined: it has to read. */
export function confirmable(row: SyncStateRow, nowMs: number): KnownAnswer | undefined {
  const known = row.known_answer;
  if (known === null || known.confirmed >= MOST_CONFIRMATIONS) return undefined;
  const ageMs = nowMs - known.readAtMs;
  if (ageMs < 0 || ageMs >= OLDEST_KNOWN_MS) return undefined;
  // The table holds no known answer beside these; who changes that must not lose records by it.
  const isSettled = row.due_deletions === null && row.pending_deletions === null && row.missing_count === 0;
  return isSettled && !isFullReadUnderWay(row) ? known : undefined;
}

/**
 * What is known of a read that was one answer, and whether asking with the validators of the one before would have been
 * answered by 304 instead.
 */
export function answerOf(
  { validators, recordsRead, replaced }: RecordBatch,
  before: KnownAnswer | null,
  nowMs: number,
): { known: KnownAnswer; isSame: boolean } | undefined {
  // A warning that would not come again.
  if (validators === undefined || replaced > 0) return undefined;
  const { request, etag, lastModified } = validators;
  const isSame = before?.request === request && before.etag === etag && before.lastModified === lastModified;
  return { known: { ...validators, records: recordsRead, readAtMs: nowMs, confirmed: 0 }, isSame };
}
