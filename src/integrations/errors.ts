import { AppError, ConflictError } from '../core/errors.ts';
import type { ConnectionTestResult } from './types.ts';

/** No integration has this id (or it is being deleted). */
export class IntegrationNotFoundError extends AppError {
  readonly code = 'INTEGRATION_NOT_FOUND';

  constructor(id: string) {
    super(`There is no integration ${JSON.stringify(id)}. List the existing ones with "integrations list".`, {
      details: { integrationId: id },
    });
  }
}

/** No webhook has this id. */
export class WebhookNotFoundError extends AppError {
  readonly code = 'WEBHOOK_NOT_FOUND';

  constructor(id: string) {
    super(`There is no webhook ${JSON.stringify(id)}.`, { details: { webhookId: id } });
  }
}

/** The provider did not accept the connection; `result` says which way it failed and what to do. */
export class ConnectionFailedError extends AppError {
  readonly code = 'CONNECTION_FAILED';
  readonly result: ConnectionTestResult;

  constructor(name: string, result: ConnectionTestResult) {
    super(`${name} could not be connected: ${result.error ?? result.status}`, { details: { result } });
    this.result = result;
  }
}

/** The platform's description now sends the credentials somewhere they were not given for. */
export class CredentialsForOtherOriginError extends AppError {
  readonly code = 'CREDENTIALS_FOR_OTHER_ORIGIN';

  constructor(id: string, given: readonly string[], wanted: readonly string[]) {
    super(
      `The credentials of integration ${id} were stored for ${given.join(', ') || 'no address'}, but would now be sent to ${wanted.join(', ')}. If that is meant, store the credentials again.`,
      { details: { integrationId: id, given, wanted } },
    );
  }
}

/** The operation needs a connected integration; connect it first. */
export class IntegrationDisconnectedError extends AppError {
  readonly code = 'INTEGRATION_DISCONNECTED';

  constructor(id: string) {
    super(
      `Integration ${id} is disconnected, so nothing is sent to its provider. Connect it first (connectIntegration).`,
      {
        details: { integrationId: id },
      },
    );
  }
}

/** A change that was made from another version than the stored one; `actual` is null when it changed meanwhile. */
export function versionConflict(id: string, expected: number, actual: number | null): ConflictError {
  const now = actual === null ? 'it was changed meanwhile' : `it is version ${actual} now`;
  return new ConflictError(
    `Integration ${id} was to be changed as version ${expected}, but ${now}. Nothing was changed. Read it again and repeat the change.`,
    {
      details: { integrationId: id, expectedVersion: expected, ...(actual === null ? {} : { actualVersion: actual }) },
    },
  );
}
