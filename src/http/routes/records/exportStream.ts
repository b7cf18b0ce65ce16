import { z } from 'zod';
import type { App } from '../../../app.ts';
import { errorMessage } from '../../../core/errors.ts';
import { suggestion } from '../../../core/input.ts';
import { UnknownStreamError } from '../../../sync/errors.ts';
import { flag, streamParams } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { streamPieces } from '../../streamedPieces.ts';
import { type AddRoute, API } from '../route.ts';

const MEDIA_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8; header=present' } as const;

const records = {
  description: 'The records.',
  content: { 'application/x-ndjson': { schema: z.string() }, 'text/csv': { schema: z.string() } },
};

const query = z.strictObject({
  format: z.enum(['ndjson', 'csv']).default('ndjson'),
  includeDeleted: flag.describe('Also records that are gone, with the time they went.'),
});

export const exportStream: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/streams/:stream/export`,
    {
      // It would read the whole stream to answer nothing.
      exposeHeadRoute: false,
      config: { permission: 'records:export', about: 'integration' },
      schema: {
        operationId: 'exportStream',
        summary: 'Export a stream',
        description:
          'Every record of the stream as NDJSON or CSV, as fast as it is read. A cut answer is not complete.',
        tags: ['records'],
        params: streamParams,
        querystring: query,
        response: { ...answers({}, 400, 404), 200: records },
      },
    },
    async (request, reply) => {
      const { id, stream } = request.params;
      const { format, includeDeleted } = request.query;
      await requireStream(app, id, stream);
      const onBroken = (error: unknown) =>
        app.log.error('An export was cut off', { requestId: request.id, reason: errorMessage(error) });
      const pieces = await streamPieces(app.sync.export(id, stream, format, { includeDeleted }), onBroken);
      reply
        .type(MEDIA_TYPES[format])
        .header('content-disposition', `attachment; filename="${stream.replaceAll(/[^\w.-]/g, '_')}.${format}"`);
      // The schema describes the text; that it comes as a stream is beyond the type provider.
      return reply.send(pieces as never);
    },
  );
};

/** @throws IntegrationNotFoundError, UnknownStreamError */
async function requireStream({ catalog, sync }: App, id: string, stream: string): Promise<void> {
  await catalog.get(id);
  const names = (await sync.streamStatus(id)).map((status) => status.stream);
  if (names.includes(stream)) return;
  const known = names.length === 0 ? 'Nothing was synced yet.' : `Synced are: ${names.join(', ')}.`;
  throw new UnknownStreamError(
    `Integration ${id} has no records of a stream ${JSON.stringify(stream)}.${suggestion(stream, names)} ${known}`,
    { details: { integrationId: id, stream } },
  );
}
