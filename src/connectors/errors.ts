import { AppError } from '../core/errors.ts';
import type { Outcome } from '../outgoing/types.ts';

/** More than these help nobody, and finding them costs time. */
export const MAX_PROBLEMS = 50;
export const MORE_PROBLEMS = `has more problems than the ${MAX_PROBLEMS} listed here.`;

/** One thing wrong with a connector. */
export interface ConnectorProblem {
  readonly path: readonly (string | number)[];
  /** What is wrong, what came, what is taken. */
  readonly message: string;
}

/** A problem with its place in the file; both numbers start at 1. */
export interface LocatedProblem extends ConnectorProblem {
  readonly line: number;
  readonly column: number;
}

/** A connector file is not valid. `problems` lists what was found, in the order of the file. */
export class InvalidConnectorError extends AppError {
  readonly code = 'INVALID_CONNECTOR';
  readonly fileName: string;
  readonly problems: readonly LocatedProblem[];

  constructor(fileName: string, problems: readonly LocatedProblem[]) {
    const lines = problems.map(({ line, column, path, message }) => {
      const where = path.length === 0 ? '' : ` ${path.join('.')}`;
      return `${fileName}:${line}:${column}${where}: ${message}`;
    });
    super(`The connector is not valid.\n${lines.join('\n')}`, { details: { fileName, problems } });
    this.fileName = fileName;
    this.problems = problems;
  }
}

/** No platform of this name was added at run time. */
export class ConnectorNotFoundError extends AppError {
  readonly code = 'CONNECTOR_NOT_FOUND';
}

/** The credentials at hand fit none of the connector's ways to authenticate. */
export class MissingCredentialsError extends AppError {
  readonly code = 'MISSING_CREDENTIALS';
}

/**
 * A stream cannot be read as its connector describes it: the answer has another form, a record has no key, the
 * pages go in circles. Trying again will not help; the connector or the configuration must change.
 */
export class StreamReadError extends AppError {
  readonly code = 'STREAM_READ_FAILED';
  /** Always `bad_response`, so that it can be shown beside the outcomes of calls. */
  readonly outcome: Outcome = 'bad_response';
}

/** A request cannot be made from what the connector, the configuration and the records give. */
export class InvalidRequestError extends AppError {
  readonly code = 'INVALID_CONNECTOR_REQUEST';
  readonly outcome: Outcome = 'invalid_request';
}

/** The provider answered the request for a token with something that holds none. */
export class TokenRequestError extends AppError {
  readonly code = 'TOKEN_REQUEST_FAILED';
  readonly outcome: Outcome = 'bad_response';
}
