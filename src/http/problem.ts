import type { FastifyError } from 'fastify';
import { InvalidConnectorError } from '../connectors/errors.ts';
import { AppError, type InputProblem, InvalidInputError } from '../core/errors.ts';
import {
  bodyTooLarge,
  InternalServerError,
  MalformedRequestError,
  OverloadedError,
  RequestError,
  RequestTooLargeError,
  UnsupportedMediaTypeError,
} from './errors.ts';

/** What an error code means to a client: docs/errors.md and /docs/errors are made of this. */
interface ProblemType {
  readonly status: number;
  readonly title: string;
  readonly remedy: string;
}

/**
 * Every error code of the product. This is the only place that knows status codes; a test compares it with the
 * subclasses of AppError, so a new error cannot be forgotten here.
 */
export const PROBLEM_TYPES = {
  ABORTED: type(503, 'The operation was ended before it was done', 'Try again; the server is stopping or restarting.'),
  API_KEY_NOT_FOUND: type(404, 'There is no such API key', 'List them with GET /api/v1/me/api-keys.'),
  CONFLICT: type(409, 'Somebody else changed it first', 'Read it again and repeat the change.'),
  CONNECTION_FAILED: type(422, 'The provider did not accept the connection', 'Do what `details.result.error` says.'),
  CONNECTOR_NOT_FOUND: type(404, 'There is no such platform', 'List the platforms with GET /api/v1/connectors.'),
  CREDENTIALS_FOR_OTHER_ORIGIN: type(
    409,
    'The credentials were stored for another address',
    'Store the credentials again if the new address is meant.',
  ),
  CREDENTIALS_UNREADABLE: type(500, 'Stored credentials cannot be opened', 'Store the credentials again.'),
  DATA_FOLDER_IN_USE: type(503, 'Another process serves the data folder', 'Stop it, or set another DATA_DIR.'),
  ENCRYPTION_NOT_CONFIGURED: type(500, 'There is no secret to encrypt with', 'Set ENCRYPTION_SECRET.'),
  ENCRYPTION_SECRET_MISMATCH: type(
    500,
    'ENCRYPTION_SECRET is not the one the database was made with',
    'Start with the former ENCRYPTION_SECRET.',
  ),
  FORBIDDEN: type(403, 'You may not do this', 'Ask somebody who may give you the permission in `details`.'),
  FOREIGN_SITE: type(403, 'The request came through a page of another site', 'Send it from this server or a program.'),
  IDEMPOTENCY_KEY_IN_FLIGHT: type(409, 'The first request is still being answered', 'Repeat it in a moment.'),
  IDEMPOTENCY_KEY_REUSED: type(422, 'The Idempotency-Key belongs to another request', 'Take a new key.'),
  IDEMPOTENT_ANSWER_LOST: type(409, 'Carried out, but the answer was not kept', 'Read the state instead.'),
  INCOMPLETE_READ: type(502, 'A stream ended before its last page', 'Sync again; nothing was deleted.'),
  INTEGRATION_DISCONNECTED: type(409, 'The integration is disconnected', 'Connect it first: POST …/connect.'),
  INTEGRATION_NOT_FOUND: type(404, 'There is no such integration', 'List them with GET /api/v1/integrations.'),
  INTERNAL: type(500, 'Something went wrong inside the server', 'Look into the log under the `requestId`.'),
  INVALID_CONFIGURATION: type(500, 'The configuration is not valid', 'Correct the variables that the start names.'),
  INVALID_CONNECTOR: type(400, 'The description of the platform is not valid', 'Correct every entry of `errors`.'),
  INVALID_CONNECTOR_REQUEST: type(
    422,
    'The platform’s description makes no valid request',
    'Correct the connection fields or the description.',
  ),
  INVALID_INPUT: type(400, 'The input is not valid', 'Correct every entry of `errors`; nothing was changed.'),
  LAST_OWNER: type(409, 'Nobody would be left to undo it', 'Make somebody else an owner first.'),
  MALFORMED_REQUEST: type(400, 'The request cannot be read', 'Correct the address or the body where `detail` says.'),
  METHOD_NOT_ALLOWED: type(405, 'This address takes other methods', 'Use one of the `Allow` header.'),
  MIGRATION_FAILED: type(500, 'A migration of the database failed', 'Do what the message says and start again.'),
  MISSING_CREDENTIALS: type(409, 'The integration has no credentials', 'Store them: PATCH with `credentials`.'),
  NO_PENDING_DELETIONS: type(409, 'No deletions wait for a confirmation', 'See `pendingDeletions` with GET …/streams.'),
  OUTGOING_CALL_FAILED: type(502, 'The provider did not answer as it should', 'See `details.outcome`; try later.'),
  OVERLOADED: type(503, 'The server has too much work', 'Try again after `Retry-After` seconds.'),
  PRECONDITION_FAILED: type(412, 'If-Match names an old version', 'Read it again and repeat with the new ETag.'),
  RATE_BUDGET_EXCEEDED: type(429, 'The integration’s rate budget is used up', 'Try again later.'),
  RECORD_REJECTED: type(502, 'A record cannot be stored', 'Do what the message says.'),
  REQUEST_TIMEOUT: type(408, 'The request did not arrive in time', 'Send it again.'),
  REQUEST_TOO_LARGE: type(413, 'The request is too large', 'Send less; `detail` says the limit.'),
  ROUTE_NOT_FOUND: type(404, 'There is nothing at this address', 'See the addresses at /docs.'),
  STREAM_READ_FAILED: type(502, 'A stream could not be read', 'Do what the message says.'),
  SYNC_RUN_CRASHED: type(500, 'Worker after worker died in this run', 'Look into the log; sync again.'),
  SYNC_RUN_NOT_FOUND: type(404, 'There is no such run', 'List them with GET …/runs.'),
  TOKEN_REQUEST_FAILED: type(502, 'The provider gave no token', 'Check the credentials and the token address.'),
  TOO_MANY_FAILED_ATTEMPTS: type(429, 'Too many wrong keys', 'Correct the key; wait `Retry-After` seconds.'),
  TOO_MANY_REQUESTS: type(429, 'Too many requests', 'Wait `Retry-After` seconds; see the RateLimit headers.'),
  UNAUTHENTICATED: type(
    401,
    'The API key, token or session is missing or wrong',
    'Send `Authorization: Bearer <key>`.',
  ),
  UNAVAILABLE: type(503, 'A part that is needed cannot be reached', 'Try again; see /health for which part.'),
  UNKNOWN_JOB: type(500, 'A job is not defined', 'Report it: this is a mistake in the program.'),
  UNKNOWN_STREAM: type(404, 'There is no such stream', 'Take one that the message names.'),
  UNSUPPORTED_DATABASE: type(500, 'The database server is too old', 'Use PostgreSQL 15 or newer.'),
  UNSUPPORTED_MEDIA_TYPE: type(415, 'The body has a type that is not taken', 'Send `application/json`.'),
  USAGE: type(400, 'The command line is not valid', 'See `--help`.'),
  USER_NOT_FOUND: type(404, 'There is no such user', 'Take the id of one that there is.'),
  WEBHOOK_NOT_FOUND: type(404, 'There is no such webhook', 'List them with GET …/webhooks.'),
} as const satisfies Record<string, ProblemType>;

