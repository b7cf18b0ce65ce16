import { AppError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';

/** A refusal made by the server itself, before a domain was asked. `headers` belong to the answer. */
export abstract class RequestError extends AppError {
  readonly headers: Readonly<Record<string, string>> = {};
}

/** No key came, or not the right one. */
export class UnauthenticatedError extends RequestError {
  readonly code = 'UNAUTHENTICATED';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(keyCame: boolean) {
    super(
      keyCame
        ? 'The API key is not the right one. Send the key that the start printed, or the value of API_KEY, as "Authorization: Bearer …".'
        : 'An API key is needed. Send it as "Authorization: Bearer …" or "X-API-Key: …"; the start prints it, and in production it is the value of API_KEY.',
    );
    // RFC 6750 §3: no error code when no credentials came.
    this.headers = {
      'www-authenticate': `Bearer realm="integration-services"${keyCame ? ', error="invalid_token"' : ''}`,
    };
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
