import type { Socket } from 'node:net';
import { newId } from '../core/ids.ts';
import { MalformedRequestError, RequestTimeoutError, RequestTooLargeError } from './errors.ts';
import { PROBLEM_MEDIA_TYPE, toProblem } from './problem.ts';

/** Answers what is not HTTP at all, or too slow, before there is a request object; then the connection ends. */
export function answerRawError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = toProblem(explain(error.code), newId('request'));
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      `content-type: ${PROBLEM_MEDIA_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      `request-id: ${problem.requestId}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

function explain(code: string | undefined) {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new RequestTooLargeError('The address and headers together are larger than 16 KiB, which is the limit.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestTimeoutError('The request did not arrive completely in time. Send it again.');
    default:
      return new MalformedRequestError('This is not a valid HTTP/1.1 request.');
  }
}
