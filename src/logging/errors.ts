import { AppError } from '../core/errors.ts';

/** Log records come faster than they can be kept: this one was dropped, and counted. */
export class LogsOverloadedError extends AppError {
  readonly code = 'LOGS_OVERLOADED';
}

/** An archive of logs is not what its manifest says. Nothing was deleted, or imported, because of it. */
export class LogArchiveError extends AppError {
  readonly code = 'LOG_ARCHIVE_INVALID';
}
