import { AppError } from '../../core/errors.ts';

/** No API key has this id, or none that the caller may know of. */
export class ApiKeyNotFoundError extends AppError {
  readonly code = 'API_KEY_NOT_FOUND';

  constructor(id: string) {
    super(`There is no API key ${JSON.stringify(id)}. List the existing ones with "api-keys list".`, {
      details: { apiKeyId: id },
    });
  }
}