function type(status: number, title: string, remedy: string): ProblemType {
  return { status, title, remedy };
}

/** RFC 9457, with the members `code`, `requestId`, `errors` and `details` of our own. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly requestId: string;
  readonly errors?: readonly InputProblem[];
  readonly details?: Readonly<Record<string, unknown>>;
}

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The answer to anything thrown. What was not thrown on purpose becomes a 500 that says nothing of the inside. */
export function toProblem(error: AppError, requestId: string): Problem {
  const known = Object.hasOwn(PROBLEM_TYPES, error.code) ? (error.code as keyof typeof PROBLEM_TYPES) : 'INTERNAL';
  const { status, title } = PROBLEM_TYPES[known];
  const { problems: _problems, ...details } = error.details;
  const errors = inputProblems(error);
  return {
    type: `/docs/errors#${known}`,
    title,
    status,
    detail: error.message,
    code: known,
    requestId,
    ...(errors === undefined ? {} : { errors }),
    ...(Object.keys(details).length > 0 ? { details } : {}),
  };
}

function inputProblems(error: AppError): readonly InputProblem[] | undefined {
  if (error instanceof InvalidInputError) return error.problems;
  if (!(error instanceof InvalidConnectorError)) return undefined;
  return error.problems.map(({ path, line, column, message }) => ({
    pointer: path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    detail: `Line ${line}, column ${column}: ${message}`,
  }));
}

/** Headers that belong to the answer to this error. */
export function problemHeaders(error: AppError): Readonly<Record<string, string>> {
  if (error instanceof RequestError) return error.headers;
  const { retryAfterMs } = error.details;
  return typeof retryAfterMs === 'number' ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : {};
}

/** Makes an AppError of whatever a handler or Fastify threw. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  switch ((error as Partial<FastifyError> | null)?.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge();
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new UnsupportedMediaTypeError('The body needs a content-type that is taken here: application/json.');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new MalformedRequestError('The body is not as long as its Content-Length says.');
    case 'FST_ERR_BAD_URL':
      return new MalformedRequestError('The address has a percent escape that is not valid UTF-8.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new RequestTooLargeError('A part of the address is longer than anything here is named.');
    case 'FST_UNDER_PRESSURE':
      return new OverloadedError();
    default:
      return new InternalServerError(error);
  }
}
