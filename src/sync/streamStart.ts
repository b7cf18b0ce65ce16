import type { ReadPlan } from '../connectors/types.ts';
import type { JsonValue } from '../core/json.ts';
import { isFullReadUnderWay, type SyncStateRow } from './stateQueries.ts';

/** Where a stream's read starts. */
export interface StreamStart {
  readonly state: JsonValue | null;
  /** Whether a record that does not come is gone. */
  readonly full: boolean;
  /** What records are marked with as seen; null until the first page begins a full read. */
  readonly readId: number | null;
}

/**
 * Decides between going on in the middle, reading what changed and reading everything.
 *
 * @param state as stored, or null for a full refresh that has not begun
 */
export function startOfStream(
  row: SyncStateRow,
  state: JsonValue | null,
  plan: (state: JsonValue | null) => ReadPlan,
): StreamStart {
  const { kind, resumes } = plan(state);
  if (kind === 'incremental') return { state, full: false, readId: row.full_read_id ?? 0 };
  if (!resumes) return { state, full: true, readId: null };
  // Without the id of the read that the state is in the middle of, what its first pages held would count as gone.
  if (isFullReadUnderWay(row)) return { state, full: true, readId: row.full_read_id };
  const full = plan(null).kind === 'full';
  return { state: null, full, readId: full ? null : (row.full_read_id ?? 0) };
}
