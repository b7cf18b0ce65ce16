import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { cursor, integrationParams, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { runAnswer } from '../../schemas/syncs.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({ cursor, limit: limitOf(LIMITS.pageSizeMax) });

export const listRuns: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/runs`,
    {
      config: { permission: 'integrations:read', about: 'integration' },
      schema: {
        operationId: 'listRuns',
        summary: 'List the runs of an integration',
        description: 'Newest first. Finished runs are kept for 90 days.',
        tags: ['syncs'],
        params: integrationParams,
        querystring: query,
        response: answers({ 200: pageOf(runAnswer) }, 400, 404),
      },
    },
    async (request) => {
      const { limit } = request.query;
      const before = decodeCursor(request.query.cursor, (id) => isId('syncRun', id));
      const { id } = await app.catalog.get(request.params.id);
      const data = await app.sync.listRuns(id, { limit, ...(before === null ? {} : { before }) });
      return { data, nextCursor: data.length < limit ? null : encodeCursor(data.at(-1)!.id) };
    },
  );
};
