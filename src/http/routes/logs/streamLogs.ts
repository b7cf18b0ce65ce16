import type { WebSocket } from '@fastify/websocket';
import { z } from 'zod';
import { errorMessage } from '../../../core/errors.ts';
import type { EndReason, LiveSink } from '../../../logging/live/liveStream.ts';
import { LiveMessage } from '../../../logging/live/messages.ts';
import { UpgradeRequiredError } from '../../errors.ts';
import { answers } from '../../schemas/problem.ts';
import { requireOwnOrigin } from '../../sessionAuthentication.ts';
import { type AddRoute, API } from '../route.ts';
import { checkFollow, follow, followQuery } from './followLogs.ts';

/** RFC 6455 §7.4.1, and 1013 "try again later" of its registry. */
const CLOSE_CODES: Readonly<Record<EndReason, number>> = { stuck: 1013, forbidden: 1008, goingAway: 1001 };
/** How long the other side has to answer the close. */
const CLOSE_WAIT_MS = 2_000;

const upgraded = {
  description: 'The connection is a WebSocket from here on.',
  content: { '*/*': { schema: z.any() } },
};

export const streamLogs: AddRoute = (server, app) => {
  server.route({
    method: 'GET',
    url: `${API}/logs/stream`,
    exposeHeadRoute: false,
    config: { permission: 'logs:read', about: 'many' },
    schema: {
      operationId: 'streamLogs',
      summary: 'Follow the logs over a WebSocket',
      description:
        'Sends `{"seq", "logs"}`, where `seq` is where to resume with `since`, and `{"gap", "fromSeq", "toSeq"}` for what was left out.',
      tags: ['logs'],
      querystring: followQuery,
      response: { ...answers({}, 400), 101: upgraded },
    },
    preHandler: async (request) => {
      // Browsers let a page of any site open a WebSocket, and send the cookie with it.
      requireOwnOrigin(request, app.config);
      checkFollow(request.query);
    },
    handler: async () => {
      throw new UpgradeRequiredError();
    },
    wsHandler: async (socket, request) => {
      const sink = webSocketSink(socket);
      // What a client says means nothing here, but it must be read for its pongs and its close.
      socket.on('message', () => {});
      try {
        const stream = await follow(app, request, followQuery.parse(request.query), sink);
        socket.on('close', () => stream.end(null));
        if (socket.readyState !== socket.OPEN) stream.end(null);
      } catch (error) {
        app.log.warn('A stream of logs could not begin', { requestId: request.id, reason: errorMessage(error) });
        sink.close('stuck');
      }
    },
  });
};

function webSocketSink(socket: WebSocket): LiveSink {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  return {
    bufferedBytes: () => socket.bufferedAmount,
    send: (message) => socket.send(message.json, { binary: false }),
    beat(seq) {
      if (!answered) return socket.terminate();
      answered = false;
      socket.ping();
      socket.send(LiveMessage.logs([], seq).json, { binary: false });
    },
    close(reason) {
      socket.close(CLOSE_CODES[reason], reason);
      // One that takes nothing takes no close either.
      setTimeout(() => socket.terminate(), CLOSE_WAIT_MS).unref();
    },
  };
}
