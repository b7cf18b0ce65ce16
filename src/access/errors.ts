import { AppError } from '../core/errors.ts';

/** Who asks is known, and may not do this. */
export class ForbiddenError extends AppError {
  readonly code = 'FORBIDDEN';
}

/** No user has this id. */
export class UserNotFoundError extends AppError {
  readonly code = 'USER_NOT_FOUND';

  constructor(id: string) {
    super(`There is no user ${JSON.stringify(id)}.`, { details: { userId: id } });
  }
}

/** It would leave the installation without an active owner, so that nobody could undo it. */
export class LastOwnerError extends AppError {
  readonly code = 'LAST_OWNER';

  constructor(userId: string) {
    super(
      `${userId} is the last active owner. Make somebody else an owner first: without one nobody could undo this.`,
      { details: { userId } },
    );
  }
}
