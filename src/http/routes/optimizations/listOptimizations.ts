import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { LIMITS } from '../../../core/limits.ts';
import { decodeCursor, encodeCursor } from '../../cursor.ts';
import { experimentAnswer } from '../../schemas/optimizations.ts';
import { cursor, integrationParams, limitOf, pageOf } from '../../schemas/parts.ts';
import { answers } from '../../schemas/problem.ts';
import { type AddRoute, API } from '../route.ts';

const query = z.strictObject({ cursor, limit: limitOf(LIMITS.pageSizeMax) });

export const listOptimizations: AddRoute = (server, app) => {
  server.get(
    `${API}/integrations/:id/optimizations`,
    {
      config: { permission: 'integrations:read', about: 'integration' },
      schema: {
        operationId: 'listOptimizations',
        summary: 'List the experiments of an integration',
        description: 'Newest first.',
        tags: ['optimizations'],
        params: integrationParams,
        querystring: query,
        response: answers({ 200: pageOf(experimentAnswer) }, 400, 404),
      },
    },
    async (request) => {
      const { limit } = request.query;
      const before = decodeCursor(request.query.cursor, (id) => isId('tuningExperiment', id));
      const { id } = await app.catalog.get(request.params.id);
      const data = await app.performanceOptimizer.list(id, { limit, ...(before === null ? {} : { before }) });
      return { data, nextCursor: data.length < limit ? null : encodeCursor(data.at(-1)!.id) };
    },
  );
};
