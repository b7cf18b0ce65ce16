import { z } from 'zod';
import { errorMessage } from '../../../core/errors.ts';
import { logChoice, logIntegration, logTimes, timeRangeOf } from '../../schemas/logs.ts';
import { answers } from '../../schemas/problem.ts';
import { streamPieces } from '../../streamedPieces.ts';
import { type AddRoute, API } from '../route.ts';

const MAX_RECORDS = 1_000_000;

const query = z.strictObject({
  ...logChoice,
  ...logTimes,
  integrationId: logIntegration,
  limit: z.coerce.number().int().min(1).max(MAX_RECORDS).default(MAX_RECORDS).describe('At most so many.'),
});

const records = {
  description: 'The records, newest first.',
  content: { 'application/x-ndjson': { schema: z.string() } },
};

export const exportLogs: AddRoute = (server, app) => {
  server.get(
    `${API}/logs/export`,
    {
      // It would read everything to answer nothing.
      exposeHeadRoute: false,
      config: { permission: 'logs:export', about: 'many' },
      schema: {
        operationId: 'exportLogs',
        summary: 'Export what a search of the logs finds',
        description: 'NDJSON, the newest first, as fast as it is read. A cut answer is not complete.',
        tags: ['logs'],
        querystring: query,
        response: { ...answers({}, 400), 200: records },
      },
    },
    async (request, reply) => {
      const { integrationId = null, timeRange, from, to, limit, ...choice } = request.query;
      const visible = await request.access.visible('logs:export');
      const range = timeRangeOf({ timeRange, from, to });
      const found = app.logs.history.export({ visible, integrationId }, { ...choice, timeRange: range }, limit);
      const pieces = await streamPieces(lines(found), (error) =>
        app.log.error('An export was cut off', { requestId: request.id, reason: errorMessage(error) }),
      );
      reply.type('application/x-ndjson').header('content-disposition', 'attachment; filename="logs.ndjson"');
      // The schema describes the text; that it comes as a stream is beyond the type provider.
      return reply.send(pieces as never);
    },
  );
};

async function* lines(batches: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  for await (const batch of batches) yield batch.map((log) => `${JSON.stringify(log)}\n`).join('');
}
