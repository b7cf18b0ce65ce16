import { AppError } from '../../core/errors.ts';

/** The integration has no experiment with this id. */
export class ExperimentNotFoundError extends AppError {
  readonly code = 'EXPERIMENT_NOT_FOUND';

  constructor(integrationId: string, id: string) {
    super(`Integration ${integrationId} has no experiment ${JSON.stringify(id)}.`, {
      details: { integrationId, experimentId: id },
    });
  }
}
