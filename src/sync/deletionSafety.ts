import type { RunProblem, StreamPhase } from './runQueries.ts';
import type { PendingDeletions, SyncStateRow } from './stateQueries.ts';

/** Largest share of a stream, in percent, that a run may delete without confirmation. */
export const DEFAULT_SAFETY_PERCENT = 20;

/** What follows from a complete full read. */
export interface DeletionDecision {
  /** `read`: deletions are to be made; `done`: there are none, or they wait for a person. */
  readonly phase: StreamPhase;
  readonly pending: PendingDeletions | null;
  readonly warnings: readonly RunProblem[];
}

/**
 * Decides on the records that a complete full read has not seen. Their share is taken of the records that were
 * live when the read began, so that new records do not hide a loss. There is no floor for small streams: an API
 * that once answers with an empty list must not delete three records of three.
 */
export function decideDeletions(stream: string, row: SyncStateRow, percent: number, now: Date): DeletionDecision {
  const count = row.record_count - row.full_read_seen;
  const total = row.full_read_base;
  if (count <= 0) return { phase: 'done', pending: null, warnings: [] };
  if (count * 100 <= percent * total) return { phase: 'read', pending: null, warnings: [] };
  const message =
    `${count} of ${total} records of the stream ${JSON.stringify(stream)} did not come any more, above the safe share ` +
    `of ${percent} %. They were kept. Confirm the deletions if they are right, or raise configuration.deletionSafetyPercent.`;
  return {
    phase: 'done',
    pending: { readId: row.full_read_id!, count, total, foundAt: now.toISOString() },
    warnings: [{ code: 'DELETIONS_NEED_CONFIRMATION', message, stream }],
  };
}
