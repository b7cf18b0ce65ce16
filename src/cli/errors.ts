import { AppError } from '../core/errors.ts';

/** The command line is wrong; nothing was done. */
export class UsageError extends AppError {
  readonly code = 'USAGE';
}
