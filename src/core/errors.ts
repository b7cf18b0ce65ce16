/**
 * The one base of every error this product throws on purpose.
 *
 * `code` is stable and documented in docs/errors.md; programs branch on it, never on the message.
 * `details` is safe to show and to log: no secret, no request body of a third party.
 * `message` says what was wrong, where, and what to do.
 */
export abstract class AppError extends Error {
  abstract readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
  }
}

/** One thing wrong with an input: `pointer` is a JSON Pointer (RFC 6901) into it. */
export interface InputProblem {
  readonly pointer: string;
  readonly detail: string;
}

/** The input is wrong; nothing was changed. `problems` lists every fault found, not only the first. */
export class InvalidInputError extends AppError {
  readonly code = 'INVALID_INPUT';
  readonly problems: readonly InputProblem[];

  constructor(message: string, problems: readonly InputProblem[], cause?: unknown) {
    super(message, { details: { problems }, cause });
    this.problems = problems;
  }
}

/** Somebody else changed the thing first; read it again and repeat the change. */
export class ConflictError extends AppError {
  readonly code = 'CONFLICT';
}

/** The caller's AbortSignal fired, or the server is shutting down. */
export class AbortedError extends AppError {
  readonly code = 'ABORTED';
}

/** A part this operation needs (database, embedded server) cannot be reached. */
export class UnavailableError extends AppError {
  readonly code = 'UNAVAILABLE';
}

/** Text of anything thrown, for logs and details. */
export function errorMessage(error: unknown): string {
  // An address with several hosts: the error of all attempts has no words of its own.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorMessage).join('; ');
  // Not only errors: pg-boss hands on copies of them, which are plain objects.
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}
