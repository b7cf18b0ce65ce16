import { AppError } from '../core/errors.ts';

/** A job of a kind that this program does not define: a mistake in the program. */
export class UnknownJobError extends AppError {
  readonly code = 'UNKNOWN_JOB';
}
