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
  ACCESS_DENIED: type(403, 'You may not do this', 'Ask for the permission that `detail` names.'),
  ALERT_NOT_ACTIVE: type(409, 'The alert is not active', 'List active alerts with GET /api/v1/alerts/active.'),
  ALERT_RULE_NOT_FOUND: type(404, 'There is no such alert rule', 'List them with GET /api/v1/alerts/rules.'),
  API_KEY_NOT_FOUND: type(404, 'There is no such API key', 'List them with GET /api/v1/me/api-keys.'),
  AUDIT_ENTRY_NOT_FOUND: type(404, 'There is no such entry in the audit log', 'List them with GET /api/v1/audit.'),
  AUDIT_LOG_TAMPERED: type(500, 'Somebody changed the audit log', 'Run "audit verify" and keep what it says.'),
  AUTHENTICATION_BUSY: type(503, 'Too many passwords are being checked', 'Try again after `Retry-After` seconds.'),
  BREAK_GLASS_NOT_FOUND: type(404, 'There is no such break-glass request', 'List them with GET /api/v1/break-glass.'),
  BREAK_GLASS_OVER: type(409, 'The break-glass request is past this step', 'Make a new request if it is needed.'),
  CHECKPOINT_NOT_DELIVERED: type(502, 'A checkpoint was not taken', 'Check the receiver; it is sent again.'),
  CONFLICT: type(409, 'Somebody else changed it first', 'Read it again and repeat the change.'),
  CONNECTION_FAILED: type(422, 'The provider did not accept the connection', 'Do what `details.result.error` says.'),
  CONNECTOR_NOT_FOUND: type(404, 'There is no such platform', 'List the platforms with GET /api/v1/connectors.'),
  CREDENTIALS_FOR_OTHER_ORIGIN: type(
    409,
    'The credentials were stored for another address',
    'Store the credentials again if the new address is meant.',
  ),
  CREDENTIALS_UNREADABLE: type(500, 'Stored credentials cannot be opened', 'Store the credentials again.'),
  CSRF_TOKEN_REJECTED: type(
    403,
    'The token of the session’s pages is missing',
    'Send X-CSRF-Token with `csrfToken` of GET …/auth/session.',
  ),
  DASHBOARD_NOT_FOUND: type(404, 'There is no such dashboard', 'List them with GET /api/v1/dashboards.'),
  DATA_FOLDER_IN_USE: type(503, 'Another process serves the data folder', 'Stop it, or set another DATA_DIR.'),
  EMAIL_NOT_CONFIGURED: type(
    409,
    'The installation sends no e-mail',
    'Use the command line, or set SMTP_URL and SMTP_FROM.',
  ),
  EMAIL_NOT_SENT: type(502, 'The mail server did not take an e-mail', 'Look at SMTP_URL; it is tried again.'),
  EMAIL_TAKEN: type(409, 'A user with this e-mail address exists', 'Take another address.'),
  ENCRYPTION_NOT_CONFIGURED: type(500, 'There is no secret to encrypt with', 'Set ENCRYPTION_SECRET.'),
  ENCRYPTION_SECRET_MISMATCH: type(
    500,
    'ENCRYPTION_SECRET is not the one the database was made with',
    'Start with the former ENCRYPTION_SECRET.',
  ),
  EXPERIMENT_NOT_FOUND: type(
    404,
    'There is no such experiment',
    'List them with GET /api/v1/integrations/{id}/optimizations.',
  ),
  FOREIGN_SITE: type(403, 'The request came through a page of another site', 'Send it from this server or a program.'),
  GRANT_NOT_FOUND: type(404, 'There is no such grant', 'List them with GET /api/v1/users/{id}/grants.'),
  IDEMPOTENCY_KEY_IN_FLIGHT: type(409, 'The first request is still being answered', 'Repeat it in a moment.'),
  IDEMPOTENCY_KEY_REUSED: type(422, 'The Idempotency-Key belongs to another request', 'Take a new key.'),
  IDEMPOTENT_ANSWER_LOST: type(409, 'Carried out, but the answer was not kept', 'Read the state instead.'),
  INCOMPLETE_READ: type(502, 'A stream ended before its last page', 'Sync again; nothing was deleted.'),
  INHIBITION_RULE_NOT_FOUND: type(
    404,
    'There is no such inhibition rule',
    'List them with GET /api/v1/alerts/inhibitions.',
  ),
  INTEGRATION_DISCONNECTED: type(409, 'The integration is disconnected', 'Connect it first: POST …/connect.'),
  INTEGRATION_NOT_FOUND: type(404, 'There is no such integration', 'List them with GET /api/v1/integrations.'),
  INTERNAL: type(500, 'Something went wrong inside the server', 'Look into the log under the `requestId`.'),
  INVALID_AUDIT_FILE: type(400, 'A file to verify cannot be used', 'Do what the message says.'),
  INVALID_CONFIGURATION: type(500, 'The configuration is not valid', 'Correct the variables that the start names.'),
  INVALID_CONNECTOR: type(400, 'The description of the platform is not valid', 'Correct every entry of `errors`.'),
  INVALID_CONNECTOR_REQUEST: type(
    422,
    'The platform’s description makes no valid request',
    'Correct the connection fields or the description.',
  ),
  INVALID_INPUT: type(400, 'The input is not valid', 'Correct every entry of `errors`; nothing was changed.'),
  INVALID_LOG_QUERY: type(400, 'The search cannot be read', 'Correct it at `details.position`; see `details.advice`.'),
  INVALID_TOKEN: type(410, 'The link or ticket is not valid any more', 'Ask for a new one, or sign in again.'),
  INVITATION_NOT_FOUND: type(404, 'There is no such open invitation', 'List them with GET /api/v1/auth/invitations.'),
  LAST_OWNER: type(409, 'The last active owner has to stay one', 'Make somebody else an owner first.'),
  LOGIN_THROTTLED: type(429, 'Too many failed attempts', 'Try again after `Retry-After` seconds.'),
  LOGS_OVERLOADED: type(503, 'Log records come faster than they can be kept', 'Try again; it was counted as dropped.'),
  LOG_ARCHIVE_INVALID: type(422, 'An archive of logs is not what its manifest says', 'Take another copy of it.'),
  LOG_SEARCH_BUSY: type(503, 'Too many searches of the logs are under way', 'Try again in a second.'),
  LOG_SEARCH_STOPPED: type(
    422,
    'A search of the logs looked at too much',
    'Take a shorter time range, an integration or a higher level.',
  ),
  MAINTENANCE_WINDOW_NOT_FOUND: type(
    404,
    'There is no such maintenance window',
    'List them with GET …/maintenance-windows.',
  ),
  MALFORMED_REQUEST: type(400, 'The request cannot be read', 'Correct the address or the body where `detail` says.'),
  METHOD_NOT_ALLOWED: type(405, 'This address takes other methods', 'Use one of the `Allow` header.'),
  METRIC_QUERY_TOO_LARGE: type(
    422,
    'The query reaches more than is read for one question',
    'Ask for less time, fewer integrations or a longer step.',
  ),
  MIGRATION_FAILED: type(500, 'A migration of the database failed', 'Do what the message says and start again.'),
  MISSING_CREDENTIALS: type(409, 'The integration has no credentials', 'Store them: PATCH with `credentials`.'),
  NOTIFICATION_CHANNEL_IN_USE: type(
    409,
    'Policies send to the channel',
    'Take it out of the policies that `detail` names.',
  ),
  NOTIFICATION_CHANNEL_NAME_TAKEN: type(409, 'A channel with this name exists', 'Take another name.'),
  NOTIFICATION_CHANNEL_NOT_FOUND: type(404, 'There is no such channel', 'List them with GET /api/v1/alerts/channels.'),
  NOTIFICATION_POLICY_DEFAULT: type(409, 'The default policy stays', 'Add a policy of your own before it.'),
  NOTIFICATION_POLICY_NOT_FOUND: type(404, 'There is no such policy', 'List them with GET /api/v1/alerts/policies.'),
  NO_PENDING_DELETIONS: type(409, 'No deletions wait for a confirmation', 'See `pendingDeletions` with GET …/streams.'),
  OUTGOING_CALL_FAILED: type(502, 'The provider did not answer as it should', 'See `details.outcome`; try later.'),
  OVERLOADED: type(503, 'The server has too much work', 'Try again after `Retry-After` seconds.'),
  PERFORMANCE_MONITORING_OFF: type(409, 'Performance monitoring is off', 'Set PERFORMANCE_MONITORING_ENABLED=true.'),
  PRECONDITION_FAILED: type(412, 'If-Match names an old version', 'Read it again and repeat with the new ETag.'),
  RATE_BUDGET_EXCEEDED: type(429, 'The integration’s rate budget is used up', 'Try again later.'),
  RECORD_REJECTED: type(502, 'A record cannot be stored', 'Do what the message says.'),
  REQUEST_TIMEOUT: type(408, 'The request did not arrive in time', 'Send it again.'),
  REQUEST_TOO_LARGE: type(413, 'The request is too large', 'Send less; `detail` says the limit.'),
  ROLE_ABOVE_OWN: type(403, 'The account has a role above your own', 'Ask somebody with that role.'),
  ROLE_IN_USE: type(409, 'Users have the role', 'Give these users another role first.'),
  ROLE_NOT_FOUND: type(404, 'There is no such role', 'List them with GET /api/v1/roles.'),
  ROUTE_NOT_FOUND: type(404, 'There is nothing at this address', 'See the addresses at /docs.'),
  SECOND_FACTOR_STATE: type(
    409,
    'The second factor is on already, or not there',
    'See `secondFactor` of GET …/auth/session.',
  ),
  SESSION_NOT_FOUND: type(404, 'There is no such session of yours', 'List them with GET /api/v1/auth/sessions.'),
  SESSION_REQUIRED: type(403, 'This belongs to a person, not to a key', 'Sign in with POST /api/v1/auth/login.'),
  SETUP_DONE: type(410, 'The installation is set up already', 'Sign in, or ask for an invitation.'),
  SILENCE_NOT_FOUND: type(404, 'There is no such silence', 'List them with GET /api/v1/alerts/silences.'),
  SILENCE_OVER: type(409, 'The silence is over', 'Make a new one if it is needed.'),
  STREAM_READ_FAILED: type(502, 'A stream could not be read', 'Do what the message says.'),
  SYNC_RUN_CRASHED: type(500, 'Worker after worker died in this run', 'Look into the log; sync again.'),
  SYNC_RUN_NOT_FOUND: type(404, 'There is no such run', 'List them with GET …/runs.'),
  TOKEN_REQUEST_FAILED: type(502, 'The provider gave no token', 'Check the credentials and the token address.'),
  TOO_MANY_FAILED_ATTEMPTS: type(429, 'Too many wrong keys', 'Correct the key; wait `Retry-After` seconds.'),
  TOO_MANY_REQUESTS: type(429, 'Too many requests', 'Wait `Retry-After` seconds; see the RateLimit headers.'),
  UNAUTHENTICATED: type(401, 'The API key is missing or wrong', 'Send `Authorization: Bearer <key>`.'),
  UNAVAILABLE: type(503, 'A part that is needed cannot be reached', 'Try again; see /health for which part.'),
  UNKNOWN_JOB: type(500, 'A job is not defined', 'Report it: this is a mistake in the program.'),
  UNKNOWN_STREAM: type(404, 'There is no such stream', 'Take one that the message names.'),
  UNSUPPORTED_DATABASE: type(500, 'The database server is too old', 'Use PostgreSQL 15 or newer.'),
  UNSUPPORTED_MEDIA_TYPE: type(415, 'The body has a type that is not taken', 'Send `application/json`.'),
  UPGRADE_REQUIRED: type(426, 'This address takes WebSockets', 'Open it as one, or take …/logs/events.'),
  USAGE: type(400, 'The command line is not valid', 'See `--help`.'),
  USER_NOT_FOUND: type(404, 'There is no such user', 'List them with GET /api/v1/users.'),
  WEBHOOK_NOT_FOUND: type(404, 'There is no such webhook', 'List them with GET …/webhooks.'),
  WRONG_CODE: type(403, 'The code of the second factor is not right', 'Take the next code, or a recovery code.'),
  WRONG_CREDENTIALS: type(401, 'E-mail address or password is not right', 'Try again, or reset the password.'),
  WRONG_PASSWORD: type(403, 'The present password is not right', 'Try again; nothing was changed.'),
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
