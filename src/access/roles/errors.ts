import { AppError } from '../../core/errors.ts';

/** No role has this name. */
export class RoleNotFoundError extends AppError {
  readonly code = 'ROLE_NOT_FOUND';

  constructor(name: string) {
    super(`There is no role ${JSON.stringify(name)}.`, { details: { role: name } });
  }
}

/** A role cannot go while users have it. */
export class RoleInUseError extends AppError {
  readonly code = 'ROLE_IN_USE';

  constructor(name: string, userIds: readonly string[]) {
    super(`Users have the role ${name} (${userIds.join(', ')}). Give them another one first.`, {
      details: { role: name, userIds },
    });
  }
}

/** Without an active owner nobody could ever make one again. */
export class LastOwnerError extends AppError {
  readonly code = 'LAST_OWNER';

  constructor(userId: string) {
    super(`${userId} is the last active owner. Make somebody else an owner first.`, { details: { userId } });
  }
}
