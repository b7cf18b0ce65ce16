import { AppError } from '../../core/errors.ts';

/** No break-glass request has this id, or it is somebody else's. */
export class BreakGlassNotFoundError extends AppError {
  readonly code = 'BREAK_GLASS_NOT_FOUND';

  constructor(id: string) {
    super(`There is no break-glass request ${JSON.stringify(id)}.`, { details: { breakGlassId: id } });
  }
}

/** The request was approved, ended or has expired before. */
export class BreakGlassOverError extends AppError {
  readonly code = 'BREAK_GLASS_OVER';

  constructor(id: string, status: string) {
    super(`The break-glass request ${id} is ${status}, so this can no longer be done.`, {
      details: { breakGlassId: id, status },
    });
  }
}
