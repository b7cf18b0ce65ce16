import { AppError } from '../core/errors.ts';

/** There is no event with this id or number in the audit log. */
export class AuditEntryNotFoundError extends AppError {
  readonly code = 'AUDIT_ENTRY_NOT_FOUND';

  constructor(reference: string) {
    super(`The audit log has no entry ${JSON.stringify(reference)}. "audit list" shows them.`, {
      details: { entry: reference },
    });
  }
}

/** What is stored of the audit log contradicts itself or a signed checkpoint: somebody changed it. */
export class AuditTamperedError extends AppError {
  readonly code = 'AUDIT_LOG_TAMPERED';
}

/** A checkpoint, key, proof or export given for verification cannot be read, or is not of the log. */
export class InvalidAuditFileError extends AppError {
  readonly code = 'INVALID_AUDIT_FILE';
}

/** A receiver did not take a checkpoint; it is sent again. */
export class CheckpointNotDeliveredError extends AppError {
  readonly code = 'CHECKPOINT_NOT_DELIVERED';
}
