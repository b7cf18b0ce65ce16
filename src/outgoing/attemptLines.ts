import type { Log } from '../core/log.ts';
import type { AttemptRecord, AttemptSink } from './types.ts';

/** Hands attempts on and logs each: failed ones at verbose, the others at debug. Where neither is taken it costs nothing. */
export function logAttempts(sink: AttemptSink, log: Log): AttemptSink {
  return {
    record(attempt) {
      sink.record(attempt);
      if (log.isVerbose?.(attempt.integrationId) !== true) return;
      if (attempt.outcome === 'success') log.debug('An outgoing call was answered', fieldsOf(attempt));
      else log.verbose('An outgoing call failed', fieldsOf(attempt));
    },
  };
}

function fieldsOf(attempt: AttemptRecord) {
  const { integrationId, operationId, operation, method, host, path, status, outcome, error } = attempt;
  return {
    eventName: 'call.finished',
    integrationId,
    operationId,
    operation,
    attempt: attempt.attempt,
    method,
    host,
    path,
    status,
    outcome,
    durationMs: Math.round(attempt.durationMs),
    waitMs: Math.round(attempt.waitMs),
    responseBytes: attempt.responseBytes,
    ...(error === null ? {} : { reason: error }),
  };
}
