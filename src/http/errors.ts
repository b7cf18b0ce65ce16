import { AppError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';

/** A refusal made by the server itself, before a domain was asked. `headers` belong to the answer. */
export abstract class RequestError extends AppError {
  readonly headers: Readonly<Record<string, string>> = {};
}

/** No credential came, or none that opens anything. */
export class UnauthenticatedError extends RequestError {
  readonly code = 'UNAUTHENTICATED';
  readonly credentialCame: boolean;
  override readonly headers: Readonly<Record<string, string>>;

  /** @param why null: nothing came; `wrong`: it is unknown; else a sentence that says why it does not open anything */
  constructor(why: string | null) {
    super(
      why === null
        ? 'An API key is needed. Send it as "Authorization: Bearer …" or "X-API-Key: …"; the start prints it, and in production it is the value of API_KEY. Users have keys of their own.'
        : why === 'wrong'
          ? 'The API key is not a right one. Send the key that the start printed, the value of API_KEY, or one of a user, as "Authorization: Bearer …".'
          : why,
    );
    this.credentialCame = why !== null;
    // RFC 6750 §3: no error code when no credentials came.
    this.headers = {
      'www-authenticate': `Bearer realm="integration-services"${why === null ? '' : ', error="invalid_token"'}`,
    };
  }
}

/** More requests came than one address, or one user or key, may make in a minute. */
export class TooManyRequestsError extends RequestError {
  readonly code = 'TOO_MANY_REQUESTS';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(whose: string, limit: number, retryAfterSeconds: number) {
    const from = whose === 'address' ? 'this address' : 'this user or key';
    super(`More than ${limit} requests a minute came from ${from}. Try again in ${retryAfterSeconds} seconds.`, {
      details: { limit, retryAfterSeconds },
    });
    this.headers = { 'retry-after': String(retryAfterSeconds) };
  }
}

/** An address sent too many wrong keys; until the wait is over its wrong keys are not answered one by one. */
export class TooManyFailedAttemptsError extends RequestError {
  readonly code = 'TOO_MANY_FAILED_ATTEMPTS';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(retryAfterSeconds: number) {
    super(
      `Too many requests with a wrong or missing API key came from this address. Correct the key and try again in ${retryAfterSeconds} seconds.`,
      { details: { retryAfterSeconds } },
    );
    this.headers = { 'retry-after': String(retryAfterSeconds) };
  }
}

/** A page of another site, through the person's browser, asked the server on this machine. */
export class ForeignSiteError extends RequestError {
  readonly code = 'FOREIGN_SITE';
}

export class RouteNotFoundError extends RequestError {
  readonly code = 'ROUTE_NOT_FOUND';
}

export class MethodNotAllowedError extends RequestError {
  readonly code = 'METHOD_NOT_ALLOWED';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(method: string, path: string, allowed: readonly string[]) {
    super(`${path} does not take ${method}. It takes ${allowed.join(', ')}.`, { details: { allowed } });
    this.headers = { allow: allowed.join(', ') };
  }
}

/** The bytes of the request are not what they claim to be: HTTP, a URL, UTF-8, JSON. */
export class MalformedRequestError extends RequestError {
  readonly code = 'MALFORMED_REQUEST';
}

export class RequestTooLargeError extends RequestError {
  readonly code = 'REQUEST_TOO_LARGE';
}

export function bodyTooLarge(): RequestTooLargeError {
  return new RequestTooLargeError(`The body is larger than ${LIMITS.requestBodyBytes} bytes, which is the limit.`);
}

/** The request did not arrive completely in time. */
export class RequestTimeoutError extends RequestError {
  readonly code = 'REQUEST_TIMEOUT';
}

export class UnsupportedMediaTypeError extends RequestError {
  readonly code = 'UNSUPPORTED_MEDIA_TYPE';
}

/** What is there only as a WebSocket was asked for as a page. */
export class UpgradeRequiredError extends RequestError {
  readonly code = 'UPGRADE_REQUIRED';
  override readonly headers = { upgrade: 'websocket', connection: 'Upgrade' };

  constructor() {
    super('This address takes WebSockets only. GET /api/v1/logs/events gives the same as Server-Sent Events.');
  }
}

/** `If-Match` names a version that is no longer the stored one. */
export class PreconditionFailedError extends RequestError {
  readonly code = 'PRECONDITION_FAILED';
}

/** The first request with this Idempotency-Key is still being answered. */
export class IdempotencyKeyInFlightError extends RequestError {
  readonly code = 'IDEMPOTENCY_KEY_IN_FLIGHT';
  override readonly headers = { 'retry-after': '1' };

  constructor() {
    super(
      'The first request with this Idempotency-Key is still being answered. Repeat the same request in a moment to get its answer.',
    );
  }
}

/** The Idempotency-Key was used for another request. */
export class IdempotencyKeyReusedError extends RequestError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';

  constructor() {
    super(
      'This Idempotency-Key was used in the last 24 hours for a request with another method, address or body. Take a new key for a new request.',
    );
  }
}

/** The request was carried out, but its answer cannot be given again. */
export class IdempotentAnswerLostError extends RequestError {
  readonly code = 'IDEMPOTENT_ANSWER_LOST';

  constructor(status: number) {
    super(
      `The first request with this Idempotency-Key was carried out and answered with ${status}, but its answer was not kept. Read the state instead of repeating the request.`,
      { details: { status } },
    );
  }
}

/** More work came than is done in time; nothing of the request was carried out. */
export class OverloadedError extends RequestError {
  readonly code = 'OVERLOADED';
  override readonly headers = { 'retry-after': '3' };

  constructor() {
    super('The server has more work than it can do in time. Nothing was carried out; try again in a few seconds.');
  }
}

/** Stands for everything that was not meant to happen; its cause is in the log and nowhere else. */
export class InternalServerError extends AppError {
  readonly code = 'INTERNAL';

  constructor(cause: unknown) {
    super('Something went wrong inside the server. The log has the reason under this requestId.', { cause });
  }
}
