import { AppError } from '../core/errors.ts';

export class SyncRunNotFoundError extends AppError {
  readonly code = 'SYNC_RUN_NOT_FOUND';

  constructor(runId: string) {
    super(`There is no sync run ${JSON.stringify(runId)}.`, { details: { runId } });
  }
}

/** A stream was named that the connector does not have. */
export class UnknownStreamError extends AppError {
  readonly code = 'UNKNOWN_STREAM';
}

/** Nothing waits for a confirmation: no full read of the stream found more deletions than the safe share. */
export class NoPendingDeletionsError extends AppError {
  readonly code = 'NO_PENDING_DELETIONS';
}

/** A record that cannot be stored: too large, too deep, or with too long a key. Nothing is skipped silently. */
export class RecordRejectedError extends AppError {
  readonly code = 'RECORD_REJECTED';
}

/** A read ended before its last page; nothing may be concluded from what did not come. */
export class IncompleteReadError extends AppError {
  readonly code = 'INCOMPLETE_READ';
}

/** Worker after worker died while it worked on this run. */
export class SyncRunCrashedError extends AppError {
  readonly code = 'SYNC_RUN_CRASHED';
}

/** Why a worker has to let go of a run. Never seen outside this folder: the run's row tells how it ended. */
export class RunInterruption extends Error {
  readonly reason: 'stopped' | 'lease_lost' | 'shutdown';

  constructor(reason: 'stopped' | 'lease_lost' | 'shutdown') {
    super(`The run was interrupted: ${reason}`);
    this.reason = reason;
  }
}
