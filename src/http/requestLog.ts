import { principalKey } from '../access/decisions/actor.ts';
import type { Log } from '../core/log.ts';
import type { Server } from './typeProvider.ts';

const SLOW_MS = 1_000;

/** One line a request: failures of the server and slow ones at info, the rest at debug. No header, no query, no body. */
export function logRequests(server: Server, log: Log): void {
  server.addHook('onResponse', async (request, reply) => {
    const durationMs = Math.round(reply.elapsedTime);
    const fields = {
      requestId: request.id,
      ...(request.identity === null ? {} : { actor: principalKey(request.identity) }),
      method: request.method,
      path: request.url.split('?')[0],
      status: reply.statusCode,
      durationMs,
    };
    if (reply.statusCode >= 500) log.info('A request failed', fields);
    else if (durationMs > SLOW_MS) log.info('A request was slow', fields);
    else log.debug('A request was answered', fields);
  });
}
