import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { LiveSink } from '../../../logging/live/liveStream.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';
import { checkFollow, follow, followQuery } from './followLogs.ts';

const CLOSE_WAIT_MS = 2_000;

const events = { description: 'Events, without an end.', content: { 'text/event-stream': { schema: z.string() } } };

export const logEvents: AddRoute = (server, app) => {
  server.get(
    `${API}/logs/events`,
    {
      exposeHeadRoute: false,
      config: { permission: 'logs:read', about: 'many' },
      schema: {
        operationId: 'logEvents',
        summary: 'Follow the logs as Server-Sent Events',
        description:
          'Events `logs` and `gap`, with the same data as the WebSocket. `Last-Event-ID` resumes, as browsers do.',
        tags: ['logs'],
        querystring: followQuery,
        response: { ...answers({}, 400), 200: events },
      },
    },
    async (request, reply) => {
      checkFollow(request.query);
      const last = request.headers['last-event-id'];
      const since = typeof last === 'string' && /^\d{1,15}$/.test(last) ? Number(last) : request.query.since;
      const sink = eventSink(reply.raw, () =>
        reply.raw.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>),
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          // Proxies that gather answers would keep the records to themselves.
          'x-accel-buffering': 'no',
        }),
      );
      // Before the first byte is sent, so that what is thrown is answered as a problem.
      const stream = await follow(app, request, { ...request.query, since }, sink);
      reply.hijack();
      reply.raw.on('close', () => stream.end(null));
      if (reply.raw.destroyed) stream.end(null);
    },
  );
};

function eventSink(response: ServerResponse, begin: () => void): LiveSink {
  const write = (text: string | Buffer) => {
    if (!response.headersSent) begin();
    if (!response.writableEnded) response.write(text);
  };
  return {
    bufferedBytes: () => response.writableLength,
    send: (message) => write(message.sse),
    // An event without data moves the client's last id and nothing else.
    beat: (seq) => write(`id: ${seq}\n\n`),
    close() {
      response.end();
      setTimeout(() => response.destroy(), CLOSE_WAIT_MS).unref();
    },
  };
}
