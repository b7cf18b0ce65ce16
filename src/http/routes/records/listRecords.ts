import { z } from 'zod';
import { LIMITS } from '../../../core/limits.ts';
import { cursor, filterText, integrationParams, limitOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { recordPageAnswer } from '../../schemas/syncs.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({
  stream: filterText.optional().describe('Only of this stream. A cursor is good for the choice it was given for.'),
  cursor,
  limit: limitOf(LIMITS.recordsPageSizeMax),
});

export const listRecords: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/records`,
    {
      config: { permission: 'records:read', about: 'integration' },
      schema: {
        operationId: 'listRecords',
        summary: 'Read records in the order they changed',
        description:
          'The change feed: start without a cursor, and keep `nextCursor` to be given only what was added, updated or deleted since.',
        tags: ['records'],
        params: integrationParams,
        querystring: query,
        response: answers({ 200: recordPageAnswer }, 400, 404),
      },
    },
    async (request) => {
      const { id } = await app.catalog.get(request.params.id);
      return app.sync.changes(id, request.query);
    },
  );
};
