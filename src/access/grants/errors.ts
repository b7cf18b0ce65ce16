import { AppError } from '../../core/errors.ts';

/** No grant or deny has this id. */
export class GrantNotFoundError extends AppError {
  readonly code = 'GRANT_NOT_FOUND';

  constructor(id: string) {
    super(`There is no grant ${JSON.stringify(id)}.`, { details: { grantId: id } });
  }
}
