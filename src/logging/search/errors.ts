import { AppError } from '../../core/errors.ts';

/** A search text that cannot be read. Nothing was searched. */
export class InvalidLogQueryError extends AppError {
  readonly code = 'INVALID_LOG_QUERY';

  /**
   * @param position where in the text, from 0 on
   * @param advice what to write instead
   */
  constructor(query: string, position: number, problem: string, advice: string) {
    const found = query.slice(position, position + 30);
    const place = found === '' ? 'at its end' : `at character ${position + 1} (${JSON.stringify(found)})`;
    super(`The search is not valid ${place}: ${problem} ${advice}`.trim(), { details: { position, advice } });
  }
}

/** A search that looked at more than may be looked at in one go; nothing of it is given. */
export class LogSearchStoppedError extends AppError {
  readonly code = 'LOG_SEARCH_STOPPED';

  constructor(timeoutMs: number) {
    super(
      `The search was stopped after ${timeoutMs} ms, because it has to look at too many records. Take a shorter time range, one integration, an operation or a trace, or add a rarer word of the message.`,
      { details: { timeoutMs } },
    );
  }
}

/** As many searches run and wait as may. */
export class LogSearchBusyError extends AppError {
  readonly code = 'LOG_SEARCH_BUSY';

  constructor() {
    super('Too many searches of the logs are under way. Try again in a second.', { details: { retryAfterMs: 1_000 } });
  }
}
