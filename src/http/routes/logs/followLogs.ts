import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../../../app.ts';
import { isId } from '../../../core/ids.ts';
import type { LiveSink, LiveStream } from '../../../logging/live/liveStream.ts';
import { choiceFilter } from '../../../logging/search/logQuery.ts';
import type { LogLevel } from '../../../logging/types.ts';
import { OverloadedError } from '../../errors.ts';
import { logChoice, logIntegration } from '../../schemas/logs.ts';

/** What a stream is asked for. */
export const followQuery = z.strictObject({
  ...logChoice,
  integrationId: logIntegration,
  since: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Begins after this `seq`; else with what comes.'),
});

interface FollowQuery {
  readonly level?: LogLevel;
  readonly levels?: readonly LogLevel[];
  readonly searchQuery?: string;
  readonly operationId?: string;
  readonly traceId?: string;
  readonly integrationId?: string;
  readonly since?: number;
}

/** Says what is wrong while it can still be answered as a problem. @throws InvalidLogQueryError, InvalidInputError */
export function checkFollow(query: FollowQuery): void {
  choiceFilter(query, Date.now());
}

/**
 * Begins to follow over the connection of a request, for as long as whoever asks may see what comes.
 * @throws OverloadedError when as many follow as may
 */
export async function follow(
  app: App,
  request: FastifyRequest,
  query: FollowQuery,
  sink: LiveSink,
): Promise<LiveStream> {
  const { integrationId = null, since = null, ...choice } = query;
  const { principal, access } = request;
  const stream = app.logs.streams.open({
    filter: choiceFilter(choice, Date.now()),
    visible: await access.visible('logs:read'),
    integrationId,
    since,
    sink,
    recheck: () => access.visible('logs:read'),
  });
  if (stream === null) throw new OverloadedError();
  // Whoever is frozen gets nothing more at once; the guard cuts the connection.
  request.freezeSignal.addEventListener('abort', () => stream.end('forbidden'));
  // Of people who came with a token of Stack Auth there is no session here; their streams end by their age.
  if (principal.kind === 'user' && isId('session', principal.sessionId)) {
    const unwatch = request.server.sessionWatch.watch(principal.sessionId, () => stream.end('forbidden'));
    stream.ended.addEventListener('abort', unwatch);
  }
  return stream;
}
