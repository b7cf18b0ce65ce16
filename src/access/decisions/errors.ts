import { AppError } from '../../core/errors.ts';

/** Whoever asked is known, and may not do it. */
export class AccessDeniedError extends AppError {
  readonly code = 'ACCESS_DENIED';
  /** Whether the audit log has it; whoever lets the error out has it recorded where it does not. */
  recorded = false;
}

/** No user has this id. */
export class UserNotFoundError extends AppError {
  readonly code = 'USER_NOT_FOUND';

  constructor(id: string) {
    super(`There is no user ${JSON.stringify(id)}.`, { details: { userId: id } });
  }
}
