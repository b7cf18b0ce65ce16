import type { RunProblem } from './runQueries.ts';
import type { DueDeletions, PendingDeletions, SyncStateRow } from './stateQueries.ts';

/** Largest share of a stream, in percent, that a run may delete without confirmation. */
export const DEFAULT_SAFETY_PERCENT = 20;

/** What follows from a complete full read: deletions to make, or such that wait for a person, or neither. */
export interface DeletionDecision {
  readonly due: DueDeletions | null;
  readonly pending: PendingDeletions | null;
  readonly warnings: readonly RunProblem[];
}

export interface DeletionRules {
  /** The largest share that is deleted without a person. */
  readonly percent: number;
  /** `twice`: a record may have slipped past this read, so the complete one before must have missed it too. */
  readonly proof: 'once' | 'twice';
  /** Whether such a read happens only when somebody asks for it. */
  readonly onDemand: boolean;
  readonly now: Date;
}

/**
 * Decides on the records that a complete full read has not seen. Their share is taken of the records that were
 * live when the read began, so that new records do not hide a loss. There is no floor for small streams: an API
 * that once answers with an empty list must not delete three records of three.
 *
 * @param row after the last page was written, before the read counts as complete
 */
export function decideDeletions(stream: string, row: SyncStateRow, rules: DeletionRules): DeletionDecision {
  const { percent, proof, onDemand, now } = rules;
  const unseen = row.record_count - row.full_read_seen;
  const [readId, count] = proof === 'once' ? [row.full_read_id!, unseen] : [row.complete_read_id, row.missing_count];
  const total = row.full_read_base;
  const name = JSON.stringify(stream);
  const warnings: RunProblem[] = [];
  if (onDemand && unseen > count) {
    const message =
      `${unseen - count} records of the stream ${name} did not come in this full read. Its pages can shift while they ` +
      'are read, so these were kept; the next full read deletes those that do not come either.';
    warnings.push({ code: 'DELETIONS_NEED_ANOTHER_READ', message, stream });
  }
  if (readId === null || count <= 0) return { due: null, pending: null, warnings };
  if (count * 100 <= percent * total) return { due: { readId, count }, pending: null, warnings };
  const message =
    `${count} of ${total} records of the stream ${name} did not come any more, above the safe share ` +
    `of ${percent} %. They were kept. Confirm the deletions if they are right, or raise configuration.deletionSafetyPercent.`;
  warnings.push({ code: 'DELETIONS_NEED_CONFIRMATION', message, stream });
  return { due: null, pending: { readId, count, total, foundAt: now.toISOString() }, warnings };
}
